// The real data that development dependencies ship, as keys, numbers and the text file that a Map would be loaded from.
// Knows the packages; does not know tables.

import { isUtf8 } from 'node:buffer';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Key } from '../../src/index.js';
import type { KeyForm, SourceFormat } from './protocol.js';
import type { Query } from './queries.js';

/** A lookup to show; `value` is what the source says. */
export interface Sample {
  key: Key;
  value: number | undefined;
}

export interface DataSet {
  /** Names its files. */
  name: string;
  title: string;
  about: string;
  /** Every key, as bytes, with its number. */
  entries: Query[];
  samples: Sample[];
  /** What a `Map` is loaded from. */
  source: { path: string; format: SourceFormat; about: string };
  /** How lookups give the keys. */
  keyForms: { hmap: KeyForm; map: KeyForm };
}

/** English words; the value of each is its line in the list. */
export async function words(): Promise<DataSet> {
  const { default: path } = await import('word-list');
  const list = readFileSync(path, 'utf8').split('\n');
  const entries = list.map((word, i) => ({ key: Buffer.from(word), value: i + 1 }));
  const lineOf = (key: string) => list.indexOf(key) + 1 || undefined;
  return {
    name: 'words',
    title: 'English words',
    about: `Word -> its line in the list, from ${packageName('word-list')}.`,
    entries,
    samples: ['hash', 'persistent', 'zyzzyva', 'hmap'].map((key) => ({ key, value: lineOf(key) })),
    source: { path, format: 'words', about: 'the list itself, split into lines' },
    keyForms: { hmap: 'utf8', map: 'utf8' },
  };
}

/** Bytes that are neither a token nor UTF-8. */
const NO_TOKEN = Uint8Array.of(0xff, 0xfe, 0xfd);

/** The tokens of a tokenizer, which are bytes and often no text, with their ranks. */
export async function ranks(folder: string): Promise<DataSet> {
  const { default: encoding } = await import('js-tiktoken/ranks/o200k_base');
  const entries: Query[] = [];
  const lines: string[] = [];
  // Each line: '!', the rank of its first token, its tokens in base64.
  for (const line of encoding.bpe_ranks.split('\n')) {
    const [, first, ...tokens] = line.split(' ');
    for (const [i, token] of tokens.entries()) {
      const value = Number(first) + i;
      entries.push({ key: Buffer.from(token, 'base64'), value });
      lines.push(`${token} ${value}`);
    }
  }
  const path = join(folder, 'o200k_base.tiktoken');
  writeFileSync(path, lines.join('\n'));
  const binary = entries.filter(({ key }) => !isUtf8(key));
  const samples: Key[] = [' hash', ' 東京', binary[0]!.key, binary.find(({ key }) => key.length >= 5)!.key, NO_TOKEN];
  return {
    name: 'ranks',
    title: 'Ranks of byte pairs, the tokens of o200k_base',
    about: `Token -> its rank, from ${packageName('js-tiktoken')}. ${binary.length.toLocaleString('en-US')} of the tokens are not UTF-8.`,
    entries,
    samples: samples.map((key) => ({ key, value: rankOf(entries, Buffer.from(key)) })),
    source: { path, format: 'ranks', about: 'lines of base64, space, rank' },
    keyForms: { hmap: 'bytes', map: 'latin1' },
  };
}

function rankOf(entries: readonly Query[], key: Uint8Array): number | undefined {
  return entries.find((entry) => Buffer.compare(entry.key, key) === 0)?.value;
}

function packageName(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  const manifest = join(entry.slice(0, entry.lastIndexOf(name)), name, 'package.json');
  return `${name} ${(JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version}`;
}
