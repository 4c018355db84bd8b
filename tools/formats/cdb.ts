// `cdb`: the input of cdbmake and `cdb -c`: `+klen,dlen:key->data` and a line end for each entry, and an empty line
// after the last.

import { ByteBuffer, MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../../src/internal.js';
import { Output } from '../terminal/output.js';
import type { EntrySink } from './entry-sink.js';
import type { MakeWriter, ReadEntries } from './format.js';
import { keyPrinter, textPrinter } from './text.js';

const LF = 0x0a;
/** `+65535,1073741824:` and some. */
const LONGEST_HEAD = 32;

const readCdb: ReadEntries = async (pieces, sink) => {
  const reader = new CdbReader(sink);
  for await (const piece of pieces) {
    reader.take(piece);
    const waiting = sink.pause();
    if (waiting !== undefined) await waiting;
  }
  reader.end();
};

/** Reads records one after the other. Line numbers count records, since data may hold line ends. */
class CdbReader {
  readonly #sink: EntrySink;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes that must be there before it is worth looking again. */
  #needed = 1;
  #pieces: Uint8Array[] = [];
  #waiting = 0;
  #record = 0;
  #ended = false;

  constructor(sink: EntrySink) {
    this.#sink = sink;
  }

  take(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#waiting += piece.length;
    if (this.#rest.length + this.#waiting < this.#needed) return;
    const buffer = new ByteBuffer(
      this.#pieces.length === 1 && this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, ...this.#pieces]),
    );
    this.#pieces = [];
    this.#waiting = 0;
    const at = this.#records(buffer);
    this.#rest = Buffer.from(buffer.bytes.subarray(at));
  }

  end(): void {
    if (this.#ended) return;
    throw this.#malformed('the input ends without the empty line that closes it');
  }

  /** Takes all whole records and returns where the first that is not whole begins. */
  #records(buffer: ByteBuffer): number {
    const { bytes } = buffer;
    let at = 0;
    while (at < bytes.length) {
      if (this.#ended) throw this.#malformed('there is more after the empty line that closes the input');
      if (bytes[at] === LF) {
        this.#ended = true;
        at++;
        continue;
      }
      const next = this.#one(buffer, at);
      if (next < 0) return at;
      at = next;
    }
    this.#needed = 1;
    return at;
  }

  /** Takes the record at `at` and returns where the next begins, or -1 if the record is not whole. */
  #one(buffer: ByteBuffer, at: number): number {
    const { bytes } = buffer;
    const head = bytes.toString('latin1', at, Math.min(at + LONGEST_HEAD, bytes.length));
    const match = /^\+(\d{1,10}),(\d{1,10}):/.exec(head);
    if (match === null) {
      if (head.length < LONGEST_HEAD && /^\+\d{0,10}(,\d{0,10})?$/.test(head)) {
        this.#needed = bytes.length - at + 1;
        return -1;
      }
      throw this.#malformed('expected +klen,dlen:key->data');
    }
    const keyBytes = Number(match[1]);
    const dataBytes = Number(match[2]);
    // Two hexadecimal digits stand for a byte.
    const longest = this.#sink.keyType === 'hex' ? 2 * MAX_KEY_BYTES : MAX_KEY_BYTES;
    if (keyBytes > longest) throw this.#malformed(`the key has ${keyBytes} bytes, the maximum is ${longest}`);
    if (dataBytes > MAX_VALUE_BYTES)
      throw this.#malformed(`the data has ${dataBytes} bytes, the maximum is ${MAX_VALUE_BYTES}`);
    const keyAt = at + match[0].length;
    const keyEnd = keyAt + keyBytes;
    const dataAt = keyEnd + 2;
    const end = dataAt + dataBytes;
    if (end + 1 > bytes.length) {
      this.#needed = end + 1 - at;
      return -1;
    }
    if (bytes[keyEnd] !== 0x2d || bytes[keyEnd + 1] !== 0x3e) throw this.#malformed('expected -> between key and data');
    if (bytes[end] !== LF) throw this.#malformed('expected a line end after the data');
    this.#sink.text(buffer, keyAt, keyEnd, buffer, dataAt, end, ++this.#record);
    return end + 1;
  }

  #malformed(what: string): Error {
    return this.#sink.malformed(this.#record + 1, `${what} (numbered by record)`);
  }
}

const cdbWriter: MakeWriter = (header) => {
  const printKey = keyPrinter(header.keyType);
  const print = textPrinter(header.valueType);
  const name = new Output();
  const data = new Output();
  return {
    entry(key, value, out) {
      data.clear();
      print(value.buffer, value.at, value.length, data);
      name.clear();
      printKey(key.buffer, key.at, key.length, name);
      out.ascii('+');
      out.integer(name.length);
      out.ascii(',');
      out.integer(data.length);
      out.ascii(':');
      out.append(name);
      out.ascii('->');
      out.append(data);
      out.byte(LF);
    },
    end: (out) => out.byte(LF),
  };
};

export const cdb = { read: readCdb, writer: cdbWriter };
