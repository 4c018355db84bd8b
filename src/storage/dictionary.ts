// The distinct values of a table of `enum` (native-notes/format.md, section 7), each decoded when it is first asked
// for. Knows the section; does not know records, nor how its bytes come.

import { ByteBuffer } from '../base/bytes.js';
import { damage, type HmapError } from '../base/errors.js';
import { readBytes } from '../base/fs.js';
import { decodeText } from '../base/text.js';
import type { DictionaryPlace, HashHeader } from '../format/header.js';
import { type BlockChecker, CheckedBlocks, checkerFor } from './block-check.js';
import { type Lend, LentBytes } from './lent-bytes.js';

export class Dictionary {
  /**
   * The string that an index in `buffer` at `at` stands for, the same one each time. Throws as {@link placeOf} does.
   */
  readonly decoder: (buffer: ByteBuffer, at: number) => string;
  /** All of the section. */
  readonly bytes: ByteBuffer;
  readonly #place: DictionaryPlace;
  readonly #blocks: CheckedBlocks;
  readonly #path: string;
  readonly #width: number;
  /**
   * Strings that were requested before, by index. Gets its full length with the first of them: so opening a file costs
   * the same whatever their number.
   */
  readonly #texts: (string | undefined)[] = [];

  readonly #lent: LentBytes;

  /**
   * @param bytes the section's bytes, perhaps with trailing bytes
   * @param path for messages
   * @param checker checks each block before it is used; without one nothing is checked
   * @param lend gives the section as users may have it; without it, as it is in `bytes`
   */
  constructor(bytes: Uint8Array, header: HashHeader, path: string, checker?: BlockChecker, lend?: Lend) {
    const place = header.dictionary!;
    this.#place = place;
    this.bytes = new ByteBuffer(bytes.subarray(0, place.bytes));
    this.#blocks = new CheckedBlocks(header, place, checker);
    this.#path = path;
    this.#lent = new LentBytes(this.bytes, lend);
    this.#width = header.valueWidth!;
    this.decoder = this.#decoderOf(this.#width);
  }

  /** One function for each width: a `get` then costs what it costs for a number. */
  #decoderOf(width: number): Dictionary['decoder'] {
    const texts = this.#texts;
    const load = (index: number) => this.#load(index);
    switch (width) {
      case 0:
        return () => texts[0] ?? load(0);
      case 1:
        return ({ view }, at) => {
          const index = view.getUint8(at);
          return texts[index] ?? load(index);
        };
      case 2:
        return ({ view }, at) => {
          const index = view.getUint16(at, true);
          return texts[index] ?? load(index);
        };
      case 3:
        return ({ view }, at) => {
          const index = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
          return texts[index] ?? load(index);
        };
      default:
        return ({ view }, at) => {
          const index = view.getUint32(at, true);
          return texts[index] ?? load(index);
        };
    }
  }

  #load(index: number): string {
    const { at, length } = this.placeOf(index);
    const text = decodeText(this.bytes, at, length);
    if (this.#texts.length === 0) this.#texts.length = this.#place.count;
    this.#texts[index] = text;
    return text;
  }

  /**
   * The bytes of the string that an index in `buffer` at `at` stands for, for users: without a copy if that is
   * possible. Throws as {@link placeOf} does.
   */
  bytesAt(buffer: ByteBuffer, at: number): Uint8Array {
    const place = this.placeAt(buffer, at);
    return this.#lent.at(place.at, place.length);
  }

  /** {@link placeOf} the index in `buffer` at `at`. */
  placeAt({ bytes }: ByteBuffer, at: number): { at: number; length: number } {
    return this.placeOf(this.#width === 0 ? 0 : bytes.readUIntLE(at, this.#width));
  }

  /**
   * Where the bytes of the value with an index lie in {@link bytes}.
   * @throws {HmapError} `HMAP_DAMAGED` if there is no such value, or its offsets are wrong
   */
  placeOf(index: number): { at: number; length: number } {
    const { count, bytes: size } = this.#place;
    if (index >= count)
      throw this.#damaged(`a value has the index ${index}, but there are only ${count} distinct values`, 0);
    const blocks = this.#blocks;
    if (blocks.unchecked > 0) blocks.check(4 * index, 4 * index + 8);
    const { view } = this.bytes;
    const heap = 4 * (count + 1);
    const at = heap + view.getUint32(4 * index, true);
    const end = heap + view.getUint32(4 * index + 4, true);
    if (end < at || end > size) throw this.#damaged(`the offsets of distinct value ${index} do not fit`, 4 * index);
    if (blocks.unchecked > 0) blocks.check(at, end);
    return { at, length: end - at };
  }

  #damaged(what: string, at: number): HmapError {
    const offset = this.#place.offset + at;
    return damage(this.#path, `${what} (byte ${offset})`, { offset });
  }
}

/** The dictionary of an open file, read into memory. */
export function readDictionary(
  fd: number,
  header: HashHeader,
  path: string,
  check: 'none' | 'touch',
): Dictionary | undefined {
  const place = header.dictionary;
  if (place === null) return undefined;
  const checker = checkerFor(fd, header, path, check);
  return new Dictionary(readBytes(fd, place.offset, place.bytes), header, path, checker);
}
