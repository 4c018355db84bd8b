// Copies the type declarations that users can reach from the index into dist/types, which the package ships. Knows only
// the import statements of declaration files.
//
//     node dist/tools/ship-types.js

import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const FROM = join(import.meta.dirname, '../src');
const TO = join(import.meta.dirname, '../types');

/** The declaration files that `entry` needs, itself included; paths below {@link FROM}. */
function reachable(entry: string): Set<string> {
  const found = new Set([entry]);
  for (const path of found) {
    const text = readFileSync(join(FROM, path), 'utf8');
    for (const [, target] of text.matchAll(/(?:from |import\(|import )['"](\.[^'"]+)\.js['"]/g)) {
      found.add(normalize(join(dirname(path), `${target}.d.ts`)));
    }
  }
  return found;
}

rmSync(TO, { recursive: true, force: true });
for (const path of reachable('index.d.ts')) {
  mkdirSync(dirname(join(TO, path)), { recursive: true });
  copyFileSync(join(FROM, path), join(TO, path));
}
