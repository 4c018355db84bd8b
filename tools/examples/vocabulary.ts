// A tokenizer's vocabulary with hot reload: a service that looks tokens up while a new version of the file is published
// under it.
//
//     node dist/tools/examples/vocabulary.js

import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, open } from 'hmap';

/** The vocabulary of a version: the letters, and the merges that it has learnt. */
function vocabulary(merges: readonly string[]): [token: string, id: number][] {
  return [...'abcdefghijklmnopqrstuvwxyz ', ...merges].map((token, id) => [token, id]);
}

/** Cuts a text into the longest tokens that the vocabulary has, from left to right. */
function encode(text: string, idOf: (token: string) => number | undefined, longest: number): number[] {
  const ids: number[] = [];
  for (let at = 0; at < text.length; ) {
    let length = Math.min(longest, text.length - at);
    while (length > 1 && idOf(text.slice(at, at + length)) === undefined) length--;
    ids.push(idOf(text.slice(at, at + length)) ?? -1);
    at += length;
  }
  return ids;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hmap-example-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const path = join(folder, 'vocabulary.hmap');
  await build(path, vocabulary(['th', 'he']), { value: 'uint', metadata: { longest: 2 } });

  const events = new EventEmitter();
  using table = open(path, { value: 'uint', watch: { interval: 20 }, onReload: () => events.emit('reload') });
  const show = (text: string) => {
    const ids = encode(text, (token) => table.get(token), table.header.metadata.longest as number);
    console.log(`${text}: ${ids.join(' ')}`);
  };
  show('the other');

  // Some other process would do this. Lookups go on meanwhile; the table switches between two of them.
  const reloaded = once(events, 'reload');
  await build(path, vocabulary(['th', 'he', 'the', 'other']), { value: 'uint', metadata: { longest: 5 } });
  // Watching keeps no process alive, so something else has to.
  const alive = setInterval(() => {}, 1000);
  await reloaded;
  clearInterval(alive);
  show('the other');
}

void main();
