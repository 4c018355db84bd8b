// A spell checker: a set of words, and for a word that is not in it the words one edit away. Run it with words as
// arguments:
//
//     node dist/tools/examples/spell-checker.js aple tabel house

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, open } from 'hmap';
import wordList from 'word-list';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** Every string that one deletion, swap, replacement or insertion makes of a word. */
function* edits(word: string): Generator<string> {
  for (let i = 0; i <= word.length; i++) {
    const [before, after] = [word.slice(0, i), word.slice(i)];
    if (after !== '') yield before + after.slice(1);
    if (after.length > 1) yield before + after[1] + after[0] + after.slice(2);
    for (const letter of LETTERS) {
      if (after !== '') yield before + letter + after.slice(1);
      yield before + letter + after;
    }
  }
}

async function main(asked: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hmap-example-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const path = join(folder, 'words.hmap');
  // Done once, offline; every process that checks spelling then opens the same file.
  const { entries } = await build(path, readFileSync(wordList, 'utf8').split('\n'), { value: 'none' });
  using words = open(path, { value: 'none' });
  console.log(`${entries} words`);
  for (const word of asked) {
    const near = words.has(word) ? [] : [...new Set(edits(word))].filter((other) => words.has(other));
    console.log(`${word}: ${words.has(word) ? 'right' : `did you mean ${near.sort().join(', ') || '...'}?`}`);
  }
}

void main(process.argv.length > 2 ? process.argv.slice(2) : ['aple', 'tabel', 'house']);
