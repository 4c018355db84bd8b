// The page that looks words up in a table on a web server, as a folder that any static server can serve. Knows files.

import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../../src/index.js';
import { words } from './data.js';

const ROOT = join(import.meta.dirname, '../../..');

/** Puts the page, the code that it runs and the table of words into a folder. */
export async function makeSite(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { entries } = await words();
  await build(
    join(folder, 'words.hmap'),
    entries.map(({ key, value }) => [key, value] as const),
    { value: 'u32' },
  );
  copyFileSync(join(ROOT, 'tools/demo/remote.html'), join(folder, 'index.html'));
  const code = join(ROOT, 'dist/lib');
  for (const name of readdirSync(code)) {
    if (/^remote[\w-]*\.js$/.test(name)) copyFileSync(join(code, name), join(folder, name));
  }
}
