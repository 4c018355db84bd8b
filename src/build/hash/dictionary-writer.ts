// Puts a build's distinct values into the order of the format, and the records' numbers into the indexes of that order.
// Knows the dictionary section (native-notes/format.md, section 7) and staged records; does not know where the section
// lies.

import type { BlockHasher } from '../../base/block-hasher.js';
import { ByteBuffer, compareBytes } from '../../base/bytes.js';
import { writeAll } from '../../base/fs.js';
import { align, dictionarySize, MAX_SEGMENT_BYTES } from '../../format/constants.js';
import type { BlockSums } from '../common/block-sums.js';
import { type Interned, indexOf, numberOf, tooLarge, workerOf } from './interner.js';
import type { Sorted } from './segment-writer.js';
import { type StagedLayout, stagedValueAt } from './staged-record.js';

/**
 * For each worker, the index in the file of each number that it assigned. Can be sent to other threads, which share the
 * memory.
 */
export type Ranks = readonly Int32Array[];

/** A dictionary before it is written. */
export interface Ranked {
  readonly ranks: Ranks;
  readonly count: number;
  /** Size of the section. */
  readonly bytes: number;
  /** Numbers of the values in the order of the file. */
  readonly order: Uint32Array;
}

/** Which values are in use, by worker. */
export type Used = readonly Uint8Array[];

export function noneUsed(interned: readonly Interned[]): Used {
  return interned.map(({ count }) => new Uint8Array(count));
}

/** Finds values of several workers by their numbers. */
class Values {
  readonly #interned: readonly Interned[];
  readonly #views: readonly DataView[];

  constructor(interned: readonly Interned[]) {
    this.#interned = interned;
    this.#views = interned.map(({ bytes }) => new ByteBuffer(bytes).view);
  }

  length(number: number): number {
    return this.#end(number) - this.#start(number);
  }

  bytes(number: number): Uint8Array {
    return this.#interned[workerOf(number)]!.bytes.subarray(this.#start(number), this.#end(number));
  }

  compare(a: number, b: number): number {
    const [x, y] = [this.#views[workerOf(a)]!, this.#views[workerOf(b)]!];
    return compareBytes(x, this.#start(a), this.length(a), y, this.#start(b), this.length(b));
  }

  #start(number: number): number {
    const index = indexOf(number);
    return index === 0 ? 0 : this.#interned[workerOf(number)]!.ends[index - 1]!;
  }

  #end(number: number): number {
    return this.#interned[workerOf(number)]!.ends[indexOf(number)]!;
  }
}

/**
 * Orders the values of all workers by their bytes, each once.
 * @param used leaves the others out; without it all are in use
 * @param most how large the section may be, in bytes
 * @throws {HmapError} `HMAP_DICTIONARY_TOO_LARGE`
 */
export function rank(interned: readonly Interned[], most: number, used?: Used): Ranked {
  const values = new Values(interned);
  const numbers = new Uint32Array(interned.reduce((sum, { count }) => sum + count, 0));
  let found = 0;
  for (const [worker, { count }] of interned.entries()) {
    for (let index = 0; index < count; index++) {
      if (used === undefined || used[worker]![index] === 1) numbers[found++] = numberOf(worker, index);
    }
  }
  const order = numbers.subarray(0, found).sort((a, b) => values.compare(a, b));
  const ranks = interned.map(({ count }) => new Int32Array(new SharedArrayBuffer(4 * count)));
  let count = 0;
  let bytes = 0;
  for (const number of order) {
    if (count === 0 || values.compare(order[count - 1]!, number) !== 0) {
      order[count++] = number;
      bytes += values.length(number);
    }
    ranks[workerOf(number)]![indexOf(number)] = count - 1;
  }
  const size = dictionarySize(count, bytes);
  const limit = Math.min(most, MAX_SEGMENT_BYTES);
  if (size > limit) throw tooLarge(limit, size);
  return { ranks, count, bytes: size, order: order.subarray(0, count) };
}

/**
 * Writes the section at an offset in the file, where there is one, and sums its blocks.
 * @returns where the next section starts
 */
export function writeDictionary(
  {
    fd,
    hashes,
    distinct,
  }: { fd: number; hashes: BlockHasher; distinct: { interned: readonly Interned[] } | undefined },
  sums: BlockSums,
  ranked: Ranked | undefined,
  offset: number,
): number {
  if (distinct === undefined || ranked === undefined) return offset;
  const section = encode(distinct.interned, ranked);
  writeAll(fd, section, offset);
  sums.take(hashes, section, offset);
  return align(offset + section.length);
}

function encode(interned: readonly Interned[], { order, count, bytes }: Ranked): Uint8Array {
  const values = new Values(interned);
  const { array, view } = new ByteBuffer(bytes);
  const heap = 4 * (count + 1);
  let at = 0;
  for (const [i, number] of order.entries()) {
    const value = values.bytes(number);
    array.set(value, heap + at);
    at += value.length;
    view.setUint32(4 * i + 4, at, true);
  }
  return array;
}

/** Puts indexes in the place of numbers in the first `count` records of a sorted partition. */
export function applyRanks(
  { view }: ByteBuffer,
  { positions, order }: Sorted,
  count: number,
  staged: StagedLayout,
  ranks: Ranks,
): void {
  for (let i = 0; i < count; i++) {
    const at = stagedValueAt(staged, view, positions[order[i]!]!);
    const number = view.getUint32(at, true);
    view.setInt32(at, ranks[workerOf(number)]![indexOf(number)]!, true);
  }
}

/** Notes which values the first `count` records of a sorted partition have, before {@link applyRanks}. */
export function markUsed(
  { view }: ByteBuffer,
  { positions, order }: Sorted,
  count: number,
  staged: StagedLayout,
  used: Used,
): void {
  for (let i = 0; i < count; i++) {
    markStaged(view, positions[order[i]!]!, staged, used);
  }
}

/** Notes which value a staged record has. */
export function markStaged(view: DataView, at: number, staged: StagedLayout, used: Used): void {
  const number = view.getUint32(stagedValueAt(staged, view, at), true);
  used[workerOf(number)]![indexOf(number)] = 1;
}
