// Runs the tests: `npm test` all of them, `npm test -- read` those of one folder, `npm test -- build/duplicate` those
// whose path begins so, `npm test -- --fast` all that take no long time. Exists because `node --test` takes no glob on
// Node 20 and no folder on Node 24.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = dirname(fileURLToPath(import.meta.url));

/** Left out by `--fast`: many processes, minutes of damage, packages. */
const SLOW = [
  'system/',
  'hostile/',
  'package/install',
  'package/types',
  'build/changing-input',
  'build/killed',
  'build/refusing-disk',
  'verify/every-byte',
];

const args = process.argv.slice(2);
const fast = args.includes('--fast');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const unknown = args.filter((arg) => arg.startsWith('--') && arg !== '--fast');
if (unknown.length > 0) fail(`unknown option ${unknown.join(', ')}`);

const all = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
  .map((entry) => relative(FOLDER, join(entry.parentPath, entry.name)).split(sep).join('/'))
  .sort();
for (const name of wanted) {
  const folders = [...new Set(all.map((file) => dirname(file)))].join(', ');
  if (!all.some((file) => file.startsWith(name)))
    fail(`no test's path begins with '${name}'; the folders are ${folders}`);
}
const chosen = all.filter(
  (file) =>
    (wanted.length === 0 || wanted.some((name) => file.startsWith(name))) &&
    !(fast && SLOW.some((name) => file.startsWith(name))),
);
const files = chosen.map((file) => join(FOLDER, file));
const { status, error } = spawnSync(process.execPath, ['--test', '--enable-source-maps', ...files], {
  stdio: 'inherit',
});
if (error !== undefined) throw error;
process.exitCode = status ?? 1;

function fail(message: string): never {
  console.error(`npm test: ${message}`);
  process.exit(2);
}
