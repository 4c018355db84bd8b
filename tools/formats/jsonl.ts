// `jsonl`: one JSON object a line, `{"key": ..., "value": ...}`. Bytes that are not UTF-8 are `{"base64": "..."}`.

import { isUtf8 } from 'node:buffer';
import { ByteBuffer } from '../../src/internal.js';
import type { EntrySink } from './entry-sink.js';
import { ExactJson } from './exact-json.js';
import type { MakeWriter, ReadEntries } from './format.js';
import { eachLine, LONGEST_TEXT } from './lines-reader.js';
import { bytesFromJson, jsonKeyPrinter, jsonPrinter, keyFromJson, valueFromJson } from './text.js';

/** Gives the object of each line that is not empty. */
export function eachObject(
  pieces: AsyncIterable<Uint8Array>,
  sink: EntrySink,
  take: (record: Record<string, unknown>, line: number, text: string) => void,
): Promise<void> {
  return eachLine(pieces, sink, LONGEST_TEXT, (buffer, start, end, line) => {
    const text = buffer.bytes.toString('utf8', start, end);
    if (text.trim() === '') return;
    if (!isUtf8(buffer.bytes.subarray(start, end))) throw sink.malformed(line, 'not valid UTF-8');
    let record: unknown;
    try {
      record = JSON.parse(text);
    } catch (error) {
      throw sink.malformed(line, `not valid JSON: ${(error as Error).message}`);
    }
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw sink.malformed(line, 'expected a JSON object');
    }
    take(record as Record<string, unknown>, line, text);
  });
}

const readJsonl: ReadEntries = (pieces, sink, columns) => {
  const keyName = columns.key ?? 'key';
  const valueName = columns.value ?? 'value';
  const isBig = sink.valueType === 'u64' || sink.valueType === 'i64';
  // Nothing else can hold integers that JavaScript would round.
  const isExact = isBig || sink.valueType === 'json' || sink.keyType !== 'bytes';
  return eachObject(pieces, sink, (record, line, text) => {
    const { [keyName]: keyJson, [valueName]: valueJson } = record;
    const exact = isExact ? ExactJson.parse(text) : undefined;
    const { [keyName]: exactKey, [valueName]: exactValue } = (exact?.value ?? record) as Record<string, unknown>;
    const isBytes = sink.keyType === 'bytes';
    const key = isBytes ? bytesFromJson(keyJson) : keyFromJson(exact?.integerOf(exactKey) ?? keyJson);
    if (key === undefined) throw sink.malformed(line, wrongKey(keyName, keyJson, isBytes));
    if (valueJson === undefined && sink.valueType !== 'none') throw sink.malformed(line, missing(valueName));
    if (exact !== undefined && sink.valueType === 'json') {
      sink.exact(new ByteBuffer(key), exact, exactValue, line);
      return;
    }
    const json = (isBig && exact?.integerOf(exactValue)) || valueJson;
    sink.value(new ByteBuffer(key), () => valueFromJson(sink.valueType, json), line);
  });
};

function isHalved(value: unknown): boolean {
  return typeof value === 'string' && !value.isWellFormed();
}

function missing(name: string): string {
  return `the member "${name}" is missing`;
}

function wrongKey(name: string, key: unknown, isBytes: boolean): string {
  if (key === undefined) return missing(name);
  if (isHalved(key)) return `the member "${name}" has an unpaired surrogate, which has no UTF-8; use {"base64": "..."}`;
  const expected = isBytes ? 'a string or {"base64": "..."}' : 'a string, or an integer';
  const hint = isBytes && typeof key === 'number' ? '; for numbers as keys choose --key u32, u64 or i64' : '';
  return `expected the member "${name}" to be ${expected}${hint}`;
}

const jsonlWriter: MakeWriter = (header) => {
  const printKey = jsonKeyPrinter(header.keyType);
  const print = jsonPrinter(header.valueType);
  const isSet = header.valueType === 'none';
  return {
    entry(key, value, out) {
      out.ascii('{"key":');
      printKey(key.buffer, key.at, key.length, out);
      if (!isSet) {
        out.ascii(',"value":');
        print(value.buffer, value.at, value.length, out);
      }
      out.ascii('}\n');
    },
  };
};

export const jsonl = { read: readJsonl, writer: jsonlWriter };
