// Whether a password has leaked, and how often: a list of SHA-1 hashes with counts, `HASH:COUNT` a line, as the public
// ones have them, made into a table of 20-byte keys by one command. Run it with passwords as arguments:
//
//     node dist/tools/examples/leaked-passwords.js 123456 correct-horse

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'hmap';

const HMAP = fileURLToPath(new URL('../../bin/hmap.js', import.meta.url));
const hashOf = (password: string) => createHash('sha1').update(password).digest('hex');

/** A short list in the form of the long ones; those have a billion lines. */
const LEAKED: readonly (readonly [password: string, count: number])[] = [
  ['123456', 37_359_195],
  ['password', 9_545_824],
  ['qwerty', 10_713_794],
];

async function main(asked: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hmap-example-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const [list, path] = [join(folder, 'pwned.txt'), join(folder, 'pwned.hmap')];
  writeFileSync(list, LEAKED.map(([password, count]) => `${hashOf(password).toUpperCase()}:${count}\r\n`).join(''));
  // `--key hex` stores 20 bytes for 40 digits; `--value uint` takes the narrowest integers that hold all counts. With
  // `--value none --key-column 1 --fingerprint 16`, and no count, 1,000 million hashes take 2.6 GB.
  execFileSync(process.execPath, [HMAP, 'build', '--key', 'hex', '--delimiter', ':', '--value', 'uint', list, path], {
    stdio: 'ignore',
  });
  using leaked = open(path, { key: 'hex' });
  for (const password of asked) {
    const count = leaked.get(hashOf(password));
    console.log(`${password}: ${count === undefined ? 'not in the list' : `seen ${count} times`}`);
  }
}

void main(process.argv.length > 2 ? process.argv.slice(2) : ['123456', 'correct-horse']);
