// `jsonl`: one JSON object a line, `{"key": ..., "value": ...}`. Bytes that are not UTF-8 are `{"base64": "..."}`.

import { isUtf8 } from 'node:buffer';
import { ByteBuffer, ValueError } from '../../src/internal.js';
import type { EntrySink } from './entry-sink.js';
import type { MakeWriter, ReadEntries } from './format.js';
import { eachLine, LONGEST_TEXT } from './lines-reader.js';
import { bytesFromJson, jsonKeyPrinter, jsonPrinter, keyFromJson, valueFromJson } from './text.js';

/** Gives the object of each line that is not empty. */
export function eachObject(
  pieces: AsyncIterable<Uint8Array>,
  sink: EntrySink,
  take: (record: Record<string, unknown>, line: number) => void,
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
    take(record as Record<string, unknown>, line);
  });
}

const readJsonl: ReadEntries = (pieces, sink, columns) => {
  const keyName = columns.key ?? 'key';
  const valueName = columns.value ?? 'value';
  return eachObject(pieces, sink, (record, line) => {
    const { [keyName]: keyJson, [valueName]: valueJson } = record;
    const isBytes = sink.keyType === 'bytes';
    const key = isBytes ? bytesFromJson(keyJson) : keyFromJson(keyJson);
    if (key === undefined) {
      const expected = isBytes ? 'a string or {"base64": "..."}' : 'a string, or an integer below 2^53';
      throw sink.malformed(line, `expected the member "${keyName}" to be ${expected}`);
    }
    let value: unknown;
    try {
      value = valueFromJson(sink.valueType, valueJson);
    } catch (error) {
      throw error instanceof ValueError ? error.forKey(key, line) : error;
    }
    sink.value(new ByteBuffer(key), value, line);
  });
};

const jsonlWriter: MakeWriter = (header) => {
  const printKey = jsonKeyPrinter(header.keyType);
  const print = jsonPrinter(header.valueType);
  const isSet = header.valueType === 'none';
  return {
    entry(key, value, out) {
      out.latin1('{"key":');
      printKey(key.buffer, key.at, key.length, out);
      if (!isSet) {
        out.latin1(',"value":');
        print(value.buffer, value.at, value.length, out);
      }
      out.latin1('}\n');
    },
  };
};

export const jsonl = { read: readJsonl, writer: jsonlWriter };
