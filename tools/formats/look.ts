// What an input is, by its first bytes. Knows how each format begins; reads none.

import { isUtf8 } from 'node:buffer';
import { evenDelimiter } from './delimiters.js';
import type { InputName } from './format.js';
import { JsonSplitter, pathOf } from './json-splitter.js';

const CDB_TABLES = 2048;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const QUOTE = 0x22;
/** What a value may begin with in JSON. */
const JSON_ARRAY = /^\[\s*(?:["{[\]\d-]|true|false|null)/;
const JSON_OBJECT = /^\{\s*(?:"|\})/;

/**
 * The format that an input seems to have; `undefined` if it is empty, or no text that is known.
 * @param head its first bytes, of which the last line may be cut
 * @param isWhole whether that is all of it
 */
export function formatByLook(head: Buffer, isWhole: boolean): InputName | undefined {
  const start = head.toString('latin1', 0, 16);
  if (start.startsWith('PAR1')) return 'parquet';
  if (start.startsWith('SQLite format 3\0')) return 'sqlite';
  if (isCdb(head)) return 'cdb-binary';
  if (/^\+\d{1,10},\d{1,10}:/.test(head.toString('latin1', 0, 24))) return 'cdb';
  const text = textOf(head, isWhole);
  if (text === undefined || text.trim() === '') return undefined;
  const json = jsonForm(text);
  if (json !== undefined) return json;
  const delimiter = evenDelimiter(text, isWhole, '#');
  return delimiter === undefined ? 'lines' : delimiter === '\t' ? 'tsv' : 'csv';
}

/** A cdb begins with the positions and lengths of its 256 tables, each of which starts where the one before it ends. */
export function isCdb(start: Buffer): boolean {
  if (start.length < CDB_TABLES || start.readUInt32LE(0) < CDB_TABLES) return false;
  for (let i = 8; i < CDB_TABLES; i += 8) {
    if (start.readUInt32LE(i) !== start.readUInt32LE(i - 8) + 8 * start.readUInt32LE(i - 4)) return false;
  }
  return true;
}

/** The whole lines of a text; all of it if it has one line. */
function textOf(head: Buffer, isWhole: boolean): string | undefined {
  const end = head.lastIndexOf(0x0a);
  const whole = isWhole || end < 0 ? head : head.subarray(0, end + 1);
  if (whole.includes(0) || (isWhole && !isUtf8(whole))) return undefined;
  return whole.toString().replace(/^\ufeff/, '');
}

/** One JSON text, or one a line. */
export function jsonForm(text: string): 'json' | 'jsonl' | undefined {
  const trimmed = text.trimStart();
  if (JSON_ARRAY.test(trimmed)) return 'json';
  if (!JSON_OBJECT.test(trimmed)) return undefined;
  const [first, ...others] = trimmed.split('\n').filter((line) => line.trim() !== '');
  const record = objectOf(first!);
  if (record === undefined) return 'json';
  if (others.length > 0) return others[0]!.trimStart().startsWith('{') ? 'jsonl' : 'json';
  const names = Object.keys(record);
  return names.includes('key') && names.every((name) => name === 'key' || name === 'value') ? 'jsonl' : 'json';
}

function objectOf(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the part of a JSON text that a path leads to is an array of strings or numbers: keys alone. */
export function holdsKeys(head: Buffer, at: string | undefined): boolean {
  let first = 0;
  const seen = new Error('seen');
  const splitter = new JsonSplitter(
    pathOf(at),
    ({ bytes }, nameAt, _nameEnd, from) => {
      first = nameAt < 0 ? bytes[from]! : 0;
      throw seen;
    },
    () => seen,
  );
  try {
    splitter.take(head.subarray(head.toString('latin1', 0, 3) === '\xef\xbb\xbf' ? 3 : 0));
  } catch {
    // Seen, or no JSON, which whoever reads it reports.
  }
  return first === QUOTE || (first !== 0 && first !== OPEN_ARRAY && first !== OPEN_OBJECT);
}
