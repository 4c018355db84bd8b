// Sets with fingerprints in place of keys, beside the same set with its keys, and beside a filter in memory that knows
// nothing else: bytes an entry, hits, and keys that are not there.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, open } from '../../src/index.js';
import { runTask } from './child.js';
import type { Context } from './context.js';
import { ENTRIES } from './data.js';
import type { Answer, Task } from './fingerprints-child.js';
import { keyOf } from './forms-data.js';
import type { Dataset, Figure } from './model.js';
import { folderOf } from './peers.js';
import type { Samples } from './samples.js';

const LOOKUPS = 200_000;
const PASSES = 9;
const BITS = [8, 16] as const;

interface Way {
  readonly metric: string;
  readonly subject: 'hmap' | 'binary-fuse-filter';
  /** Bits of a fingerprint; 0 for keys. */
  readonly bits: 0 | (typeof BITS)[number];
}

const WAYS: readonly Way[] = [
  { metric: 'has, set', subject: 'hmap', bits: 0 },
  { metric: 'has, fingerprints of 8 bits', subject: 'hmap', bits: 8 },
  { metric: 'has, fingerprints of 8 bits', subject: 'binary-fuse-filter', bits: 8 },
  { metric: 'has, fingerprints of 16 bits', subject: 'hmap', bits: 16 },
];

/** What is measured, by its name in the results. */
export const FINGERPRINT_METRICS: readonly string[] = [
  ...new Set(WAYS.flatMap(({ metric }) => [metric.replace('has', 'size'), metric])),
];

type Measured = Extract<Dataset, '1M' | '10M'>;

export async function measureFingerprints(context: Context, samples: Samples): Promise<void> {
  const datasets: readonly Measured[] = context.full ? ['1M', '10M'] : ['1M'];
  for (const dataset of datasets) {
    context.log(`fingerprints ${dataset}`);
    const folder = join(context.cache, 'tables');
    mkdirSync(folder, { recursive: true });
    const entries = ENTRIES[dataset];
    const pathOf = (bits: number) => join(folder, `fingerprints-${bits}-${dataset}-${context.seed}.hmap`);
    await makeSet(pathOf(0), entries, context.seed, {});
    for (const fingerprint of BITS) await makeSet(pathOf(fingerprint), entries, context.seed, { fingerprint });
    const peer = folderOf(context.peers, 'binary-fuse-filter');
    for (let round = 0; round < context.rounds; round++) {
      for (const { metric, subject, bits } of WAYS) {
        if (subject !== 'hmap' && peer === undefined) continue;
        const path = subject === 'hmap' ? pathOf(bits) : '';
        const common = { path, bits, entries, lookups: LOOKUPS, passes: PASSES, seed: context.seed };
        const task: Task = subject === 'hmap' ? common : { ...common, peer: peer! };
        const { hit, miss, bytes, strangers } = await runTask<Answer>('fingerprints-child.js', task);
        const note =
          bits === 0 ? undefined : `of ${LOOKUPS.toLocaleString('en-US')} other keys ${strangers} were found`;
        const figure: Omit<Figure, 'samples' | 'metric' | 'unit'> = { subject, dataset };
        samples.add({ ...figure, metric: metric.replace('has', 'size'), unit: 'bytes an entry' }, bytes / entries);
        samples.add({ ...figure, metric, keys: 'hit', unit: 'ns' }, hit);
        samples.add({ ...figure, metric, keys: 'miss', unit: 'ns', ...(note !== undefined && { note }) }, miss);
      }
    }
  }
}

async function makeSet(
  path: string,
  entries: number,
  seed: number,
  options: { fingerprint?: (typeof BITS)[number] },
): Promise<void> {
  try {
    // Left by an earlier run.
    open(path, { fingerprint: options.fingerprint !== undefined } as { fingerprint: true }).close();
  } catch {
    const keys = function* () {
      for (let index = 0; index < entries; index++) yield keyOf(index, seed);
    };
    await build(path, keys(), { value: 'none', ...options });
  }
}
