// One process that asks one set, or a filter in memory, for keys that are there and for others, and times the lookups.

import { readFileSync, statSync } from 'node:fs';
import { open } from 'hmap';
import xxhash from 'xxhash-wasm';
import { keyOf } from './forms-data.js';
import { MISSING, scramble } from './generate.js';
import { median } from './model.js';
import type { FuseFilterPackage } from './peer-types.js';
import { requirePeer } from './peers.js';
import { taskOf } from './task-of.js';

export interface Task {
  /** Of the file; empty for a filter in memory. */
  readonly path: string;
  /** Bits of a fingerprint; 0 if the file has the keys. */
  readonly bits: number;
  /** Where the package of the filter is. */
  readonly peer?: string;
  readonly entries: number;
  readonly lookups: number;
  readonly passes: number;
  readonly seed: number;
}

export interface Answer {
  /** Nanoseconds. */
  readonly hit: number;
  readonly miss: number;
  /** Of the file, or of what the filter keeps. */
  readonly bytes: number;
  /** Keys that are not there and seem to be. */
  readonly strangers: number;
}

interface Held {
  has(key: string): boolean;
  readonly bytes: number;
}

async function openedBy({ path, bits, peer, entries, seed }: Task): Promise<Held> {
  if (peer === undefined) {
    // So that the first pass does not wait for the disk.
    readFileSync(path);
    const table = bits === 0 ? open(path) : open(path, { fingerprint: true });
    return { has: (key) => table.has(key), bytes: statSync(path).size };
  }
  // It takes 64-bit numbers, so a text has to be hashed first, as its authors say.
  const { h64 } = await xxhash();
  const hashes = new BigUint64Array(entries);
  for (let index = 0; index < entries; index++) hashes[index] = h64(keyOf(index, seed));
  const [filter, error] = requirePeer<FuseFilterPackage>(peer, 'binary-fuse-filter').populateBinaryFuse8(hashes);
  if (filter === null) throw error;
  return { has: (key) => filter.contains(h64(key)), bytes: filter.Fingerprints.length };
}

async function run(task: Task): Promise<Answer> {
  const { entries, lookups, passes, seed } = task;
  const held = await openedBy(task);
  const indexes = Array.from({ length: lookups }, (_, i) => scramble(i ^ seed) % entries);
  // As a program has them: whole, not parts of longer strings.
  const text = (index: number) => Buffer.from(keyOf(index, seed)).toString('latin1');
  const timed = (keys: readonly string[]): { ns: number; found: number } => {
    const times: number[] = [];
    let found = 0;
    for (let i = -2; i < passes; i++) {
      found = 0;
      const start = performance.now();
      for (let j = 0; j < keys.length; j++) if (held.has(keys[j]!)) found++;
      if (i >= 0) times.push(((performance.now() - start) * 1e6) / keys.length);
    }
    return { ns: median(times), found };
  };
  const hits = timed(indexes.map(text));
  if (hits.found !== lookups) throw new Error(`${hits.found} of ${lookups} keys were found`);
  const misses = timed(indexes.map((index) => text(index + MISSING)));
  return { hit: hits.ns, miss: misses.ns, bytes: held.bytes, strangers: misses.found };
}

void run(taskOf<Task>()).then((answer) => console.log(JSON.stringify(answer)));
