// A patch: what `hmap diff` writes and `hmap merge` applies. One JSON object a line: first the types, then what is added,
// changed and removed, and last how many lines these are, so that a patch that was cut short is none. Knows its lines;
// does not know files.

import type { HashHeader, KeyType } from '../../src/index.js';
import { type BuildValueType, type ByteSlice, checkValueType } from '../../src/internal.js';
import type { Output } from '../terminal/output.js';
import type { EntrySink } from './entry-sink.js';
import { ExactJson } from './exact-json.js';
import { eachObject } from './jsonl.js';
import { type JsonRecord, RecordTaker } from './records.js';
import { jsonKeyPrinter, jsonPrinter } from './text.js';

/** What the first line begins with; the number is the version. */
export const PATCH_START = '{"hmapPatch":1,';

/** The types of a patch's keys and values. */
export interface PatchTypes {
  readonly keyType: KeyType;
  readonly valueType: BuildValueType;
}

export type PatchOp = 'add' | 'change' | 'remove';

/** The types of patches for a table. */
export function patchTypes({ keyType, valueType, narrowed }: HashHeader): PatchTypes {
  return { keyType, valueType: narrowed ? 'uint' : valueType };
}

export class PatchWriter {
  readonly #out: Output;
  readonly #printKey: ReturnType<typeof jsonKeyPrinter>;
  readonly #print: ReturnType<typeof jsonPrinter>;
  readonly #isSet: boolean;
  #lines = 0;

  /** @param header of the table that the patch leads to */
  constructor(header: HashHeader, out: Output) {
    const { keyType, valueType } = patchTypes(header);
    this.#out = out;
    this.#printKey = jsonKeyPrinter(header.keyType);
    this.#print = jsonPrinter(header.valueType);
    this.#isSet = header.valueType === 'none';
    out.text(`${PATCH_START}"key":${JSON.stringify(keyType)},"value":${JSON.stringify(valueType)}}\n`);
  }

  /** Writes the last line. */
  end(): void {
    this.#out.text(`{"op":"end","lines":${this.#lines}}\n`);
  }

  /** @param value nothing of a key that is removed */
  line(op: PatchOp, key: ByteSlice, value: ByteSlice | undefined): void {
    const out = this.#out;
    this.#lines++;
    out.ascii(`{"op":"${op}","key":`);
    this.#printKey(key.buffer, key.at, key.length, out);
    if (value !== undefined && !this.#isSet) {
      out.ascii(',"value":');
      this.#print(value.buffer, value.at, value.length, out);
    }
    out.ascii('}\n');
  }
}

/**
 * The types that the first line of a patch names.
 * @param name of the patch, for messages
 * @param line its first line
 * @throws {TypeError} if it is none
 */
export function parsePatchTypes(name: string, line: string): PatchTypes {
  let first: { hmapPatch?: unknown; key?: unknown; value?: unknown } = {};
  try {
    first = JSON.parse(line.replace(/^\ufeff/, ''));
  } catch {
    // Said below.
  }
  const { hmapPatch, key, value } = first;
  if (typeof hmapPatch === 'number' && hmapPatch !== 1) {
    throw new TypeError(`${name}: expected a patch of version 1, got version ${hmapPatch}`);
  }
  if (hmapPatch !== 1 || typeof key !== 'string' || typeof value !== 'string') {
    throw new TypeError(
      `${name}: expected a patch, whose first line is like ${PATCH_START}"key":"bytes","value":"u32"}`,
    );
  }
  return { keyType: key as KeyType, valueType: checkValueType(value as BuildValueType) };
}

/**
 * Reads the lines of a patch.
 * @param changes takes what is added and changed
 * @param removals takes keys that are removed
 */
export async function readPatch(
  pieces: AsyncIterable<Uint8Array>,
  changes: EntrySink,
  removals: EntrySink,
): Promise<void> {
  let lines = 0;
  let end: number | undefined;
  const names = { key: 'key', value: 'value' };
  const options = { key: undefined, value: undefined, headerRow: undefined };
  const takers = {
    change: new RecordTaker(changes, options, 'patch', names),
    remove: new RecordTaker(removals, options, 'patch', { key: 'key' }),
  };
  await eachObject(pieces, changes, ({ op, ...record }, line, text) => {
    if (line === 1) return;
    if (end !== undefined) throw changes.malformed(line, 'expected nothing after the line with "op":"end"');
    if (op === 'end') {
      if (typeof record.lines !== 'number') {
        throw changes.malformed(line, `expected "lines" to be a number, got ${JSON.stringify(record.lines)}`);
      }
      end = record.lines;
      if (end !== lines) throw changes.malformed(line, `expected ${end} lines before it, got ${lines}`);
      return;
    }
    lines++;
    if (op !== 'add' && op !== 'change' && op !== 'remove') {
      throw changes.malformed(line, `expected "op" to be "add", "change" or "remove", got ${JSON.stringify(op)}`);
    }
    // Said here, since the readers of inputs name options that a merge has not.
    if (record.key === undefined) throw changes.malformed(line, 'the member "key" is missing');
    const taker = op === 'remove' ? takers.remove : takers.change;
    const exact = taker.isExact ? ExactJson.parse(text) : undefined;
    taker.take(record, (exact?.value ?? record) as JsonRecord, exact, line);
  });
  if (end !== undefined) return;
  throw changes.malformed(lines + 2, `expected a last line {"op":"end","lines":${lines}}; the patch was cut short`);
}
