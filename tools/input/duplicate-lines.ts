// Where in its input a key occurs twice. A build does not keep lines, so the input is read again. Knows keys and lines;
// knows no formats.

import { HmapError, type KeyType } from '../../src/index.js';
import { type BuildValueType, type ByteBuffer, KEY_DECODERS, type RecordSink } from '../../src/internal.js';
import { type EntrySink, HashEntrySink } from '../formats/entry-sink.js';

/** Ends the reading. */
class Found extends Error {}

/** Notes the lines of a key, and leaves all else out. */
class LinesOfKey extends HashEntrySink {
  readonly lines: number[];
  #line = 0;

  constructor(keyType: KeyType, valueType: BuildValueType, name: string, key: unknown) {
    const lines: number[] = [];
    const wanted = typeof key === 'string' && keyType === 'bytes' ? Buffer.from(key) : key;
    const isWanted = (found: ByteBuffer, at: number, length: number): boolean =>
      keyType === 'bytes'
        ? Buffer.compare(found.bytes.subarray(at, at + length), wanted as Uint8Array) === 0
        : KEY_DECODERS[keyType](found, at, length) === wanted;
    const sink: RecordSink = {
      keyType,
      valueType,
      entries: 0,
      add: (found, at, length) => {
        if (!isWanted(found, at, length)) return;
        lines.push(this.#line);
        if (lines.length === 2) throw new Found();
      },
      pause: () => undefined,
    };
    super(sink, name);
    this.lines = lines;
  }

  override text(...entry: Parameters<EntrySink['text']>): void {
    this.#line = entry[6];
    super.text(...entry);
  }

  override fields(...entry: Parameters<EntrySink['fields']>): void {
    this.#line = entry[4];
    super.fields(...entry);
  }

  override value(...entry: Parameters<EntrySink['value']>): void {
    this.#line = entry[2];
    super.value(...entry);
  }

  override exact(...entry: Parameters<EntrySink['exact']>): void {
    this.#line = entry[3];
    super.exact(...entry);
  }
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
  places: 'lines' | 'records',
  read: ((sink: EntrySink) => Promise<void>) | undefined,
): Promise<HmapError> {
  const advice = 'remove one of them, or choose --duplicates first or last';
  const what = error.message.slice(0, error.message.lastIndexOf('; remove'));
  const sink = new LinesOfKey(keyType, valueType, name, error.key);
  try {
    await read?.(sink);
  } catch {
    // Found, or what the input has become meanwhile.
  }
  const [first, second] = sink.lines;
  const where = second === undefined ? '' : `, in ${places} ${first} and ${second}`;
  const data = second === undefined ? {} : { line: second };
  return new HmapError(error.code, `${name}: ${what}${where}; ${advice}`, { key: error.key!, ...data, cause: error });
}
