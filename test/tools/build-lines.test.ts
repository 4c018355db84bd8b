// `hmap build` reads the same entries whatever the line ends, byte order marks and the cuts of the input.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { open } from '../../src/index.js';
import type { FormatName } from '../../tools/formats/format.js';
import { hmapError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { assertSameFile, buildFrom, fine, libraryFile, piecesOf, readFrom } from '../support/tools.js';
import { bytes, type Entries, FORMATS, folder, fresh, MIB, textFile } from './build-cases.js';

describe('line ends, marks and cuts', () => {
  const LETTERS: Entries = [
    ['a', '1'],
    ['ä', 'ö'],
  ];
  const lineOf: Record<Exclude<FormatName, 'cdb' | 'json'>, (entry: Entries[number]) => string> = {
    tsv: ([key, value]) => `${key}\t${value}`,
    csv: ([key, value]) => `${key},${value}`,
    jsonl: ([key, value]) => JSON.stringify({ key, value }),
    lines: ([key]) => `${key}`,
  };
  for (const format of ['tsv', 'csv', 'jsonl', 'lines'] as const) {
    const value = format === 'lines' ? 'none' : 'utf8';
    const entries = format === 'lines' ? LETTERS.map(([key]) => [key, true] as const) : LETTERS;
    const [first, second] = LETTERS.map(lineOf[format]);
    const check = async (text: string | Uint8Array, expected: Entries = entries) => {
      const path = fresh();
      await buildFrom(path, format, [Buffer.from(text as string)], { value });
      assertSameFile(path, await libraryFile(folder, expected, { value }), JSON.stringify(text.toString()));
    };

    test(`${format}: LF, CRLF, and no end after the last line`, async () => {
      for (const text of [`${first}\n${second}\n`, `${first}\n${second}`]) {
        await check(text);
        await check(text.replaceAll('\n', '\r\n'));
      }
      await check(`${first}`, entries.slice(0, 1));
    });

    test(`${format}: LF and CRLF in one file`, async () => {
      await check(`${first}\n${second}\r\n`);
      await check(`${first}\r\n${second}\n`);
    });

    test(`${format}: a byte order mark at the start is no part of the first key`, async () => {
      await check(`\ufeff${first}\n${second}\n`);
      await check(`\ufeff${first}\r\n${second}`);
    });

    test(`${format}: a byte order mark and nothing else is an empty input`, async () => {
      await check('\ufeff', []);
    });
  }

  test('csv: bytes that look like the mark of UTF-16 are kept', async () => {
    const path = fresh();
    await buildFrom(path, 'csv', [bytes('\xff\xfea,1\nb,\xff\xfe\n')], { value: 'bytes' });
    const entries: Entries = [
      [bytes('\xff\xfea'), bytes('1')],
      ['b', bytes('\xff\xfe')],
    ];
    assertSameFile(path, await libraryFile(folder, entries, { value: 'bytes' }));
  });

  test('csv: bytes that are no UTF-8 are kept, with a byte order mark too', async () => {
    for (const mark of ['', '\xef\xbb\xbf']) {
      const path = fresh();
      await buildFrom(path, 'csv', [bytes(`${mark}\xff\0,\xe4\n"\x80","\xc3"\n`)], { value: 'bytes' });
      const entries: Entries = [
        [bytes('\xff\0'), bytes('\xe4')],
        [bytes('\x80'), bytes('\xc3')],
      ];
      assertSameFile(path, await libraryFile(folder, entries, { value: 'bytes' }), JSON.stringify(mark));
    }
  });

  test('a CR that ends no line belongs to the field', async () => {
    const path = fresh();
    await buildFrom(path, 'tsv', [Buffer.from('a\r\tb\rc\r\r\n')], { value: 'utf8' });
    assertSameFile(path, await libraryFile(folder, [['a\r', 'b\rc\r']], { value: 'utf8' }));
  });

  test('a mark that is not at the start is a part of the key', async () => {
    const path = fresh();
    await buildFrom(path, 'lines', [Buffer.from('a\n\ufeffb\n')], { value: 'none' });
    const entries: Entries = [
      ['a', true],
      ['\ufeffb', true],
    ];
    assertSameFile(path, await libraryFile(folder, entries, { value: 'none' }));
  });

  test('empty lines: a key for lines, passed over for the others', async () => {
    const path = fresh();
    await buildFrom(path, 'lines', [Buffer.from('a\n\n')], { value: 'none' });
    assert.equal(open(path).size, 2);
    await buildFrom(path, 'jsonl', [Buffer.from('\n{"key":"a","value":1}\n  \r\n\n')], { value: 'json' });
    assert.equal(open(path).size, 1);
    for (const [format, text] of [
      ['tsv', 'a\tb\n\n'],
      ['csv', 'a,b\n\n'],
    ] as const) {
      await buildFrom(path, format, [Buffer.from(text)], { value: 'utf8' });
      assert.equal(open(path).size, 1);
    }
  });

  for (const [format, { text, value, entries }] of FORMATS) {
    const plain = Buffer.from(text as string);
    const variants = format === 'cdb' ? [plain] : [plain, Buffer.from(`\ufeff${text}`.replaceAll('\n', '\r\n'))];
    test(`${format}: cut into pieces anywhere`, async () => {
      // In CSV the line ends within quotes are data.
      const kept = (list: Entries, crlf: boolean): Entries =>
        crlf && format === 'csv' ? list.map(([key, item]) => [`${key}`.replaceAll('\n', '\r\n'), item]) : list;
      for (const [i, whole] of variants.entries()) {
        const expected = await libraryFile(folder, kept(entries, i === 1), { value });
        const path = fresh();
        const check = async (pieces: Iterable<Uint8Array>, how: string) => {
          await buildFrom(path, format, pieces, { value });
          assertSameFile(path, expected, `${i === 0 ? 'LF' : 'BOM and CRLF'}, ${how}`);
        };
        await check([whole], 'whole');
        await check(piecesOf(whole, 1), 'single bytes');
        await check(piecesOf(whole, 7), 'pieces of 7');
        await check(
          [Buffer.alloc(0), ...[...piecesOf(whole, 3)].flatMap((piece) => [piece, Buffer.alloc(0)])],
          'empty',
        );
        const read = await readFrom(format, [whole], value);
        assert.equal(read.length, entries.length);
        for (let at = 1; at < whole.length; at++) {
          const pieces = [whole.subarray(0, at), whole.subarray(at)];
          assert.deepEqual(await readFrom(format, pieces, value), read, `cut at ${at}`);
        }
      }
    });
  }

  test('very long keys and values', async () => {
    const random = new Random(1);
    const key = random.text(65_535);
    const value = random.text(3 * MIB, 'abcdefgh" ');
    const expected = await libraryFile(folder, [[key, value] as const, ['short', 'x']], { value: 'utf8' });
    const texts: [FormatName, string][] = [
      ['tsv', `${key}\t${value}\nshort\tx\n`],
      ['csv', `${key},"${value.replaceAll('"', '""')}"\nshort,x\n`],
      ['jsonl', `${JSON.stringify({ key, value })}\n{"key":"short","value":"x"}\n`],
      ['cdb', `+${key.length},${value.length}:${key}->${value}\n+5,1:short->x\n\n`],
    ];
    for (const [format, text] of texts) {
      const path = fresh();
      await buildFrom(path, format, piecesOf(Buffer.from(text), 65_537), { value: 'utf8' });
      assertSameFile(path, expected, format);
    }
    // From a file, whose pieces are longer than the lines that are cut, and shorter than this one.
    const path = fresh();
    await fine(['build', textFile('.tsv', texts[0]![1]), path]);
    assertSameFile(path, expected);
  });

  test('a key of one byte too many is refused with its line', async () => {
    const key = 'k'.repeat(65_536);
    const texts: [FormatName, string][] = [
      ['tsv', `a\tb\n${key}\tx\n`],
      ['csv', `a,b\n${key},x\n`],
      ['jsonl', `{"key":"a","value":"b"}\n{"key":"${key}","value":"x"}\n`],
      ['cdb', `+1,1:a->b\n+65536,1:${key}->x\n\n`],
    ];
    for (const [format, text] of texts) {
      await assert.rejects(
        buildFrom(fresh(), format, [Buffer.from(text)], { value: 'utf8' }),
        hmapError(format === 'cdb' ? 'HMAP_INPUT' : 'HMAP_KEY_TOO_LONG', { line: 2, message: /line 2: .*65535/ }),
      );
    }
  });
});
