// Brings the dictionaries of several tables of `enum` together. Knows sections and their order (native-notes/format.md,
// section 7); does not know records.

import { ByteBuffer, compareBytes } from '../../base/bytes.js';
import { HmapError } from '../../base/errors.js';
import { dictionarySize, MAX_SEGMENT_BYTES } from '../../format/constants.js';
import type { Dictionary } from '../../storage/dictionary.js';

/** Which strings of each file are in use: one byte a string. Empty for files without values. */
export type UsedStrings = readonly Uint8Array[];

/** The dictionary of the result. */
export interface MergedDictionary {
  readonly count: number;
  /** Size of the section. */
  readonly bytes: number;
  readonly section: Uint8Array;
  /** For each file, the index in the result of each index in the file; -1 for what is not in use. */
  readonly ranks: readonly Int32Array[];
}

/**
 * The strings in use, each once, in the order of their bytes.
 * @param dictionaries of each file; `undefined` for files without values
 * @throws {HmapError} `HMAP_DICTIONARY_TOO_LARGE`
 */
export function mergeDictionaries(
  dictionaries: readonly (Dictionary | undefined)[],
  used: UsedStrings,
): MergedDictionary {
  const heads = dictionaries.map((dictionary, i) => new Head(dictionary, used[i]!));
  const ranks = used.map(({ length }) => new Int32Array(length).fill(-1));
  const parts: Uint8Array[] = [];
  const ends: number[] = [];
  let bytes = 0;
  for (;;) {
    let lowest: Head | undefined;
    for (const head of heads) {
      if (!head.isDone && (lowest === undefined || head.compare(lowest) < 0)) lowest = head;
    }
    if (lowest === undefined) break;
    const text = lowest.text();
    parts.push(text);
    bytes += text.length;
    ends.push(bytes);
    // Itself last, since the others are compared with it.
    for (const [i, head] of heads.entries()) {
      if (head === lowest || head.isDone || head.compare(lowest) !== 0) continue;
      ranks[i]![head.index] = parts.length - 1;
      head.step();
    }
    ranks[heads.indexOf(lowest)]![lowest.index] = parts.length - 1;
    lowest.step();
  }
  const size = dictionarySize(parts.length, bytes);
  if (size > MAX_SEGMENT_BYTES) {
    const message = `the distinct values of all files take ${size} bytes together, the maximum is ${MAX_SEGMENT_BYTES}`;
    throw new HmapError('HMAP_DICTIONARY_TOO_LARGE', message, { expected: MAX_SEGMENT_BYTES, actual: size });
  }
  return { count: parts.length, bytes: size, section: sectionOf(parts, ends, size), ranks };
}

function sectionOf(parts: readonly Uint8Array[], ends: readonly number[], size: number): Uint8Array {
  const { array, view } = new ByteBuffer(size);
  for (const [i, end] of ends.entries()) view.setUint32(4 * i + 4, end, true);
  let at = 4 * (parts.length + 1);
  for (const part of parts) {
    array.set(part, at);
    at += part.length;
  }
  return array;
}

/** The strings in use of one dictionary, one after the other. */
class Head {
  index = -1;
  #at = 0;
  #length = 0;
  readonly #dictionary: Dictionary | undefined;
  readonly #used: Uint8Array;

  constructor(dictionary: Dictionary | undefined, used: Uint8Array) {
    this.#dictionary = dictionary;
    this.#used = used;
    this.step();
  }

  get isDone(): boolean {
    return this.index >= this.#used.length;
  }

  step(): void {
    do this.index++;
    while (this.index < this.#used.length && this.#used[this.index] === 0);
    if (this.isDone) return;
    const { at, length } = this.#dictionary!.placeOf(this.index);
    this.#at = at;
    this.#length = length;
  }

  text(): Uint8Array {
    return this.#dictionary!.bytes.bytes.subarray(this.#at, this.#at + this.#length);
  }

  compare(other: Head): number {
    const [a, b] = [this.#dictionary!.bytes.view, other.#dictionary!.bytes.view];
    return compareBytes(a, this.#at, this.#length, b, other.#at, other.#length);
  }
}
