// All keys of a data set with their values, shuffled, in a file: every process asks the same in the same order, and
// holds no more of it than one batch, so that its memory is that of its table. Does not know how they are looked up.
//
// The file is a row of batches. A batch: u32 count, u32 bytes of its entries; an entry: u32 value, u32 key length, key.
// Little-endian.

import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import type { KeyForm } from './protocol.js';

/** Few enough that most batches are timed without an interruption, enough that the clock's own cost vanishes. */
const BATCH = 1024;
const HEAD = 8;

export interface Query {
  key: Uint8Array;
  value: number;
}

export function writeQueries(path: string, queries: readonly Query[], seed: number): void {
  const order = shuffled(queries.length, seed);
  const pieces: Buffer[] = [];
  for (let first = 0; first < order.length; first += BATCH) {
    const batch = Array.from(order.subarray(first, first + BATCH), (index) => encode(queries[index]!));
    const bytes = Buffer.concat(batch);
    pieces.push(numbers(batch.length, bytes.length), bytes);
  }
  writeFileSync(path, Buffer.concat(pieces));
}

function encode({ key, value }: Query): Buffer {
  return Buffer.concat([numbers(value, key.length), key]);
}

function numbers(first: number, second: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(first, 0);
  bytes.writeUInt32LE(second, 4);
  return bytes;
}

/** The numbers from 0, exclusive `count`, in an order that `seed` decides (Fisher-Yates over xorshift32). */
function shuffled(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let state = seed;
  for (let i = count - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    const other = order[j]!;
    order[j] = order[i]!;
    order[i] = other;
  }
  return order;
}

/** One batch: `keys[i]` has `values[i]`. */
export interface Batch<K> {
  keys: K[];
  values: number[];
}

/** Gives a slice of a batch as a key. */
const DECODERS = {
  utf8: (bytes: Buffer, start: number, end: number) => bytes.toString('utf8', start, end),
  latin1: (bytes: Buffer, start: number, end: number) => bytes.toString('latin1', start, end),
  bytes: (bytes: Buffer, start: number, end: number) => bytes.subarray(start, end),
} satisfies Record<KeyForm, (bytes: Buffer, start: number, end: number) => string | Buffer>;

/**
 * Reads what {@link writeQueries} wrote. Every string is new, so that none carries a hash that V8 has computed before.
 */
export function* readQueries(path: string, form: KeyForm): Generator<Batch<string | Uint8Array>> {
  const decode = DECODERS[form];
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD);
    while (readSync(fd, head) === HEAD) {
      const bytes = Buffer.alloc(head.readUInt32LE(4));
      if (readSync(fd, bytes) !== bytes.length) throw new Error(`${path}: the file of queries was cut short`);
      const batch: Batch<string | Uint8Array> = { keys: [], values: [] };
      for (let i = head.readUInt32LE(0), at = 0; i > 0; i--) {
        const start = at + 8;
        const end = start + bytes.readUInt32LE(at + 4);
        batch.keys.push(decode(bytes, start, end));
        batch.values.push(bytes.readUInt32LE(at));
        at = end;
      }
      yield batch;
    }
  } finally {
    closeSync(fd);
  }
}
