// Text that is not UTF-8: refused with line and byte, and with what it looks like; read where its encoding is said.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, open } from '../../src/index.js';
import { asUtf8 } from '../../tools/input/encoding.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap, piecesOf } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let count = 0;

function input(extension: string, content: string | Buffer): string {
  const path = join(folder, `${count++}.${extension}`);
  writeFileSync(path, content);
  return path;
}

const output = () => join(folder, `${count++}.hmap`);
const latin1 = (text: string) => Buffer.from(text, 'latin1');

const TEXTS: Record<string, string> = {
  tsv: 'caf\u00e9\tdrink\nth\u00e9\tdrink\n',
  csv: 'caf\u00e9,drink\nth\u00e9,drink\n',
  jsonl: '{"key":"caf\u00e9","value":"drink"}\n{"key":"th\u00e9","value":"drink"}\n',
  txt: 'caf\u00e9\nth\u00e9\n',
};
const formatOf = (extension: string) => (extension === 'txt' ? ['--format', 'lines'] : []);

describe('text in another encoding', () => {
  for (const [extension, text] of Object.entries(TEXTS)) {
    test(`${extension}: is refused with line and byte, and read with its label`, async () => {
      const wrong = input(extension, Buffer.concat([Buffer.from('plain'), latin1(text)]).subarray(5));
      const at = latin1(text).indexOf(0xe9);
      const told = new RegExp(`line 1: not valid UTF-8: byte ${at} of the input is 0xe9; --encoding latin1`);
      for (const command of [
        ['build', ...formatOf(extension), wrong, output()],
        ['plan', ...formatOf(extension), wrong],
      ]) {
        assertRefused(await hmap(command), told);
      }
      for (const [label, bytes] of [
        ['latin1', latin1(text)],
        ['windows-1252', latin1(text)],
        ['utf-16le', Buffer.from(`\ufeff${text}`, 'utf16le')],
        ['UTF-8', Buffer.from(text)],
      ] as const) {
        const path = output();
        await fine(['build', ...formatOf(extension), '--encoding', label, input(extension, bytes), path]);
        assert.equal(open(path).has('th\u00e9'), true, label);
      }
      const planned = await fine(['plan', ...formatOf(extension), '--encoding', 'latin1', wrong]);
      assert.match(planned.stdout, /hmap build .*--encoding windows-1252/);
    });
  }

  test('UTF-16 says so by its mark', async () => {
    const path = input('tsv', Buffer.from('\ufeffa\tb\n', 'utf16le'));
    assertRefused(await hmap(['build', path, output()]), /no text: it looks like UTF-16; use --encoding utf-16le/);
  });

  test('bytes as they are: with none, and where keys or values are bytes', async () => {
    const bytes = latin1('caf\u00e9\td\u00e9j\u00e0\n');
    for (const options of [
      ['--encoding', 'none', '--value', 'bytes'],
      ['--key', 'bytes', '--value', 'bytes'],
      ['--value', 'bytes'],
    ]) {
      const path = output();
      await fine(['build', ...options, input('tsv', bytes), path]);
      const table = open(path, { key: 'bytes', value: 'bytes' });
      assert.equal(Buffer.from(table.get(latin1('caf\u00e9'))!).toString('latin1'), 'd\u00e9j\u00e0');
    }
  });

  test('an unknown label, and text that is not valid in the encoding, are refused', async () => {
    const path = input('tsv', 'a\tb\n');
    const wrong = await hmap(['build', '--encoding', 'klingon', path, output()]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--encoding.*label of an encoding, or none/);
    const bad = input('tsv', Buffer.from([0x61, 0x09, 0xff, 0xff, 0x0a]));
    assertRefused(
      await hmap(['build', '--encoding', 'shift_jis', bad, output()]),
      /line 1 or a later one: not valid shift_jis/,
    );
  });

  test('the line is right in a file that several threads read, and from stdin', async () => {
    const line = `${'x'.repeat(490)}\t1\n`;
    const many = Buffer.alloc(line.length * 150_000, line);
    for (let i = 0; i < 150_000; i++) many.write(`${i} `, i * line.length);
    many[line.length * 149_000 + 100] = 0xe9;
    const told = /line 149001: not valid UTF-8: byte \d+ of the input is 0xe9/;
    assertRefused(await hmap(['build', input('tsv', many), output()]), told);
    const few = many.subarray(line.length * 148_000, line.length * 149_500);
    assertRefused(
      await hmap(['build', '--format', 'tsv', '-', output()], { input: few }),
      /line 1001: not valid UTF-8/,
    );
  });
});

