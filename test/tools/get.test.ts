// Tests `hmap get`: values of the keys that are asked for, in their order; what is missing is named.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuildOptions, Key, ValueType } from '../../src/index.js';
import { oracle } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap, libraryTable, start } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);

type Pair = readonly [key: Key, value: unknown];

const table = (entries: Iterable<Pair>, options: BuildOptions) => libraryTable(folder, entries, options);

const bytes = (text: string) => Buffer.from(text, 'latin1');

let fruit: string;
before(async () => {
  const pairs: Pair[] = [
    ['apple', 'red'],
    ['pear', 'green'],
    ['', 'nothing'],
    ['ä €', 'ümlaut'],
    ['-', 'dash'],
    ['-x', 'option'],
    ['two\nlines', 'LF'],
    ['cr\r', 'CR'],
    ['\ufeffbom', 'BOM'],
    [bytes('\xff\x80'), 'binary'],
  ];
  fruit = await table(pairs, { value: 'utf8' });
});

describe('keys as arguments', { concurrency: true }, () => {
  test('one key', async () => {
    const ran = await fine(['get', fruit, 'apple']);
    assert.deepEqual([ran.stdout, ran.stderr], ['red\n', '']);
  });

  test('many keys, in their order, one of them twice', async () => {
    const ran = await fine(['get', fruit, 'pear', '', 'ä €', 'apple', 'pear', 'two\nlines', 'cr\r', '\ufeffbom']);
    assert.deepEqual([ran.stdout, ran.stderr], ['green\nnothing\nümlaut\nred\ngreen\nLF\nCR\nBOM\n', '']);
  });

  test('missing keys: exit code 1, each named on stderr, the others printed', async () => {
    const ran = await hmap(['get', fruit, 'apples', 'apple', 'no\n"such', 'x'.repeat(65_536)]);
    assert.deepEqual([ran.code, ran.stdout], [1, 'red\n']);
    const lines = ran.stderr.split('\n');
    assert.deepEqual(lines.slice(0, 2), ['hmap: not found: "apples"', 'hmap: not found: "no\\n\\"such"']);
    assert.match(lines[2]!, /^hmap: not found: "x{60}".*65536/);
    assert.equal(lines.length, 4);
  });

  test('none of the keys is there', async () => {
    const ran = await hmap(['get', fruit, 'nope']);
    assert.deepEqual(
      [ran.code, ran.stdout, ran.stderr],
      [1, '', 'hmap: not found: "nope"\n(hmap explain shows why)\n'],
    );
  });

  test('an empty table has no keys', async () => {
    const ran = await hmap(['get', await table([], { value: 'u8' }), '']);
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [1, '', 'hmap: not found: ""\n(hmap explain shows why)\n']);
  });

  test('keys that begin with a dash, after --; a dash among others is a key', async () => {
    assert.equal((await fine(['get', fruit, '--', '-x', 'apple'])).stdout, 'option\nred\n');
    assert.equal((await fine(['get', fruit, 'apple', '-'], { input: 'pear\n' })).stdout, 'red\ndash\n');
  });

  test('--json: an object a key, and for a missing one that it is', async () => {
    const ran = await hmap(['get', '--json', fruit, 'apple', 'nope', 'two\nlines']);
    assert.equal(ran.code, 1);
    assert.deepEqual(ran.stdout.split('\n'), [
      '{"key":"apple","found":true,"value":"red"}',
      '{"key":"nope","found":false}',
      '{"key":"two\\nlines","found":true,"value":"LF"}',
      '',
    ]);
    assert.equal((await fine(['get', '--json', fruit, ''])).stdout, '{"key":"","found":true,"value":"nothing"}\n');
  });

  test('a set prints true', async () => {
    const set = await table(
      ['a', 'b', ''].map((key): Pair => [key, true]),
      { value: 'none' },
    );
    const ran = await hmap(['get', set, 'b', 'c', '', 'a']);
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [1, 'true\ntrue\ntrue\n', 'hmap: not found: "c"\n']);
    assert.equal((await fine(['get', '--json', set, 'a'])).stdout, '{"key":"a","found":true,"value":true}\n');
  });

  test('no key at all is refused', async () => {
    assertRefused(await hmap(['get', fruit]), /^hmap: missing required argument 'key'\n/);
  });
});

