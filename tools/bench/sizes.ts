// Bytes on the disk: of each file, by entry, and over the keys and values themselves.

import { lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build, open } from '../../src/index.js';
import type { Context } from './context.js';
import { Random } from './generate.js';
import type { Dataset, Subject } from './model.js';
import type { Samples } from './samples.js';

/** Entries of the set whose keys have one length. */
const SAME_LENGTH = 1_000_000;
/** Bytes of each of its keys. */
const KEY = 20;

/** Subjects whose tables lie on the disk. */
const ON_DISK: readonly Subject[] = ['hmap', 'cdb', 'lmdb', 'sqlite-mmap', 'classic-level'];

export async function measureSizes(context: Context, samples: Samples, datasets: readonly Dataset[]): Promise<void> {
  for (const dataset of datasets) {
    context.log(`sizes ${dataset}`);
    const files = await context.files(dataset, 'u32').catch((error: Error) => error);
    if (files instanceof Error) {
      // The names of npm need the network; all else is made here, and that it cannot be made is an error.
      if (dataset !== 'npm-names') throw files;
      context.log(`sizes ${dataset}: not measured, ${files.message}`);
      continue;
    }
    const { tables, entries } = files;
    for (const subject of ON_DISK) {
      const path = tables[subject];
      if (path === undefined) continue;
      const figure = { subject, dataset, values: 'u32' } as const;
      const bytes = bytesOnDisk(path);
      samples.add({ ...figure, metric: 'file', unit: 'bytes' }, bytes);
      samples.add({ ...figure, metric: 'size', unit: 'bytes an entry' }, bytes / entries);
      if (subject === 'hmap') samples.add({ ...figure, metric: 'overhead', unit: 'bytes an entry' }, overhead(path));
    }
  }
  await measureSameLength(context, samples);
}

async function measureSameLength(context: Context, samples: Samples): Promise<void> {
  context.log('sizes 1M, keys of one length');
  const path = join(context.cache, `same-length-${process.pid}.hmap`);
  try {
    await build(path, sameLength(context.seed), { value: 'u32' });
    const figure = { subject: 'hmap', dataset: '1M', values: 'u32', unit: 'bytes an entry' } as const;
    samples.add({ ...figure, metric: 'overhead, keys of one length', note: `keys of ${KEY} bytes` }, overhead(path));
  } finally {
    rmSync(path, { force: true });
  }
}

function* sameLength(seed: number): Generator<[string, number]> {
  const random = new Random(seed);
  // The number makes the key one of its kind, what follows makes it look like no other.
  for (let i = 0; i < SAME_LENGTH; i++) {
    const number = i.toString(36).padStart(8, '0');
    const more = Math.floor(random.fraction() * 36 ** 6).toString(36);
    yield [`key-${number}-`.padEnd(KEY, more.padStart(7, '0')), i];
  }
}

/** Bytes an entry that are neither key nor value. */
export function overhead(path: string): number {
  using table = open(path);
  const { fileBytes, keyBytes, valueBytes, entries } = table.header;
  return (fileBytes - keyBytes - valueBytes) / entries;
}

/**
 * What a file, or all that is in a folder, takes on the disk: its length, or less where a part of it was never written
 * (LMDB makes its file as large as it may become).
 */
function bytesOnDisk(path: string): number {
  if (!statSync(path).isDirectory()) {
    const { size, blocks } = statSync(path);
    return Math.min(size, blocks * 512);
  }
  let total = 0;
  for (const name of readdirSync(path)) {
    const inner = join(path, name);
    if (!lstatSync(inner).isSymbolicLink()) total += bytesOnDisk(inner);
  }
  return total;
}