describe('what is no text', () => {
  const words = Buffer.from('one\ntwo\n');
  test('is called by its name', async () => {
    const table = output();
    await build(table, [['a', 1]], { value: 'u8' });
    const cdb = Buffer.alloc(2048 + 16);
    for (let i = 0; i < 256; i++) cdb.writeUInt32LE(2048, 8 * i);
    const sqlite = Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(84)]);
    const kinds: [string, Buffer][] = [
      ['gzip; decompress it', gzipSync(words)],
      ['zstd', Buffer.from('28b52ffd2009490000', 'hex')],
      ['an SQLite database', sqlite],
      ['Parquet', Buffer.concat([Buffer.from('PAR1'), Buffer.from([0xff, 0xfe])])],
      ['a binary cdb', cdb],
      ['a ZIP archive', Buffer.from('504b0304ff', 'hex')],
      ['an .hmap file already', execFileSync('cat', [table])],
    ];
    for (const [what, bytes] of kinds) {
      const told = new RegExp(`this is no text: it looks like ${what}`);
      const options = ['--format', 'lines', '--compression', 'none', input('txt', bytes)];
      assertRefused(await hmap(['build', ...options, output()]), told);
      assertRefused(await hmap(['plan', ...options]), told);
    }
    const unknown = input('txt', brotliCompressSync(Buffer.from(new Random(1).bytes(2000))));
    assertRefused(await hmap(['build', '--format', 'lines', unknown, output()]), /not valid UTF-8/);
  });

  test('text that begins like it is text', async () => {
    for (const text of ['PAR1\n', 'BZh\n', 'PK\u0003\u0004\n']) {
      await fine(['build', '--format', 'lines', input('txt', text), output()]);
    }
  });
});

test('characters that are cut between pieces are whole, in pieces of any size', async () => {
  const random = new Random(7);
  const text = Array.from({ length: 200 }, () => random.pick(['a', '\u00e9', '\u20ac', '\u{1f600}', '\n'])).join('');
  const bytes = Buffer.from(text);
  const collect = async (pieces: AsyncIterable<Uint8Array>) => {
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(Buffer.from(piece));
    return Buffer.concat(all);
  };
  for (const size of [1, 2, 3, 4, 5, 7, 64, 1000]) {
    assert.ok((await collect(asUtf8(Readable.from(piecesOf(bytes, size)), 'x', 'utf-8'))).equals(bytes), `${size}`);
    for (let round = 0; round < 20; round++) {
      const bad = Buffer.from(bytes);
      const at = random.below(bad.length);
      bad[at] = 0xff;
      await assert.rejects(
        collect(asUtf8(Readable.from(piecesOf(bad, size)), 'x', 'utf-8')),
        (error: Error & { line: number; offset: number }) => {
          // The byte itself, or the start of the character that it cuts.
          assert.ok(error.offset <= at && error.offset >= at - 3, `${error.offset} ${at} ${size}`);
          assert.equal(error.line, 1 + bad.subarray(0, error.offset).filter((byte) => byte === 0x0a).length);
          return true;
        },
      );
    }
    await assert.rejects(
      collect(asUtf8(Readable.from(piecesOf(Buffer.from('a\u20ac').subarray(0, 3), size)), 'x', 'utf-8')),
      /not valid UTF-8/,
    );
  }
});
