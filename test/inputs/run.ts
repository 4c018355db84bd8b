// Makes a table of each real file, with one command, and looks a key up in it: `node dist/test/inputs/run.js`. `--write`
// puts the table into native-notes/inputs.md. Installs packages of npm; those of Debian must be there. Ends with a line
// `N passed, N failed`.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../support/root.js';
import { hmap } from '../support/tools.js';
import { FILES, type RealFile } from './files.js';

const CASES = join(PACKAGE_ROOT, '../shared/cases');
/** Small inputs that once failed, where the checkout has them beside it. */
const SMALL: readonly (readonly [name: string, args: readonly string[], key: string, value: string])[] = [
  ['array.json', [], 'a', ''],
  ['object.json', [], 'b', '2'],
  ['rows.json', ['--key-column', 'id'], '1', '"name":"x"'],
  ['comment.tsv', ['--comment', '#', '--key-column', '1', '--value-column', '3'], 'AD', 'Europe/Andorra'],
  ['semicolon.csv', ['--header-row'], 'FR', 'France'],
  ['words.gz', [], 'pear', ''],
];

interface Tried {
  readonly file: string;
  readonly from: string;
  readonly command: string;
  readonly result: string;
  readonly isRight: boolean;
}

async function attempt(
  path: string,
  shown: string,
  from: string,
  file: Pick<RealFile, 'args' | 'find' | 'least'>,
): Promise<Tried> {
  const output = join(folder, 'table.hmap');
  const { args, find, least } = file;
  const [key, value] = find;
  const command = ['hmap build', ...args.map(quoted), shown.split('/').pop()!, 'table.hmap'].join(' ');
  const ran = await hmap(['build', '--force', '--json', ...args, path, output]);
  if (ran.code !== 0) return { file: shown, from, command, result: ran.stderr.trim(), isRight: false };
  const { entries, readAs } = JSON.parse(ran.stdout) as { entries: number; readAs: string };
  const got = await hmap(['get', '--json', output, key]);
  const isFound = got.code === 0 && got.stdout.replaceAll('\\"', '"').includes(value);
  const isRight = isFound && entries >= least;
  const wrong = isRight
    ? ''
    : `; FAILED: ${entries < least ? `at least ${least} expected` : `${key} is ${got.stdout.trim()}`}`;
  return {
    file: shown,
    from,
    command,
    result: `${entries.toLocaleString('en-US')} entries; ${readAs}${wrong}`,
    isRight,
  };
}

function quoted(arg: string): string {
  return /^[\w./=,-]+$/.test(arg) ? arg : `'${arg}'`;
}

function page(tried: readonly Tried[]): string {
  const text = readFileSync(PAGE, 'utf8');
  const cell = (content: string) => content.replaceAll('|', '\\|');
  const lines = tried.map(
    ({ file, from, command, result }) => `| ${cell(file)} | ${from} | \`${cell(command)}\` | ${cell(result)} |`,
  );
  const table = ['| file | of | command | result |', '|---|---|---|---|', ...lines].join('\n');
  return `${text.slice(0, text.indexOf(START))}${START}\n\n${table}\n`;
}

const PAGE = join(PACKAGE_ROOT, 'native-notes/inputs.md');
const START = '<!-- from here on written by test/inputs/run.ts -->';
const folder = mkdtempSync(join(tmpdir(), 'hmap-inputs-'));

async function main(): Promise<void> {
  const names = [...new Set(FILES.flatMap(({ from }) => ('npm' in from ? [from.npm] : [])))];
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...names], {
    cwd: folder,
    stdio: 'ignore',
  });
  const tried: Tried[] = [];
  const add = (one: Tried) => {
    tried.push(one);
    console.log(`${one.isRight ? 'ok    ' : 'FAILED'} ${one.file}: ${one.result}`);
  };
  for (const file of FILES) {
    const { from, path } = file;
    const whole = 'npm' in from ? join(folder, 'node_modules', path) : path;
    const of = 'npm' in from ? `npm, ${from.npm}` : `Debian, ${from.debian}`;
    if (existsSync(whole)) add(await attempt(whole, path, of, file));
    else add({ file: path, from: of, command: '', result: 'FAILED: it is not here', isRight: false });
  }
  for (const [name, args, key, value] of existsSync(CASES) ? SMALL : []) {
    const found = await attempt(join(CASES, name), name, 'small cases', { args, find: [key, value], least: 1 });
    if (!found.isRight) add(found);
    else console.log(`ok     ${name}`);
  }
  if (process.argv.includes('--write')) writeFileSync(PAGE, page(tried));
  const failed = tried.filter(({ isRight }) => !isRight).length;
  console.log(`${tried.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
