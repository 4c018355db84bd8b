// One process that verifies a table, and then takes its checksums alone.

import { closeSync, openSync, readSync } from 'node:fs';
import { verify } from 'hmap';
import xxhash from 'xxhash-wasm';
import { taskOf } from './task-of.js';

export interface Task {
  readonly table: string;
}

export interface Answer {
  readonly entriesASecond: number;
  /** Without the core. */
  readonly inJavaScript: number;
  /** Bytes a second, with and without the reads. */
  readonly checksums: number;
  readonly hashing: number;
}

/** Bytes that one checksum of the file covers. */
const BLOCK = 65_536;
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
  const { h64Raw } = await xxhash();
  const fd = openSync(path, 'r');
  const buffer = Buffer.alloc(READ);
  let hashing = 0;
  let bytes = 0;
  const began = performance.now();
  while (bytes < LEAST) {
    for (let at = 0, done = false; !done; at += READ) {
      const piece = buffer.subarray(0, readSync(fd, buffer, 0, READ, at));
      const start = performance.now();
      for (let block = 0; block < piece.length; block += BLOCK) sink ^= h64Raw(piece.subarray(block, block + BLOCK));
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
  process.env.HMAP_NO_CORE = '1';
  await verifySpeed(table);
  const inJavaScript = await verifySpeed(table);
  await checksumSpeed(table);
  return { entriesASecond, inJavaScript, ...(await checksumSpeed(table)) };
}

console.log(JSON.stringify(await run(taskOf<Task>())));

export { sink };
