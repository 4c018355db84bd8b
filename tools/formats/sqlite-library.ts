// SQLite by whatever is there: node:sqlite, or better-sqlite3 where the user has installed it. Knows what both have in
// common.

import { HmapError } from '../../src/index.js';
import { loadOptional } from './optional.js';

/** What both libraries have. */
export interface Statement {
  run(...values: unknown[]): unknown;
  all(...values: unknown[]): Record<string, unknown>[];
  iterate?(): IterableIterator<Record<string, unknown> | unknown[]>;
  /** Rows as arrays, which take a third of the time: in Node from version 24 on. */
  setReturnArrays?(isOn: boolean): void;
  raw?(isOn: boolean): unknown;
  columns?(): { name: string; type: string | null }[];
  setReadBigInts?(isOn: boolean): void;
  safeIntegers?(isOn: boolean): void;
}

export interface Database {
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  close(): void;
}

/**
 * Opens a database, with what is there.
 * @param mode to read one that is there, or to make one
 */
export async function openDatabase(path: string, mode: 'read' | 'write'): Promise<Database> {
  const own = await loadOwn();
  try {
    if (own !== undefined) return new own.DatabaseSync(path, { readOnly: mode === 'read' });
    const what = 'SQLite on this version of Node (22.13 and later have it themselves)';
    const { default: BetterSqlite } = await loadOptional<BetterSqlite>('better-sqlite3', what);
    return new BetterSqlite(path, { readonly: mode === 'read', fileMustExist: mode === 'read' });
  } catch (error) {
    throw explained(error, path);
  }
}

interface OwnSqlite {
  readonly DatabaseSync: new (path: string, options: { readOnly: boolean }) => Database;
}

interface BetterSqlite {
  readonly default: new (path: string, options: { readonly: boolean; fileMustExist: boolean }) => Database;
}

/** Node's own, which warns that it is experimental; `undefined` where there is none. */
async function loadOwn(): Promise<OwnSqlite | undefined> {
  const { emitWarning } = process;
  // Users of this program cannot do anything about it.
  process.emitWarning = () => {};
  try {
    return (await import('node:sqlite' as string)) as OwnSqlite;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** An error of SQLite's, with the file. */
export function explained(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof HmapError || !/SQL/.test((error as { code?: string }).code ?? '')) {
    return error;
  }
  return new HmapError('HMAP_INPUT', `${path}: SQLite: ${error.message}`, { path, cause: error });
}
