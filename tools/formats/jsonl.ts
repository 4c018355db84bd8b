// `jsonl`: one JSON object a line, `{"key": ..., "value": ...}`. Bytes that are not UTF-8 are `{"base64": "..."}`.

import { isUtf8 } from 'node:buffer';
import type { EntrySink } from './entry-sink.js';
import { ExactJson } from './exact-json.js';
import type { MakeWriter, ReadEntries } from './format.js';
import { eachLine, LONGEST_TEXT } from './lines-reader.js';
import { type JsonRecord, RecordTaker } from './records.js';
import { jsonKeyPrinter, jsonPrinter } from './text.js';

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

const readJsonl: ReadEntries = (pieces, sink, options) => {
  const taker = new RecordTaker(sink, options, 'jsonl', { key: 'key', value: 'value' });
  return eachObject(pieces, sink, (record, line, text) => {
    const exact = taker.isExact ? ExactJson.parse(text) : undefined;
    taker.take(record, (exact?.value ?? record) as JsonRecord, exact, line);
  });
};

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
