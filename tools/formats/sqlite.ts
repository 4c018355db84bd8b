// `sqlite`: the rows of a table of an SQLite database, or of a query. Reading is node:sqlite's, or better-sqlite3's.

import { HmapError } from '../../src/index.js';
import { nearest } from '../../src/internal.js';
import type { EntrySink } from './entry-sink.js';
import type { ReadInput } from './format.js';
import type { ReadOptions } from './read-options.js';
import { identifier } from './sql-schema.js';
import { type Database, explained, openDatabase } from './sqlite-library.js';
import { chooseOf, namesRead, TypedRowTaker } from './typed-rows.js';

/** Rows between two looks at the clock. */
const STRIDE = 256;
/** What stands for bytes that are not UTF-8: different texts become one. */
const LOST = '\ufffd';

export const readSqlite: ReadInput = async (input, sink, options) => {
  if (input.path === '-') throw new TypeError('--format: an SQLite database is read from a file, not from stdin');
  const database = await openDatabase(input.path, 'read');
  try {
    await readRows(database, sink, options);
  } catch (error) {
    throw explained(error, input.path);
  } finally {
    database.close();
  }
};

/** A column of a result; whether its texts are JSON. */
interface Column {
  readonly name: string;
  readonly isJson: boolean;
}

async function readRows(database: Database, sink: EntrySink, options: ReadOptions): Promise<void> {
  const { query } = options;
  const table = query === undefined ? tableOf(database, options.table) : undefined;
  const all = table === undefined ? columnsOfQuery(database, query!) : columnsOf(database, table);
  const told = `sqlite, ${table === undefined ? 'the rows of a query' : `the table ${table}`}`;
  const names = all.map(({ name }) => name);
  const json = new Set(all.flatMap(({ isJson }, i) => (isJson ? [i] : [])));
  const chosen = chooseOf(sink, options, names);
  const needed = namesRead(chosen, names);
  if (cutsText(database)) needUncut(database, query ?? `select * from ${identifier(table!)}`, needed);
  const taker = new TypedRowTaker(sink, options, chosen, names, told, json);
  // Of a table no more is read than is needed.
  const read = table === undefined ? names : needed;
  const rows = database.prepare(query ?? `select ${read.map(identifier).join(', ')} from ${identifier(table!)}`);
  rows.setReadBigInts?.(true);
  rows.safeIntegers?.(true);
  rows.setReturnArrays?.(true);
  rows.raw?.(true);
  // Of a query columns go by their places: names may occur twice.
  const places = table === undefined ? read.map((_, i) => i) : read.map((name) => names.indexOf(name));
  const isTwice = new Set(read).size < read.length;
  const values: unknown[] = new Array(names.length).fill(undefined);
  let count = 0;
  for (const row of rows.iterate?.() ?? rows.all()) {
    if (Array.isArray(row)) for (let i = 0; i < places.length; i++) values[places[i]!] = row[i];
    else if (isTwice) throw new TypeError('--query: two columns have the same name; give them others, with `as`');
    else for (let i = 0; i < places.length; i++) values[places[i]!] = row[read[i]!];
    for (const value of values) if (typeof value === 'string' && value.includes(LOST)) throw notUtf8(sink, count + 1);
    taker.take(values, ++count);
    if (count % STRIDE === 0) {
      const waiting = sink.pause();
      if (waiting !== undefined) await waiting;
    }
  }
}

/** Columns of a query. Older versions of Node give no names but those in rows. */
function columnsOfQuery(database: Database, query: string): Column[] {
  let columns: Column[];
  try {
    columns = database.prepare(query).columns?.().map(columnOf) ?? namesInRow(database, query);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    columns = [];
  }
  if (columns.length === 0) throw new TypeError('--query: this gives no rows; expected a select');
  return columns;
}

function namesInRow(database: Database, query: string): Column[] {
  const [row] = database.prepare(`select * from (${query}) limit 1`).all();
  return Object.keys(row ?? {}).map((name) => ({ name, isJson: false }));
}

/** Whether the library ends a text at its first NUL, as node:sqlite does in Node 22. */
function cutsText(database: Database): boolean {
  return database.prepare("select 'a' || char(0) || 'b' as text").all()[0]!.text !== 'a\0b';
}

/** Makes sure that no text is cut: two keys might become one. */
function needUncut(database: Database, query: string, names: readonly string[]): void {
  const isCut = (name: string) => `typeof(${identifier(name)}) = 'text' and instr(${identifier(name)}, char(0)) > 0`;
  const sql = `select count(*) as cut from (${query}) where ${names.map((name) => `(${isCut(name)})`).join(' or ')}`;
  if (Number(database.prepare(sql).all()[0]!.cut) === 0) return;
  const advice = 'use Node 24, or --query with cast(... as blob) for these columns';
  throw new HmapError('HMAP_INPUT', `there is text with a NUL in it, which this version of Node cuts short; ${advice}`);
}

function notUtf8(sink: EntrySink, row: number): Error {
  const advice = '--query with cast(... as blob) takes its bytes as they are';
  return sink.malformed(row, `text that is not UTF-8, or has the character that stands for such; ${advice}`);
}

/** The table that was named, or the only one. */
function tableOf(database: Database, named: string | undefined): string {
  const sql =
    "select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\'";
  const names = database
    .prepare(sql)
    .all()
    .map(({ name }) => String(name));
  if (named !== undefined && names.includes(named)) return named;
  const all = names.length === 0 ? 'there are none' : `the tables are ${names.join(', ')}`;
  if (named !== undefined) {
    const near = nearest(named, names);
    throw new TypeError(
      `--table: there is no table '${named}'; ${near === undefined ? all : `did you mean '${near}'?`}`,
    );
  }
  if (names.length === 1) return names[0]!;
  throw new TypeError(`--table: choose a table, or --query; ${all}`);
}

function columnsOf(database: Database, table: string): Column[] {
  return database
    .prepare('select name, type from pragma_table_xinfo(?) where hidden <> 1')
    .all(table)
    .map((row) => columnOf(row as { name: string; type: string }));
}

function columnOf({ name, type }: { name: string; type: string | null }): Column {
  return { name, isJson: /\bjson\b/i.test(type ?? '') };
}
