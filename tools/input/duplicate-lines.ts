// Where in its input a key occurs twice. A build does not keep lines, so the input is read again. Knows keys and lines;
// knows no formats.

import { HmapError, type KeyType } from '../../src/index.js';
import { type BuildValueType, type ByteBuffer, KEY_DECODERS, type RecordSink } from '../../src/internal.js';
import { type EntrySink, HashEntrySink } from '../formats/entry-sink.js';
import type { ReadOptions } from '../formats/read-options.js';

/** Ends the reading. */
class Found extends Error {}

/** Whether bytes of a key are those of the one that an error names. */
function comparison(keyType: KeyType, key: unknown): (found: ByteBuffer, at: number, length: number) => boolean {
  if (keyType !== 'bytes') return (found, at, length) => KEY_DECODERS[keyType](found, at, length) === key;
  const wanted = typeof key === 'string' ? Buffer.from(key) : (key as Uint8Array);
  return ({ bytes }, at, length) => Buffer.compare(bytes.subarray(at, at + length), wanted) === 0;
}

/**
 * The error for a key that occurs twice, with both lines where they can be found again, and with the option that
 * decides.
 * @param places what the numbers count
 * @param read reads the input once more into a sink; `undefined` if it cannot be read twice
 */
export async function withLines(
  error: HmapError,
  keyType: KeyType,
  valueType: BuildValueType,
  name: string,
  places: 'lines' | 'records' | 'rows',
  options: ReadOptions,
  read: ((sink: EntrySink) => Promise<void>) | undefined,
): Promise<HmapError> {
  const advice = 'remove one of them, or choose --duplicates first, last or collect';
  const lines: number[] = [];
  const isKey = comparison(keyType, error.key);
  const records: RecordSink = {
    keyType,
    valueType,
    entries: 0,
    add: (key, at, length) => {
      if (!isKey(key, at, length)) return;
      lines.push(sink.line);
      if (lines.length === 2) throw new Found();
    },
    pause: () => undefined,
  };
  const sink = new HashEntrySink(records, name, options);
  try {
    await read?.(sink);
  } catch {
    // Found, or what the input has become meanwhile.
  }
  const [first, second] = lines;
  const both = first === second ? `${places.slice(0, -1)} ${first}` : `${places} ${first} and ${second}`;
  const where = second === undefined ? '' : `, in ${both}`;
  const data = second === undefined ? {} : { line: second };
  return new HmapError(error.code, `${name}: ${error.reason}${where}; ${advice}`, {
    key: error.key!,
    ...data,
    cause: error,
  });
}
