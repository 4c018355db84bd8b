// Writes lists and bit arrays in the formats that carry entries. Knows elements; files are others'.

import { HmapError, type KeylessHeader, type ListType } from '../../src/index.js';
import { type ByteSlice, packedInteger } from '../../src/internal.js';
import { Output } from '../terminal/output.js';
import { csvRow } from './csv.js';
import type { OutputName } from './format.js';
import { notRepresentable, obstacleIn } from './line-guard.js';
import { numberJson, numberText } from './numbers.js';
import { jsonPrinter, textPrinter } from './text.js';

/** What can carry elements. */
const WRITTEN: readonly OutputName[] = ['tsv', 'csv', 'json', 'jsonl', 'lines'];

/** Writes elements of one file, each with its index, or integers. */
export interface ElementWriter {
  /**
   * @param number the element, where elements are numbers
   * @param bytes where the element lies, where elements have bytes of their own
   */
  element(index: number, number: number, bytes: ByteSlice, out: Output): void;
  /** What stands after the last element. */
  end(out: Output): void;
}

export function keylessWriter(header: KeylessHeader, format: OutputName): ElementWriter {
  if (!WRITTEN.includes(format)) {
    const message = `the format '${format}' needs keys and values, but this file has the layout '${header.layout}'; use another format`;
    throw new HmapError('HMAP_NOT_REPRESENTABLE', message, { expected: 'hash', actual: header.layout });
  }
  const isSet = header.layout === 'bits';
  const print =
    header.layout === 'bits' ? () => {} : elementPrinter(header.valueType, format === 'jsonl' || format === 'json');
  const hasBytes = header.valueType === 'utf8' || header.valueType === 'bytes';
  const value = new Output();
  let first = true;
  return {
    element(index, number, bytes, out) {
      if (format === 'json') {
        out.ascii(first ? '[\n' : ',\n');
        if (isSet) out.integer(index);
        print(number, bytes, out);
      } else if (format === 'jsonl') {
        out.ascii('{"key":');
        out.integer(index);
        if (!isSet) out.ascii(',"value":');
        print(number, bytes, out);
        out.ascii('}\n');
      } else if (format === 'csv') {
        value.clear();
        print(number, bytes, value);
        const row = () => (isSet ? [String(index)] : [String(index), value.toLatin1()]);
        out.latin1(csvRow(bytes.length, row));
      } else {
        const tabs = format === 'tsv';
        if (isSet || tabs) out.integer(index);
        if (!isSet && tabs) out.ascii('\t');
        const obstacle = hasBytes ? obstacleIn(bytes, tabs, first && !tabs) : undefined;
        if (obstacle !== undefined) {
          const subject = `the ${header.valueType} value at index ${index}`;
          throw notRepresentable(subject, obstacle, format, 'jsonl or csv');
        }
        print(number, bytes, out);
        out.ascii('\n');
      }
      first = false;
    },
    end(out) {
      if (format === 'json') out.ascii(first ? '[]\n' : '\n]\n');
    },
  };
}

/** Prints an element: a number, or the bytes of one that has bytes of its own. */
export type ElementPrinter = (number: number, bytes: ByteSlice, out: Output) => void;

export function elementPrinter(type: ListType, json: boolean): ElementPrinter {
  if (type === 'utf8' || type === 'bytes') {
    const print = json ? jsonPrinter(type) : textPrinter(type);
    return (_number, { buffer, at, length }, out) => print(buffer, at, length, out);
  }
  if (packedInteger(type) !== undefined) return (number, _bytes, out) => out.integer(number);
  const text = json ? numberJson : numberText;
  return (number, _bytes, out) => out.latin1(text(number));
}
