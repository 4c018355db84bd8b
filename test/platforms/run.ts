// Tries the package on platforms: `node dist/test/platforms/run.js` all of them, with names those rows or groups.
// `--write` puts the table into native-notes/platforms.md. Ends with a line `N passed, N failed`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../support/root.js';
import { ROWS } from './all.js';
import { stopRegistry } from './managers.js';
import { removeAll } from './place.js';
import type { Row } from './rows.js';
import type { Found } from './smoke.js';
import { page, type Tried } from './table.js';

/** What is wrong with what a row's program found. */
function verdict(row: Row, found: Found): string | undefined {
  if (found.failed.length > 0) return found.failed.map(({ name, message }) => `${name}: ${message}`).join('; ');
  if (!row.mapping.includes(found.mapping)) return `the mapping is ${found.mapping}: ${found.reason ?? ''}`;
  return undefined;
}

async function attempt(row: Row): Promise<Tried> {
  const start = Date.now();
  let tried: Tried;
  try {
    const found = await row.try();
    const wrong = verdict(row, found);
    tried = { row, found, ...(wrong !== undefined && { wrong }) };
  } catch (error) {
    tried = { row, wrong: (error as Error).message };
  }
  const { found, wrong } = tried;
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  const text = wrong === undefined ? `${found!.mapping}, ${found!.passed} checks` : `FAILED: ${wrong}`;
  console.log(`${row.name.padEnd(20)} ${row.system}, ${row.runtime}, ${row.by}: ${text} (${seconds} s)`);
  return tried;
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const wanted = args.filter((arg) => !arg.startsWith('--'));
  const rows = ROWS.filter(({ name, group }) => wanted.length === 0 || wanted.includes(name) || wanted.includes(group));
  if (rows.length === 0) throw new Error(`no row is named so; there are ${ROWS.map(({ name }) => name).join(', ')}`);
  const isWriting = args.includes('--write');
  if (isWriting && rows.length < ROWS.length) throw new Error('--write needs all rows');
  const tried: Tried[] = [];
  try {
    for (const row of rows) tried.push(await attempt(row));
  } finally {
    stopRegistry();
    removeAll();
  }
  if (isWriting) writeFileSync(join(PACKAGE_ROOT, 'native-notes/platforms.md'), page(tried));
  const failed = tried.filter(({ wrong }) => wrong !== undefined).length;
  console.log(`${tried.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
