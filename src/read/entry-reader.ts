// What an iteration gives: the key and the value of the record at which a scan is. Knows how they are decoded; does not
// know where records come from.

import { isUtf8 } from 'node:buffer';
import { HmapError } from '../base/errors.js';
import { AsciiWindow, decodeText, isShortAscii, shortAscii } from '../base/text.js';
import type { ValueDecoder } from '../codec/decode-value.js';
import { showBytes } from '../codec/key-text.js';
import type { AnyKey } from '../format/key-types.js';
import type { Scan } from '../storage/scan.js';

/** Of records of at most so many bytes, a window has several. */
const CLOSE = 64;

export class EntryReader<K, V> {
  readonly #scan: Scan;
  readonly #decode: ValueDecoder<V>;
  readonly #decodeKey: ValueDecoder<AnyKey> | undefined;
  readonly #path: string;
  readonly #texts = new AsciiWindow();

  /**
   * @param decodeKey `undefined` for strings
   * @param path for messages
   */
  constructor(scan: Scan, decode: ValueDecoder<V>, decodeKey: ValueDecoder<AnyKey> | undefined, path: string) {
    this.#scan = scan;
    this.#decode = decode;
    this.#decodeKey = decodeKey;
    this.#path = path;
  }

  /** @throws {HmapError} `HMAP_KEY_NOT_UTF8` */
  key(): K {
    const { cursor, segment } = this.#scan;
    const { heap } = segment;
    const { key, keyBytes } = cursor;
    const decode = this.#decodeKey;
    if (decode !== undefined) return decode(heap, key, keyBytes) as K;
    if (isShortAscii(heap, key, keyBytes)) {
      const isClose = cursor.next - cursor.record <= CLOSE;
      return (isClose ? this.#texts.at(heap, key, keyBytes) : shortAscii(heap, key, keyBytes)) as K;
    }
    const bytes = heap.bytes.subarray(key, cursor.value);
    if (!isUtf8(bytes)) {
      const message = `the key ${showBytes(bytes)} is not valid UTF-8; open the table with { key: 'bytes' } to iterate over it`;
      throw new HmapError('HMAP_KEY_NOT_UTF8', message, { path: this.#path, key: Uint8Array.from(bytes) });
    }
    return decodeText(heap, key, keyBytes) as K;
  }

  value(): V {
    const { cursor, segment } = this.#scan;
    return this.#decode(segment.heap, cursor.value, cursor.valueBytes);
  }
}
