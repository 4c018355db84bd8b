// The dictionary's part of a verification: offsets, the order of the distinct values, and that each is in use. Knows
// the rules of the format (native-notes/format.md, sections 7 and 11); does not know checksums.

import { ByteBuffer, compareBytes } from '../base/bytes.js';
import { type ValueCheck, valueCheck } from '../codec/check-value.js';
import { align } from '../format/constants.js';
import type { DictionaryPlace, HashHeader } from '../format/header.js';
import { mapForPass } from '../mapping/map-ranges.js';
import { passAccess, type QuietPass } from '../mapping/quiet-pass.js';
import type { FindingCode, Findings } from './findings.js';
import { checkOffsets } from './offsets.js';
import type { VerifyReader } from './reader.js';

export class DictionaryCheck {
  /** Whether the value of a record is an index of the dictionary; takes note of it. */
  readonly isIndex: ValueCheck;
  readonly #place: DictionaryPlace;
  readonly #findings: Findings;
  /** One bit for each value: a record has it. */
  readonly #used: Uint8Array;
  /** Whether something was reported that may also be why a value looks unused. */
  #useUnclear = false;

  constructor(header: HashHeader, findings: Findings) {
    const place = header.dictionary!;
    const used = new Uint8Array(Math.ceil(place.count / 8));
    this.#place = place;
    this.#findings = findings;
    this.#used = used;
    this.isIndex = ({ bytes }, at, length) => {
      const index = length === 0 ? 0 : bytes.readUIntLE(at, length);
      if (index >= place.count) {
        this.#useUnclear = true;
        return false;
      }
      used[index >>> 3]! |= 1 << (index & 7);
      return true;
    };
  }

  /**
   * Checks the section, after all records. Yields offsets in the file.
   * @param complete whether all records were seen: only then can a value be called unused
   * @param quiet without it, what was read stays in the system's cache
   */
  *check(
    fd: number,
    path: string,
    reader: VerifyReader,
    complete: boolean,
    quiet: QuietPass | undefined,
  ): Generator<number, void> {
    const { offset, bytes } = this.#place;
    const end = offset + bytes;
    // To touch a page of a mapping that cannot be read would end the process.
    if (reader.isReadable(offset, end)) {
      const trace = quiet?.note(offset, bytes);
      const mapping = mapForPass(fd, { offset, length: bytes }, path, passAccess(quiet));
      try {
        mapping.advise('willneed', 0, 0, bytes);
        yield* this.#checkValues(mapping.view(0));
      } finally {
        mapping.close();
        trace?.drop();
      }
      if (complete && !this.#useUnclear) this.#checkUse();
    }
    reader.checkGap(end, align(end));
  }

  *#checkValues(section: Uint8Array): Generator<number, void> {
    const { offset, bytes, count } = this.#place;
    const start = 4 * (count + 1);
    const index = new Int32Array(section.buffer, section.byteOffset, count + 1);
    const heap = new ByteBuffer(section.subarray(start, bytes));
    const isText = valueCheck('utf8');
    let last = -1;
    let lastAt = 0;
    let lastLength = 0;
    const add = (code: FindingCode, at: number, length: number, message: string) =>
      this.#findings.add(code, 'dictionary', offset + start + at, offset + start + at + length, message);
    const addUse = (number: number, length: number, message: string) =>
      this.#findings.add('HMAP_DICTIONARY', 'dictionary', offset + 4 * number, offset + 4 * number + length, message);
    const bad = (from: number, to: number, message: string) => {
      this.#useUnclear = true;
      this.#findings.add('HMAP_BUCKET_OFFSET', 'dictionary', offset + 4 * from, offset + 4 * to, message);
    };
    const take = (number: number, at: number, length: number): void => {
      if (!isText(heap, at, length)) add('HMAP_VALUE', at, length, `distinct value ${number} is not valid utf8`);
      if (last === number - 1 && last >= 0) {
        const order = compareBytes(heap.view, lastAt, lastLength, heap.view, at, length);
        if (order > 0) add('HMAP_DICTIONARY', lastAt, lastLength + length, `distinct value ${number} is not in order`);
        // By their offsets: two empty ones have no other bytes.
        if (order === 0) addUse(number - 1, 12, `distinct value ${number} is that before it`);
      }
      last = number;
      lastAt = at;
      lastLength = length;
    };
    for (const done of checkOffsets(index, count, heap.size, bad, take)) yield offset + start + done;
  }

  #checkUse(): void {
    const { offset, count } = this.#place;
    for (let number = 0; number < count; number++) {
      if (((this.#used[number >>> 3]! >>> (number & 7)) & 1) === 1) continue;
      const at = offset + 4 * number;
      this.#findings.add('HMAP_DICTIONARY', 'dictionary', at, at + 8, `no entry has distinct value ${number}`);
    }
  }
}
