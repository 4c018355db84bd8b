// The records of a bucket of a remote file, one after the other (native-notes/format.md, section 6). Knows records; does not
// know which one is wanted.

import { HmapError } from '../base/errors.js';
import { MAX_BUCKET_RECORDS, MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../format/constants.js';
import type { FileRange } from './cells.js';
import type { RemoteFile } from './remote-file.js';
import type { Stop } from './shared-work.js';

/** A key's bytes, and its hash. */
export interface HashedKey {
  readonly bytes: Uint8Array;
  readonly hash: number;
}

/** Bytes of a bucket that are read at once; more are those of large values. */
const WINDOW = 16_384;

/** The records of a bucket, one after the other. */
export class Records {
  /** Where the record starts in the file, and its value. */
  at: number;
  value: FileRange;
  readonly #file: RemoteFile;
  readonly #end: number;
  readonly #stop: Stop;
  #key: FileRange;
  #left = MAX_BUCKET_RECORDS;
  #window: Uint8Array = new Uint8Array(0);
  #windowFrom = 0;

  constructor(file: RemoteFile, { from, end }: FileRange, stop: Stop) {
    this.#file = file;
    this.at = from;
    this.value = this.#key = { from, end: from };
    this.#end = end;
    this.#stop = stop;
  }

  /** Moves to the next record; `false` at the end. */
  async step(): Promise<boolean> {
    this.at = this.value.end;
    if (this.at >= this.#end) return false;
    if (this.#left-- === 0) throw damaged(this.#file, `a bucket of more than ${MAX_BUCKET_RECORDS} records`, this.at);
    const { keyWidth, valueWidth } = this.#file.header;
    // The longest lengths: a varint of 3 bytes, and one of 5.
    const head = await this.#bytes(this.at, Math.min(this.at + 8, this.#end));
    let next = 0;
    const length = (most: number, longest: number) => {
      let value = 0;
      for (let i = 0, unit = 1; i < longest && next < head.length; i++, unit *= 128) {
        const byte = head[next++]!;
        value += (byte & 0x7f) * unit;
        if (byte >= 0x80) continue;
        if ((byte === 0 && i > 0) || value > most) break;
        return value;
      }
      throw damaged(this.#file, 'a length that is too large, too long or cut off', this.at);
    };
    const keyBytes = keyWidth ?? length(MAX_KEY_BYTES, 3);
    const valueBytes = valueWidth ?? length(MAX_VALUE_BYTES, 5);
    const key = this.at + next;
    this.#key = { from: key, end: key + keyBytes };
    this.value = { from: key + keyBytes, end: key + keyBytes + valueBytes };
    if (this.value.end > this.#end) throw damaged(this.#file, 'a record that passes the end of its bucket', this.at);
    return true;
  }

  /** Whether the record's key, or fingerprint, is this one. */
  async hasKey(key: Uint8Array): Promise<boolean> {
    const { from, end } = this.#key;
    if (end - from !== key.length) return false;
    const bytes = await this.#bytes(from, end);
    return key.every((byte, i) => bytes[i] === byte);
  }

  /** Bytes of the bucket; with the first of them some of those that follow. */
  async #bytes(from: number, end: number): Promise<Uint8Array> {
    const known = this.#windowFrom;
    if (from < known || end > known + this.#window.length) {
      const to = Math.min(this.#end, Math.max(end, from + WINDOW));
      this.#window = (await this.#file.read([{ from, end: to }], this.#stop))[0]!;
      this.#windowFrom = from;
    }
    return this.#window.subarray(from - this.#windowFrom, end - this.#windowFrom);
  }
}

export function damaged({ source: { url } }: RemoteFile, reason: string, offset: number): HmapError {
  return new HmapError('HMAP_DAMAGED', `${url}: the file is damaged: ${reason}`, { path: url, reason, offset });
}
