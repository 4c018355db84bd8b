// Makes the file of a `cdb-binary` (https://cr.yp.to/cdb/cdb.txt): records, then 256 hash tables, whose places stand at
// its start.

import { closeSync, openSync, writeSync } from 'node:fs';
import { HmapError } from '../../src/index.js';
import { type ByteSlice, systemError } from '../../src/internal.js';
import { Output } from '../terminal/output.js';

const TABLES = 256;
const HEADER = 8 * TABLES;
/** Positions have 32 bits. */
const MOST = 2 ** 32 - 1;
const PIECE = 2 ** 20;

/** Prints keys and values as they stand in the file. */
type Print = (slice: ByteSlice, out: Output) => void;

export class CdbWriter {
  readonly #fd: number;
  readonly #path: string;
  readonly #printKey: Print;
  readonly #printValue: Print;
  readonly #key = new Output(64);
  readonly #value = new Output(4096);
  readonly #piece = Buffer.allocUnsafe(PIECE);
  #used = 0;
  /** Where the next byte goes in the file. */
  #at = HEADER;
  #written = HEADER;
  /** Of each record its hash and its position. */
  #slots = new Uint32Array(2048);
  #count = 0;

  constructor(path: string, printKey: Print, printValue: Print) {
    this.#path = path;
    this.#printKey = printKey;
    this.#printValue = printValue;
    this.#fd = openSync(path, 'w');
  }

  entry(key: ByteSlice, value: ByteSlice): void {
    this.#key.clear();
    this.#value.clear();
    this.#printKey(key, this.#key);
    this.#printValue(value, this.#value);
    const name = Buffer.from(this.#key.toLatin1(), 'latin1');
    const position = this.#at;
    this.#word(name.length);
    this.#word(this.#value.length);
    this.#bytes(name);
    this.#bytes(Buffer.from(this.#value.toLatin1(), 'latin1'));
    if (this.#at > MOST) throw tooLarge();
    if (2 * this.#count === this.#slots.length) {
      const larger = new Uint32Array(2 * this.#slots.length);
      larger.set(this.#slots);
      this.#slots = larger;
    }
    this.#slots[2 * this.#count] = hashOf(name);
    this.#slots[2 * this.#count + 1] = position;
    this.#count++;
  }

  /** Writes the tables and the header, and closes the file. */
  end(): void {
    const counts = new Uint32Array(TABLES);
    for (let i = 0; i < this.#count; i++) counts[this.#slots[2 * i]! & 0xff]!++;
    const starts = new Uint32Array(TABLES + 1);
    for (let table = 0; table < TABLES; table++) starts[table + 1] = starts[table]! + counts[table]!;
    const sorted = new Uint32Array(this.#count);
    const next = starts.slice();
    for (let i = 0; i < this.#count; i++) sorted[next[this.#slots[2 * i]! & 0xff]!++] = i;
    const header = Buffer.alloc(HEADER);
    for (let table = 0; table < TABLES; table++) {
      const size = 2 * counts[table]!;
      header.writeUInt32LE(this.#at, 8 * table);
      header.writeUInt32LE(size, 8 * table + 4);
      const slots = new Uint32Array(2 * size);
      for (let i = starts[table]!; i < starts[table + 1]!; i++) {
        const hash = this.#slots[2 * sorted[i]!]!;
        let slot = (hash >>> 8) % size;
        while (slots[2 * slot + 1] !== 0) slot = (slot + 1) % size;
        slots[2 * slot] = hash;
        slots[2 * slot + 1] = this.#slots[2 * sorted[i]! + 1]!;
      }
      for (const word of slots) this.#word(word);
      if (this.#at > MOST) throw tooLarge();
    }
    this.#flush();
    this.#write(header, 0);
    closeSync(this.#fd);
  }

  /** Closes a file that stays as it is. */
  abandon(): void {
    closeSync(this.#fd);
  }

  #word(word: number): void {
    if (this.#used + 4 > PIECE) this.#flush();
    this.#piece.writeUInt32LE(word, this.#used);
    this.#used += 4;
    this.#at += 4;
  }

  #bytes(bytes: Buffer): void {
    if (this.#used + bytes.length > PIECE) this.#flush();
    if (bytes.length > PIECE) {
      this.#write(bytes, this.#written);
      this.#written += bytes.length;
    } else {
      bytes.copy(this.#piece, this.#used);
      this.#used += bytes.length;
    }
    this.#at += bytes.length;
  }

  #flush(): void {
    this.#write(this.#piece.subarray(0, this.#used), this.#written);
    this.#written += this.#used;
    this.#used = 0;
  }

  #write(bytes: Uint8Array, position: number): void {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
      }
    } catch (error) {
      throw systemError(error, 'write', this.#path);
    }
  }
}

function hashOf(key: Uint8Array): number {
  let hash = 5381;
  for (const byte of key) hash = ((((hash << 5) + hash) | 0) ^ byte) | 0;
  return hash >>> 0;
}

function tooLarge(): HmapError {
  return new HmapError('HMAP_NOT_REPRESENTABLE', 'a cdb has at most 4 GiB, which these entries pass; use jsonl');
}
