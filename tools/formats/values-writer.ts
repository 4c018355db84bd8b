// Writes the values of a table, without keys. Knows how each format has one thing a line.

import { HmapError, type StoredType } from '../../src/index.js';
import { Output } from '../terminal/output.js';
import { csvRow } from './csv.js';
import type { EntryWriter, OutputName } from './format.js';
import { notRepresentable, obstacleIn } from './line-guard.js';
import { jsonPrinter, textPrinter } from './text.js';

const WRITTEN: readonly OutputName[] = ['tsv', 'csv', 'json', 'jsonl', 'lines'];

export function valuesWriter(valueType: StoredType, format: OutputName): EntryWriter {
  if (!WRITTEN.includes(format)) throw new TypeError(`--values-only: the format '${format}' needs keys`);
  if (valueType === 'none') {
    throw new HmapError('HMAP_NOT_REPRESENTABLE', 'this table is a set: it has no values', { actual: 'none' });
  }
  const isJson = format === 'json' || format === 'jsonl';
  const print = isJson ? jsonPrinter(valueType) : textPrinter(valueType);
  const cell = new Output(4096);
  let isFirst = true;
  return {
    entry(_key, value, out) {
      const { buffer, at, length } = value;
      if (format === 'json') out.ascii(isFirst ? '[\n' : ',\n');
      if (format === 'csv') {
        cell.clear();
        print(buffer, at, length, cell);
        out.latin1(csvRow(length, () => [cell.toLatin1()]));
      } else {
        const obstacle = isJson ? undefined : obstacleIn(value, format === 'tsv', isFirst);
        if (obstacle !== undefined) throw notRepresentable('a value', obstacle, format, 'jsonl or csv');
        print(buffer, at, length, out);
        if (format !== 'json') out.byte(0x0a);
      }
      isFirst = false;
    },
    end(out) {
      if (format === 'json') out.ascii(isFirst ? '[]\n' : '\n]\n');
    },
  };
}
