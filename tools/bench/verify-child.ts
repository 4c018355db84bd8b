// One process that verifies a table, and then takes its checksums alone.

import { closeSync } from 'node:fs';
import { verify } from 'hmap';
import { loadChecksums } from '../../src/base/block-hasher.js';
import { readBytes } from '../../src/base/fs.js';
import { BLOCK } from '../../src/format/constants.js';
import { openForReading } from '../../src/storage/open-file.js';
import { blockSums } from '../../src/verify/verify.js';
import { taskOf } from './task-of.js';

export interface Task {
  readonly table: string;
}

export interface Answer {
  readonly entriesASecond: number;
  /** Bytes a second, with and without the reads. */
  readonly checksums: number;
  readonly hashing: number;
}

/** Bytes of one read; verify reads as many at once. */
const READ = 16 * BLOCK;
/** Bytes hashed in a timed pass, at least: the smallest table alone is too short for the clock. */
const LEAST = 256 * 2 ** 20;

let sink = 0n;

async function verifySpeed(path: string): Promise<number> {
  const { ok, entries, seconds } = await verify(path);
  if (!ok) throw new Error(`${path} is damaged`);
  return entries / seconds;
}

async function checksumSpeed(path: string): Promise<Pick<Answer, 'checksums' | 'hashing'>> {
  const hashes = await loadChecksums();
  const fd = openForReading(path);
  let hashing = 0;
  let bytes = 0;
  const began = performance.now();
  while (bytes < LEAST) {
    for (let at = 0, done = false; !done; at += READ) {
      const piece = readBytes(fd, at, READ);
      const start = performance.now();
      for (const sum of blockSums(hashes, piece)) sink ^= sum;
      hashing += performance.now() - start;
      bytes += piece.length;
      done = piece.length < READ;
    }
  }
  const all = performance.now() - began;
  closeSync(fd);
  return { checksums: (1000 * bytes) / all, hashing: (1000 * bytes) / hashing };
}

async function run({ table }: Task): Promise<Answer> {
  await verifySpeed(table);
  const entriesASecond = await verifySpeed(table);
  await checksumSpeed(table);
  return { entriesASecond, ...(await checksumSpeed(table)) };
}

console.log(JSON.stringify(await run(taskOf<Task>())));

export { sink };
