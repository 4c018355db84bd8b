// Compressed inputs: the table is that of the input unpacked, whatever shows what it is packed with; and what cannot be
// unpacked is refused.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from '../../src/index.js';
import { unpack } from '../../tools/input/packing.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, assertSameFile, fine, hmap, piecesOf } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let count = 0;

function input(ending: string, content: Uint8Array): string {
  const path = join(folder, `${count++}${ending}`);
  writeFileSync(path, content);
  return path;
}

const output = () => join(folder, `${count++}.hmap`);

const SMALL = 'one\t1\ntwo\t2\n';
const MORE = 'three\t3\n';
/** By `zstd -c`, which not every machine has. */
const ZSTD_SMALL = Buffer.from('KLUv/QRYYQAAb25lCTEKdHdvCTIKE5kLpA==', 'base64');
const ZSTD_MORE = Buffer.from('KLUv/QRYQQAAdGhyZWUJMwqEuyjY', 'base64');
/** A frame to be skipped, of three bytes. */
const SKIPPED = Buffer.from('5a2a4d1803000000616263', 'hex');

/** Packed forms of {@link SMALL}, with the endings that they may have. */
const FORMS: [ending: string, packed: Buffer][] = [
  ['.tsv.gz', gzipSync(SMALL)],
  ['.tsv.GZ', gzipSync(SMALL, { level: 0 })],
  // By their first bytes alone.
  ['.tsv', gzipSync(SMALL)],
  ['.tsv', ZSTD_SMALL],
  ['.tsv.zst', ZSTD_SMALL],
  ['.tsv.zst', Buffer.concat([SKIPPED, ZSTD_SMALL])],
  ['.tsv.br', brotliCompressSync(SMALL)],
  // A name says nothing that the bytes do not.
  ['.tsv.gz', Buffer.from(SMALL)],
  ['.tsv.gz', ZSTD_SMALL],
];

describe('a compressed input', () => {
  test('makes the table of the input unpacked, from a file and from stdin', async () => {
    const path = output();
    await build(path, [['one', 1] as const, ['two', 2] as const], { value: 'u8' });
    const expected = readFileSync(path);
    for (const [ending, packed] of FORMS) {
      const built = output();
      await fine(['build', '-v', 'u8', input(ending, packed), built]);
      assertSameFile(built, expected, ending);
      if (ending.endsWith('.br')) continue;
      const piped = output();
      await fine(['build', '-f', 'tsv', '-v', 'u8', '-', piped], { input: packed });
      assertSameFile(piped, expected, `${ending}, stdin`);
    }
    const named = output();
    await fine(['build', '-f', 'tsv', '-v', 'u8', '--compression', 'brotli', '-', named], {
      input: brotliCompressSync(SMALL),
    });
    assertSameFile(named, expected, 'brotli by an option');
  });

  test('of several members or frames is one input, whatever its pieces', async () => {
    for (const [packing, packed] of [
      ['gzip', Buffer.concat([gzipSync(SMALL), gzipSync(MORE)])],
      ['zstd', Buffer.concat([ZSTD_SMALL, SKIPPED, ZSTD_MORE])],
    ] as const) {
      for (const size of [1, 3, 7, 1000]) {
        const found: Uint8Array[] = [];
        const pieces = Readable.from(piecesOf(packed, size));
        for await (const piece of unpack(pieces, packing, 'it')) found.push(Uint8Array.from(piece));
        assert.equal(Buffer.concat(found).toString(), SMALL + MORE, `${packing} by ${size}`);
      }
    }
  });

  test('of any format, layout, encoding, and as a list of lines of which one occurs twice', async () => {
    const lines = gzipSync('b\na\nb\n');
    assertRefused(await hmap(['build', input('.txt.gz', lines), output()]), /lines? 1 and 3|line 3|"b"/);
    const list = output();
    await fine(['build', '--layout', 'list', input('.txt.gz', lines), list]);
    const { stdout } = await fine(['dump', '-f', 'lines', list]);
    assert.equal(stdout, 'b\na\nb\n');
    const latin1 = output();
    const text = gzipSync(Buffer.from('caf\u00e9\tx\n', 'latin1'));
    await fine(['build', '--encoding', 'latin1', input('.tsv.gz', text), latin1]);
    assert.equal((await fine(['get', latin1, 'caf\u00e9'])).stdout, 'x\n');
    assertRefused(await hmap(['build', input('.tsv.gz', text), output()]), /line 1: not valid UTF-8: byte 3 /);
    const jsonl = output();
    await fine(['build', input('.jsonl.gz', gzipSync('{"key":"a","value":[1]}\n')), jsonl]);
    const planned = await fine(['plan', input('.tsv.gz', gzipSync(SMALL))]);
    assert.match(planned.stdout, /hmap build .*\.tsv\.gz/);
  });

  test('of megabytes comes in the same, with lines across pieces', async () => {
    const random = new Random(3);
    const rows = Array.from({ length: 200_000 }, (_, i) => `${i}-${random.u32().toString(36)}\t${random.u32()}\n`);
    const text = rows.join('');
    const [plain, packed] = [output(), output()];
    await fine(['build', '-v', 'u32', input('.tsv', Buffer.from(text)), plain]);
    await fine(['build', '-v', 'u32', input('.tsv.gz', gzipSync(text)), packed]);
    assertSameFile(packed, readFileSync(plain), 'gzip');
  });

  test('that is cut short, or is not what it should be, is refused and leaves nothing', async () => {
    const gzip = gzipSync(Array.from({ length: 500 }, (_, i) => `key ${i}\tvalue\n`).join(''));
    const broken = Buffer.from(gzip);
    broken[gzip.length - 6]! ^= 1;
    const brotli = brotliCompressSync(SMALL);
    const cases: [ending: string, bytes: Uint8Array, message: RegExp][] = [
      ['.tsv.gz', gzip.subarray(0, -9), /\.tsv\.gz: the gzip data is cut short\n$/],
      ['.tsv.gz', gzip.subarray(0, 5), /\.tsv\.gz: the gzip data is cut short\n$/],
      ['.tsv.gz', broken, /\.tsv\.gz: not valid gzip data \(incorrect data check\)\n$/],
      ['.tsv.zst', ZSTD_SMALL.subarray(0, -6), /\.tsv\.zst: the zstd data is cut short\n$/],
      ['.tsv.br', brotli.subarray(0, -3), /\.tsv\.br: the brotli data is cut short\n$/],
      ['.tsv.br', Buffer.from(SMALL), /\.tsv\.br: not valid brotli data/],
    ];
    for (const [ending, bytes, message] of cases) {
      const [path, built] = [input(ending, bytes), output()];
      const before = readdirSync(folder);
      assertRefused(await hmap(['build', '-v', 'bytes', path, built]), message);
      assert.equal(existsSync(built), false);
      assert.deepEqual(readdirSync(folder), before);
    }
    const taken = ['build', '--compression', 'none', input('.tsv.gz', gzipSync(SMALL)), output()];
    assertRefused(await hmap(taken), /this is no text: it looks like gzip/);
  });
});
