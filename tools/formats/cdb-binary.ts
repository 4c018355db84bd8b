// `cdb-binary`: the file that cdbmake and `cdb -c` make (https://cr.yp.to/cdb/cdb.txt): 256 pairs of position and slots,
// then records of klen, dlen, key and data, then the tables.

import { ByteBuffer, MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../../src/internal.js';
import type { EntrySink } from './entry-sink.js';
import type { ReadInput } from './format.js';
import { isCdb } from './look.js';

const HEADER = 2048;
const LENGTHS = 8;

export const readCdbBinary: ReadInput = async (input, sink) => {
  sink.tell('a binary cdb: its keys and data');
  const reader = new BinaryCdbReader(sink);
  for await (const piece of input.pieces()) {
    reader.take(piece);
    const waiting = sink.pause();
    if (waiting !== undefined) await waiting;
  }
  reader.end();
};

class BinaryCdbReader {
  readonly #sink: EntrySink;
  #buffer = new ByteBuffer(64 * 1024);
  #used = 0;
  /** Where the first byte of the buffer is in the file. */
  #base = 0;
  /** Where the tables begin, which follow the last record; from the header. */
  #end: number | undefined;
  #tablesEnd = 0;
  #record = 0;

  constructor(sink: EntrySink) {
    this.#sink = sink;
  }

  take(piece: Uint8Array): void {
    if (this.#used + piece.length > this.#buffer.size) {
      const larger = new ByteBuffer(Math.max(this.#used + piece.length, 2 * this.#buffer.size));
      this.#buffer.bytes.copy(larger.bytes, 0, 0, this.#used);
      this.#buffer = larger;
    }
    this.#buffer.bytes.set(piece, this.#used);
    this.#used += piece.length;
    const at = this.#run();
    this.#buffer.bytes.copyWithin(0, at, this.#used);
    this.#used -= at;
    this.#base += at;
  }

  end(): void {
    if (this.#end === undefined) throw this.#malformed('not a cdb: it has no 256 tables');
    const length = this.#base + this.#used;
    if (length < this.#tablesEnd) {
      throw this.#malformed(`the file is cut short: it has ${length} bytes, its tables end at byte ${this.#tablesEnd}`);
    }
  }

  /** Takes what is whole, and returns how many bytes that are. */
  #run(): number {
    const { bytes } = this.#buffer;
    let at = 0;
    if (this.#end === undefined) {
      if (this.#used < HEADER) return 0;
      if (!isCdb(bytes.subarray(0, HEADER))) throw this.#malformed('not a cdb: its tables do not follow each other');
      this.#end = bytes.readUInt32LE(0);
      this.#tablesEnd = bytes.readUInt32LE(HEADER - 8) + 8 * bytes.readUInt32LE(HEADER - 4);
      at = HEADER;
    }
    while (this.#base + at < this.#end) {
      if (at + LENGTHS > this.#used) return at;
      const keyBytes = bytes.readUInt32LE(at);
      const dataBytes = bytes.readUInt32LE(at + 4);
      const keyAt = at + LENGTHS;
      const end = keyAt + keyBytes + dataBytes;
      if (this.#base + end > this.#end) throw this.#malformed('the record runs into the tables');
      if (keyBytes > MAX_KEY_BYTES) {
        throw this.#malformed(`the key has ${keyBytes} bytes, the maximum is ${MAX_KEY_BYTES}`);
      }
      if (dataBytes > MAX_VALUE_BYTES) {
        throw this.#malformed(`the data has ${dataBytes} bytes, the maximum is ${MAX_VALUE_BYTES}`);
      }
      if (end > this.#used) return at;
      const dataAt = keyAt + keyBytes;
      this.#sink.text(this.#buffer, keyAt, dataAt, this.#buffer, dataAt, end, ++this.#record);
      at = end;
    }
    // Of the tables nothing is needed.
    return this.#used;
  }

  #malformed(what: string): Error {
    return this.#sink.malformed(this.#record + 1, `${what} (numbered by record)`);
  }
}
