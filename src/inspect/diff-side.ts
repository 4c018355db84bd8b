// One of two files that are compared by looking up what one has in the other, whatever their layouts, key types and
// seeds. Knows keys as text, in which all types can be compared; does not know what is done with a difference.

import { ByteBuffer, type ByteSlice } from '../base/bytes.js';
import { keyFromText } from '../codec/key-text.js';
import { scratch } from '../codec/keys.js';
import { KEY_DECODERS, KEY_HASHERS } from '../codec/typed-keys.js';
import type { KeyType } from '../format/key-types.js';
import { BitArray } from '../read/bit-array.js';
import { List } from '../read/list.js';
import { open } from '../read/open.js';
import type { Table } from '../read/table.js';
import type { OpenFile } from '../storage/open-file.js';
import { isNumeric, NumberSlice } from './same-value.js';
import { type ElementScan, type EntryScan, scanFile } from './scan-file.js';

/** An entry of one file. Valid until the next one. */
export interface Place {
  readonly key: ByteSlice;
  readonly index: number;
  readonly value: ByteSlice;
  /** What the other file is asked for: the key's bytes where both have one type of keys, otherwise its text. */
  readonly question: Uint8Array | string;
}

const NOTHING: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };

export class Side {
  readonly #path: string;
  readonly #keyType: KeyType;
  readonly #file: Table<unknown, Uint8Array> | List | BitArray;
  /** Whether questions are the bytes of keys. */
  readonly #areBytes: boolean;
  readonly #isNumeric: boolean;
  readonly #number = new NumberSlice();

  constructor({ path, header }: OpenFile, check: 'header' | 'touch', areBytes: boolean) {
    const { layout } = header;
    this.#path = path;
    this.#keyType = header.keyType;
    this.#areBytes = areBytes;
    this.#isNumeric = isNumeric(header);
    this.#file =
      layout === 'hash'
        ? open(path, { key: 'bytes', check })
        : layout === 'list'
          ? open(path, { layout, check })
          : open(path, { layout, check });
  }

  close(): void {
    this.#file.close();
  }

  /** Hands over each entry, in the order of the file. */
  each(check: 'header' | 'touch', take: (place: Place) => Promise<void>): Promise<void> {
    return scanFile(this.#path, check, async (scan) => {
      while (scan.step())
        await take(scan.layout === 'hash' ? this.#entry(scan as EntryScan) : this.#element(scan as ElementScan));
    });
  }

  #entry({ key, value }: EntryScan): Place {
    const { buffer, at, length } = key;
    const bytes = buffer.bytes.subarray(at, at + length);
    const type = this.#keyType;
    const text = () => (type === 'bytes' ? bytes : String(KEY_DECODERS[type](buffer, at, length)));
    return { key, index: 0, value, question: this.#areBytes ? bytes : text() };
  }

  #element({ index, number, bytes }: ElementScan): Place {
    const value = this.#isNumeric ? this.#number.set(number) : bytes;
    return { key: NOTHING, index, value, question: String(index) };
  }

  /** The value of the same key; `undefined` if there is no such key. */
  find({ question }: Place): ByteSlice | undefined {
    const file = this.#file;
    if (file instanceof BitArray) return file.has(integerOf(question)) ? NOTHING : undefined;
    if (file instanceof List) return this.#elementAt(file.get(integerOf(question)));
    const key = this.#areBytes ? (question as Uint8Array) : this.#encode(question);
    const view = key && file.getView(key);
    return view && { buffer: new ByteBuffer(view), at: 0, length: view.length };
  }

  #elementAt(value: unknown): ByteSlice | undefined {
    if (value === undefined) return undefined;
    if (typeof value === 'number') return this.#number.set(value);
    const buffer = new ByteBuffer(Buffer.from(value as string));
    return { buffer, at: 0, length: buffer.size };
  }

  /** The bytes of a key that is given as text; `undefined` if it is none of this type. */
  #encode(question: Uint8Array | string): Uint8Array | undefined {
    const type = this.#keyType;
    if (type === 'bytes') return Buffer.from(question as string);
    const text = Buffer.from(question as string).toString();
    const key = keyFromText(type, text);
    const length = key === undefined ? -1 : KEY_HASHERS[type](key, 0, 0);
    if (length < 0) return undefined;
    const bytes = Buffer.from(scratch.bytes.subarray(0, length));
    // Of several texts for a key, such as 7 and 007, only one is the key of another type.
    return String(KEY_DECODERS[type](new ByteBuffer(bytes), 0, length)) === text ? bytes : undefined;
  }
}

/** The integer that a text is; NaN for other texts. */
function integerOf(question: Uint8Array | string): number {
  const text = Buffer.from(question as string).toString('latin1');
  return /^(0|-?[1-9]\d{0,16})$/.test(text) ? Number(text) : Number.NaN;
}
