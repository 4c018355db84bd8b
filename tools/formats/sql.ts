// `sql`: statements that make a table of SQLite, in one transaction.

import type { EntryWriter } from './format.js';
import { createTable, identifier, type SqlColumn, type SqlPlace, type SqlValue } from './sql-schema.js';

/** Rows of one statement: SQLite parses long ones slowly. */
const ROWS = 100;

/** @param columns none of which is left out */
export function sqlWriter(columns: readonly SqlColumn[], table: string): EntryWriter {
  const row = (place: SqlPlace) => `(${columns.map((column) => literal(column.of(place), column.isReal)).join(',')})`;
  let rows = 0;
  const begin = `BEGIN;\n${createTable(table, columns)};\n`;
  return {
    entry(key, value, out) {
      if (rows === 0) out.text(begin);
      out.text(rows % ROWS === 0 ? `${rows === 0 ? '' : ';\n'}INSERT INTO ${identifier(table)} VALUES\n` : ',\n');
      out.text(row({ key, value }));
      rows++;
    },
    end(out) {
      if (rows === 0) out.text(begin);
      out.text(`${rows === 0 ? '' : ';\n'}COMMIT;\n`);
    },
  };
}

function literal(value: SqlValue, isReal = false): string {
  if (typeof value === 'string') return textLiteral(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'number') return `X'${Buffer.from(value).toString('hex')}'`;
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999';
  return isReal && Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}

/** SQL has no escapes: what ends a text there, or a line of the program sqlite3, is given as bytes. */
function textLiteral(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that are meant
  if (/[\x00\r]/.test(text)) return `CAST(X'${Buffer.from(text).toString('hex')}' AS TEXT)`;
  return `'${text.replaceAll("'", "''")}'`;
}