describe('keys from stdin', { concurrency: true }, () => {
  const get = (input: string | Uint8Array, ...options: string[]) => hmap(['get', ...options, fruit, '-'], { input });

  test('one a line, in their order', async () => {
    const ran = await get('pear\napple\n\nä €\npear\n');
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'green\nred\nnothing\nümlaut\ngreen\n', '']);
  });

  test('the last line needs no end; no lines, no keys', async () => {
    assert.equal((await get('pear\napple')).stdout, 'green\nred\n');
    assert.equal((await get('-')).stdout, 'dash\n');
    const none = await get('');
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', '']);
  });

  test('lines may end with CR LF', async () => {
    const ran = await get('pear\r\n\r\napple\r\nä €\r');
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'green\nnothing\nred\nümlaut\n', '']);
    assert.equal((await get('cr\r\r\n')).stdout, 'CR\n', 'one CR belongs to the end of the line');
  });

  test('missing keys are named and counted', async () => {
    const ran = await get('nope\napple\nApple\n');
    assert.deepEqual(
      [ran.code, ran.stdout, ran.stderr],
      [1, 'red\n', 'hmap: not found: "nope"\nhmap: not found: "Apple"\n'],
    );
  });

  test('--null: keys that hold line ends', async () => {
    const ran = await get('two\nlines\0cr\r\0\0apple', '--null');
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'LF\nCR\nnothing\nred\n', '']);
    assert.equal((await get('pear\0', '-0')).stdout, 'green\n');
    assert.equal((await get('pear\n', '-0')).stderr, 'hmap: not found: "pear\\n"\n');
  });

  test('keys that are no UTF-8', async () => {
    const ran = await get(bytes('\xff\x80\n\xff\n'));
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [1, 'binary\n', 'hmap: not found: 0xff\n']);
    const json = await get(bytes('\xff\x80\n\xff\n'), '--json');
    assert.deepEqual(json.stdout.split('\n'), [
      '{"key":{"base64":"/4A="},"found":true,"value":"binary"}',
      '{"key":{"base64":"/w=="},"found":false}',
      '',
    ]);
  });

  test('keys that come in pieces, cut anywhere', async () => {
    const { child, ended } = start(['get', fruit, '-']);
    for (const piece of ['pe', 'ar\nap', 'ple\r', '\n', '\nä', ' \xe2\x82', '\xac', '\npear']) {
      child.stdin!.write(bytes(piece.replace('ä', '\xc3\xa4')));
      await sleep(25);
    }
    child.stdin!.end();
    const ran = await ended;
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'green\nred\nnothing\nümlaut\ngreen\n', '']);
  });

  test('a hundred thousand keys', async () => {
    const keys = Array.from({ length: 100_000 }, (_, i) => `key ${i}`);
    const path = await table(
      keys.map((key, i) => [key, i]),
      { value: 'u32' },
    );
    const asked = keys.filter((_, i) => i % 3 !== 1).reverse();
    const ran = await fine(['get', path, '-'], { input: `${asked.join('\n')}\n` });
    assert.equal(ran.stderr, '');
    assert.ok(ran.stdout === asked.map((key) => `${key.slice(4)}\n`).join(''), 'each value, in the order of the keys');
  });
});

describe('values of each type', { concurrency: true }, () => {
  const F32 = (value: number) => `${Math.fround(value)}`;
  const CASES: Record<Exclude<ValueType, 'none'>, [value: unknown, text: string, json: string][]> = {
    bytes: [
      [bytes('\xff\0'), '\xff\0', '{"base64":"/wA="}'],
      [bytes(''), '', '""'],
      [bytes('a"b'), 'a"b', '"a\\"b"'],
    ],
    utf8: [
      ['ä\n\t', '\xc3\xa4\n\t', '"\xc3\xa4\\n\\t"'],
      ['', '', '""'],
    ],
    enum: [
      ['ä\n\t', '\xc3\xa4\n\t', '"\xc3\xa4\\n\\t"'],
      ['', '', '""'],
      ['a', 'a', '"a"'],
    ],
    json: [
      [{ b: [1, null], a: 'ä\n' }, '{"b":[1,null],"a":"\xc3\xa4\\n"}', '{"b":[1,null],"a":"\xc3\xa4\\n"}'],
      [null, 'null', 'null'],
      ['text', '"text"', '"text"'],
    ],
    u8: [[255, '255', '255']],
    i8: [[-128, '-128', '-128']],
    u16: [[65_535, '65535', '65535']],
    u24: [[16_777_215, '16777215', '16777215']],
    u40: [[2 ** 40 - 1, '1099511627775', '1099511627775']],
    u48: [[2 ** 48 - 1, '281474976710655', '281474976710655']],
    i16: [[-32_768, '-32768', '-32768']],
    u32: [
      [4_294_967_295, '4294967295', '4294967295'],
      [0, '0', '0'],
    ],
    i32: [[-2_147_483_648, '-2147483648', '-2147483648']],
    u64: [[2n ** 64n - 1n, '18446744073709551615', '"18446744073709551615"']],
    i64: [[-(2n ** 63n), '-9223372036854775808', '"-9223372036854775808"']],
    f32: [
      [0.1, F32(0.1), F32(0.1)],
      [-0, '-0', '-0'],
      [Number.NaN, 'NaN', '"NaN"'],
    ],
    f64: [
      [0.1, '0.1', '0.1'],
      [-Infinity, '-Infinity', '"-Infinity"'],
      [1e300, '1e+300', '1e+300'],
    ],
  };
  for (const [type, cases] of Object.entries(CASES) as [ValueType, (typeof CASES)['u8']][]) {
    test(type, async () => {
      const path = await table(
        cases.map(([value], i) => [`${i}`, value]),
        { value: type },
      );
      const keys = cases.map((_, i) => `${i}`);
      const text = await fine(['get', path, ...keys]);
      assert.equal(text.bytes.toString('latin1'), cases.map(([, printed]) => `${printed}\n`).join(''));
      // The numbers below 64 bits are all printed by the same code.
      if (/^([ui](8|16|32)|u24|u40|u48|f32)$/.test(type)) return;
      const json = await fine(['get', '--json', path, ...keys]);
      const lines = cases.map(([, , printed], i) => `{"key":"${i}","found":true,"value":${printed}}\n`);
      assert.equal(json.bytes.toString('latin1'), lines.join(''));
      assert.doesNotThrow(() =>
        json.stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      );
    });
  }

  test('JSON of another writer, with white space, is printed on one line', async () => {
    const path = await table([['k', '{\n\t"a": "x y\\n",\r\n "b": [ 1 ]}']], { value: 'utf8' });
    const file = readFileSync(path);
    assert.equal(file[62], 2, 'the value type utf8');
    file[62] = 3;
    file.writeUInt32LE(0, 12);
    file.writeUInt32LE(oracle.h32Raw(file.subarray(0, file.readUInt32LE(16)), 0), 12);
    writeFileSync(path, file);
    assert.equal((await fine(['get', path, 'k'])).stdout, '{"a":"x y\\n","b":[1]}\n');
    assert.equal((await fine(['dump', path])).stdout, '{"key":"k","value":{"a":"x y\\n","b":[1]}}\n');
  });
});
