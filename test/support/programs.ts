// Real programs that tests hand tables to. Knows where they are, and what of Node they need.

import { execFileSync, spawnSync } from 'node:child_process';

const has = (program: string, ...args: string[]) => spawnSync(program, args).error === undefined;

/** Why a test with a program is skipped; `false` if it is there. */
export const NO_SQLITE3 = has('sqlite3', '--version') ? false : 'sqlite3 is not installed';
export const NO_CDB = has('cdb', '-h') ? false : 'tinycdb is not installed';
export const NO_REDIS =
  has('redis-server', '--version') && has('redis-cli', '--version') ? false : 'redis-server is not installed';

export const NO_NGINX = has('nginx', '-v') ? false : 'nginx is not installed';

/** Whether the program reads SQLite by what Node has. */
const hasOwnSqlite = spawnSync(process.execPath, ['-e', "require('node:sqlite')"]).status === 0;
/** A folder with better-sqlite3 in its node_modules; .ci/run makes one. */
export const BETTER_SQLITE: string | undefined = process.env.HMAP_TEST_BETTER_SQLITE;
export const NO_SQLITE =
  hasOwnSqlite || BETTER_SQLITE !== undefined ? false : 'this Node has no node:sqlite, and there is no better-sqlite3';
/** Where the program finds what it needs for SQLite. */
export const SQLITE_CWD: { cwd?: string } = hasOwnSqlite || BETTER_SQLITE === undefined ? {} : { cwd: BETTER_SQLITE };

/** Runs sqlite3 over a database, and returns what it prints. */
export function sqlite3(database: string, sql: string): string {
  return execFileSync('sqlite3', ['-bail', database], { input: sql, encoding: 'utf8', maxBuffer: 2 ** 28 });
}
