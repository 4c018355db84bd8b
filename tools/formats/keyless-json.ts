// Reads lists and sets of integers from JSON Lines, and from JSON arrays. Knows elements; does not know where they go.

import { isUtf8 } from 'node:buffer';
import type { ListType, ValueType } from '../../src/index.js';
import { ByteBuffer, packedInteger } from '../../src/internal.js';
import type { ReadEntries } from './format.js';
import { eachItem } from './json.js';
import { eachObject } from './jsonl.js';
import { integerOrSame, type KeylessEntrySink } from './keyless-sink.js';
import { bytesFromJson, valueFromJson } from './text.js';

const NO_KEY = new ByteBuffer(0);

export const jsonl: ReadEntries = (pieces, anySink, columns) => {
  const sink = anySink as KeylessEntrySink;
  const [keyName, valueName] = [columns.key ?? 'key', columns.value ?? 'value'];
  return eachObject(pieces, sink, (record, line) => {
    const { [keyName]: key, [valueName]: value } = record;
    if (sink.isSet) {
      sink.value(NO_KEY, () => integerOrSame(key), line);
      return;
    }
    if (key !== undefined) sink.index(key, line);
    sink.value(NO_KEY, () => elementFromJson(sink.elementType as ListType, value), line);
  });
};

function elementFromJson(type: ListType, value: unknown): unknown {
  if (packedInteger(type) !== undefined) return integerOrSame(value);
  return type === 'bytes' ? (bytesFromJson(value) ?? value) : valueFromJson(type as ValueType, value);
}

/** Elements of an array; of one of objects, the member that was chosen. */
export const json: ReadEntries = (pieces, anySink, { at, key, value }) => {
  const sink = anySink as KeylessEntrySink;
  const name = sink.isSet ? key : value;
  sink.tell(name === undefined ? 'json, an array' : `json, an array: the member \`${name}\` of each element`);
  return eachItem(pieces, sink, at, (buffer, nameAt, _nameEnd, start, end, line) => {
    if (nameAt >= 0) throw sink.malformed(line, 'expected an array: lists and sets of integers have no keys');
    const element = parsed(sink, buffer, start, end, line);
    const chosen = name === undefined ? element : memberOf(element, name);
    if ((chosen === null || chosen === undefined) && sink.missing(NO_KEY, 0, 0, line)) return;
    const make = () => (sink.isSet ? integerOrSame(chosen) : elementFromJson(sink.elementType as ListType, chosen));
    sink.value(NO_KEY, make, line);
  });
};

function parsed(sink: KeylessEntrySink, { bytes }: ByteBuffer, at: number, end: number, line: number): unknown {
  if (!isUtf8(bytes.subarray(at, end))) throw sink.malformed(line, 'not valid UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8', at, end));
  } catch (error) {
    throw sink.malformed(line, `not valid JSON: ${(error as Error).message}`);
  }
}

function memberOf(element: unknown, name: string): unknown {
  if (typeof element !== 'object' || element === null) return undefined;
  const member = Array.isArray(element) ? String(Number(name) - 1) : name;
  return Object.hasOwn(element, member) ? (element as Record<string, unknown>)[member] : undefined;
}
