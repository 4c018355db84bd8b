// Makes an SQLite database with one table. Writing is node:sqlite's, or better-sqlite3's.

import { createTable, identifier, type SqlColumn, type SqlPlace } from './sql-schema.js';
import { type Database, openDatabase } from './sqlite-library.js';

export class SqliteWriter {
  readonly #database: Database;
  readonly #columns: readonly SqlColumn[];
  readonly #insert: { run(...values: unknown[]): unknown };

  private constructor(database: Database, columns: readonly SqlColumn[], table: string) {
    this.#database = database;
    this.#columns = columns;
    // Nobody else sees the file before it is whole.
    // Not off, which node:sqlite does not obey.
    database.exec('pragma journal_mode = memory; pragma synchronous = off');
    database.exec('begin');
    database.exec(createTable(table, columns));
    this.#insert = database.prepare(`insert into ${identifier(table)} values (${columns.map(() => '?').join(',')})`);
  }

  /** @param path where there is no file yet */
  static async make(path: string, columns: readonly SqlColumn[], table: string): Promise<SqliteWriter> {
    return new SqliteWriter(await openDatabase(path, 'write'), columns, table);
  }

  entry(place: SqlPlace): void {
    // An integer as a BigInt: numbers are reals there.
    const values = this.#columns.map((column) => {
      const value = column.of(place);
      return typeof value === 'number' && column.isReal !== true ? BigInt(value) : value;
    });
    this.#insert.run(...values);
  }

  end(): void {
    this.#database.exec('commit');
    this.#database.close();
  }

  /** Closes a file that stays as it is. */
  abandon(): void {
    this.#database.close();
  }
}
