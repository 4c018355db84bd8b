// Copies the type declarations that users can reach into dist/types, which the package ships: once for
// ES modules, once for CommonJS. Knows the import statements of declaration files, and what older compilers read.
//
//     node dist/tools/ship-types.js

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const FROM = join(import.meta.dirname, '../src');
const TO = join(import.meta.dirname, '../types');

const IMPORT = /((?:from |import\(|import )['"])(\.[^'"]+)\.js(?=['"])/g;

/** What users import. */
const ENTRIES = ['index.d.ts', 'stores/keyv.d.ts', 'stores/unstorage.d.ts', 'remote/open-url.d.ts'];

/** The declaration files that entries need, themselves included; paths below {@link FROM}. */
function reachable(entries: readonly string[]): Set<string> {
  const found = new Set(entries);
  for (const path of found) {
    const text = readFileSync(join(FROM, path), 'utf8');
    for (const [, , target] of text.matchAll(IMPORT)) found.add(normalize(join(dirname(path), `${target}.d.ts`)));
  }
  return found;
}

/** Before 5.7 TypeScript's typed arrays had no type parameters. */
function forOlderCompilers(text: string): string {
  return text.replace(/\b(\w+Array|Buffer)<ArrayBuffer(Like)?>/g, '$1');
}

rmSync(TO, { recursive: true, force: true });
for (const path of reachable(ENTRIES)) {
  const text = forOlderCompilers(readFileSync(join(FROM, path), 'utf8'));
  mkdirSync(dirname(join(TO, path)), { recursive: true });
  writeFileSync(join(TO, path), text);
  writeFileSync(join(TO, path.replace(/ts$/, 'cts')), text.replace(IMPORT, '$1$2.cjs'));
}
