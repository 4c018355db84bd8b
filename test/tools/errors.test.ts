// Tests what the tools say to bad input: one clear line on stderr, exit code 2, and nothing left after; and their
// help.

import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { build, type HmapErrorCode, type ValueType } from '../../src/index.js';
import type { FormatName } from '../../tools/formats/format.js';
import { hmapError } from '../support/errors.js';
import { PACKAGE_ROOT } from '../support/root.js';
import { oracle, RANGES } from '../support/samples.js';
import { contentOf, failure, temporaryFolder } from '../support/temp.js';
import { assertRefused, buildFrom, fine, hmap, NO_COLUMNS } from '../support/tools.js';

const root = temporaryFolder(nodeTest);
/**
 * Files of all kinds. Each case has a copy of the folder to itself, since what it must not leave there is a part of the
 * case.
 */
const samples = join(root, 'samples');
let content: Record<string, string>;
let names = 0;

before(async () => {
  mkdirSync(samples);
  const good = join(samples, 'good.hmap');
  await build(good, [['a', 1] as const, ['b', 2] as const], { value: 'u32' });
  const file = readFileSync(good);
  const write = (name: string, bytes: Uint8Array | string) => writeFileSync(join(samples, name), bytes);
  write('empty.hmap', '');
  write('text.hmap', 'not a table at all\n'.repeat(300));
  write('short.hmap', file.subarray(0, -1));
  write('stub.hmap', file.subarray(0, 100));
  write('long.hmap', Buffer.concat([file, Buffer.of(0)]));
  write('textmode.hmap', Buffer.from(file.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'));
  write('header.hmap', Buffer.from(file).fill(0xff, 40, 41));
  /** A header with some bytes changed and its checksum made right. */
  const withHeader = (offset: number, value: number) => {
    const copy = Buffer.from(file);
    copy[offset] = value;
    copy.writeUInt32LE(0, 12);
    copy.writeUInt32LE(oracle.h32Raw(copy.subarray(0, 4096), 0), 12);
    return copy;
  };
  write('version.hmap', withHeader(8, 1));
  write('feature.hmap', withHeader(20, 64));
  // The anchor of the index now lies beyond the heap.
  const index = Number(file.readBigUInt64LE(128));
  write('bucket.hmap', Buffer.from(file).fill(0x7f, index, index + 4));
  mkdirSync(join(samples, 'folder.hmap'));
  mkdirSync(join(samples, 'folder.tsv'));
  write('good.tsv', 'a\t1\nb\t2\n');
  write('noending', '');
  write('names.tsv', 'id\tname\tcount\na\tb\t1\n');
  write('names.csv', 'id,name,count\na,b,1\n');
  content = contentOf(samples);
});

/** Runs the program among the samples; it must refuse and leave everything as it is. */
async function refused(args: readonly string[], message: RegExp, input?: string | Uint8Array): Promise<void> {
  const cwd = join(root, `${names++}`);
  cpSync(samples, cwd, { recursive: true });
  assertRefused(await hmap(args, { cwd, ...(input !== undefined && { input }) }), message);
  assert.deepEqual(contentOf(cwd), content, 'the folder must be as it was');
}

/** Builds from text in this process; it must fail, and leave nothing. Returns the error. */
async function failing(
  format: FormatName,
  value: ValueType,
  text: string | Uint8Array,
  columns = NO_COLUMNS,
): Promise<unknown> {
  const place = join(root, `${names++}`);
  mkdirSync(place);
  return failure(place, () =>
    buildFrom(join(place, 'out.hmap'), format, [Buffer.from(text as string)], { value }, columns),
  );
}

describe('files that are no tables', { concurrency: true }, () => {
  const CASES: [file: string, message: RegExp][] = [
    ['missing.hmap', /^hmap: cannot open missing\.hmap: no such file or folder\n$/],
    ['folder.hmap', /^hmap: cannot open folder\.hmap: it is a folder\n$/],
    ['empty.hmap', /^hmap: empty\.hmap: the file is empty\n$/],
    ['text.hmap', /^hmap: text\.hmap: not an hmap file\n$/],
    ['stub.hmap', /^hmap: stub\.hmap: the file is cut short: 100 bytes/],
    ['short.hmap', /^hmap: short\.hmap: the file is cut short: (\d+) bytes, .*\d+\n$/],
    ['long.hmap', /^hmap: long\.hmap: the file is too long: (\d+) bytes, .*\d+\n$/],
    ['textmode.hmap', /^hmap: textmode\.hmap: .*text mode/],
    ['header.hmap', /^hmap: header\.hmap: the header is damaged/],
    ['version.hmap', /^hmap: version\.hmap: .*version 1 .*build the file anew/],
    ['feature.hmap', /^hmap: feature\.hmap: .*features .*0x40/],
  ];
  for (const [i, [file, message]] of CASES.entries()) {
    // Opening is the same for all commands; each case is tried with one of them, the first ones with two.
    const commands = [
      ['get', file, 'a'],
      ['dump', file],
      ['stat', file],
      ['dump', '--header', file],
      ['dump', '--key', 'a', file],
    ];
    for (const args of [commands[i % 5]!, commands[(i + 2) % 5]!].slice(0, i < 3 ? 2 : 1)) {
      test(`${args.join(' ')}`, () => refused(args, message));
    }
  }

  test('a name of two lines makes no message of two', () =>
    refused(['get', 'no\nsuch.hmap', 'a'], /^hmap: cannot open no.such\.hmap: no such file or folder\n$/));

  test('verify cannot run where there is nothing to read', async () => {
    await refused(['verify', 'missing.hmap'], /^hmap: cannot open missing\.hmap: no such file or folder\n$/);
    await refused(
      ['verify', 'folder.hmap'],
      /^hmap: cannot open folder\.hmap: it is a folder, and has no table\.hmaps\.json\n$/,
    );
  });

  for (const args of [['dump'], ['stat'], ['dump', '--bucket', '0']]) {
    test(`damage after the header: ${args.join(' ')}`, async () => {
      const ran = await hmap([...args, 'bucket.hmap'], { cwd: samples });
      assertRefused(ran, /^hmap: .*damaged.*verify/);
    });
  }
});

describe('input that cannot be read, output that cannot be written', { concurrency: true }, () => {
  test('the input', async () => {
    await refused(['build', 'missing.tsv', 'out.hmap'], /^hmap: cannot read missing\.tsv: no such file or folder\n$/);
    await refused(['build', 'folder.tsv', 'out.hmap'], /^hmap: cannot read folder\.tsv: it is a folder\n$/);
    await refused(
      ['build', '-f', 'csv', 'folder.tsv', 'out.hmap'],
      /^hmap: cannot read folder\.tsv: it is a folder\n$/,
    );
  });

  test('the output', async () => {
    await refused(['build', 'good.tsv', 'no/out.hmap'], /^hmap: cannot write no\/out\.hmap: no such file or folder\n$/);
    await refused(['build', 'good.tsv', 'folder.hmap'], /^hmap: .*folder\.hmap/);
    await refused(
      ['build', '--force', 'good.tsv', 'folder.hmap'],
      /^hmap: cannot write folder\.hmap: it is a folder\n$/,
    );
    await refused(['build', 'good.tsv', 'good.hmap'], /^hmap: good\.hmap exists/);
    await refused(['build', 'good.tsv', ''], /^hmap: /);
  });

  test('a path that leads through a file', () =>
    refused(['build', 'good.tsv', 'good.tsv/out.hmap'], /^hmap: cannot write good\.tsv\/out\.hmap: .*not a folder\n$/));

  // The superuser writes everywhere but where the system itself forbids it.
  const isRoot = process.getuid?.() === 0;
  const readOnly = isRoot ? '/sys' : 'read-only';
  test('a folder that takes no files', {
    skip: process.platform === 'win32' || (isRoot && !existsSync(readOnly) && 'the superuser may write everywhere'),
  }, async (t) => {
    const place = temporaryFolder(t);
    writeFileSync(join(place, 'in.tsv'), 'a\tb\n');
    if (!isRoot) {
      mkdirSync(join(place, readOnly));
      chmodSync(join(place, readOnly), 0o555);
    }
    const ran = await hmap(['build', 'in.tsv', join(readOnly, 'out.hmap')], { cwd: place });
    assertRefused(
      ran,
      /^hmap: cannot write \S+out\.hmap: (permission denied|operation not permitted|the file system is read-only)\n$/,
    );
    if (!isRoot) chmodSync(join(place, readOnly), 0o755);
  });
});

interface Malformed {
  format: FormatName;
  text: string | Uint8Array;
  line: number;
  message: RegExp;
  value?: ValueType;
  code?: HmapErrorCode;
}

const malformed = (format: FormatName, text: string | Uint8Array, line: number, message: RegExp): Malformed => ({
  format,
  text,
  line,
  message,
});

const MALFORMED: Malformed[] = [
  malformed('tsv', 'a\tb\nno tab\n', 2, /expected 2 columns.*, found 1; --missing skip leaves out such lines$/),
  malformed('tsv', 'a\tb\r\nc\td\te\r\n', 2, /found 3/),
  malformed('tsv', 'a\tb\nx\nc\td\n', 2, /found 1/),
  malformed('tsv', 'a\tb\nx', 2, /found 1/),
  malformed('csv', 'a,b\n"c\nd",e\nf\n', 4, /found 1/),
  malformed('csv', 'a,b\nc,d,e\n', 2, /found 3/),
  malformed('csv', 'a,b\nc"d,e\n', 2, /quote/i),
  malformed('csv', 'a,b\n"c"d,e\n', 2, /quote/i),
  malformed('jsonl', '{"key":"a","value":1}\n{"key":"b","value":\n', 2, /JSON/),
  malformed('jsonl', '\n\n["a",1]\n', 3, /object/),
  malformed('jsonl', 'null\n', 1, /object/),
  malformed('jsonl', '{"key":"a","value":1} {}\n', 1, /JSON/),
  malformed('jsonl', '{"value":1}\n', 1, /"key"/),
  malformed('jsonl', '{"key":7,"value":1}\n', 1, /"key"/),
  malformed('jsonl', '{"key":"\\ud800","value":1}\n', 1, /"key"/),
  malformed('jsonl', '{"key":{"base64":"A"},"value":1}\n', 1, /"key"/),
  malformed('jsonl', '{"key":{"base64":"AA==","x":1},"value":1}\n', 1, /"key"/),
  malformed('json', '', 1, /no JSON/),
  malformed('json', '1', 1, /object or array/),
  malformed('json', '{"a": 1', 1, /cut short/),
  malformed('json', '{"a": 1,', 1, /cut short/),
  malformed('json', '{"a"', 1, /cut short/),
  malformed('json', '{"a": "x', 1, /cut short/),
  malformed('json', '{\n"a": 1,\n}', 3, /name of a member/),
  malformed('json', '{"a" 1}', 1, /colon/),
  malformed('json', '{"a": 1 "b": 2}', 1, /comma/),
  malformed('json', '{"a": 1}\n{"b": 2}\n', 2, /after the end.*jsonl/),
  malformed('json', '{"a": }', 1, /JSON value/),
  malformed('json', '[["a", 1], ["b"]]', 1, /pair of key and value/),
  malformed('json', '[{"key": "a", "value": 1},\n{"key": "b"}]', 2, /"value" is missing/),
  malformed('json', '["a"]', 1, /--value none/),
  malformed('json', '{"\\ud800": 1}', 1, /surrogate/),
  malformed('cdb', '+1,1:a->b\n+1,1:a=>b\n\n', 2, /->/),
  malformed('cdb', '+1,1:a->b\n+1,1:a->bc\n\n', 2, /line end/),
  malformed('cdb', '+1,1:a->b\n-1,1:a->b\n\n', 2, /klen,dlen/),
  malformed('cdb', '+x,1:a->b\n\n', 1, /klen,dlen/),
  malformed('cdb', '+1:a->b\n\n', 1, /klen,dlen/),
  malformed('cdb', '+12345678901,1:', 1, /klen,dlen/),
  malformed('cdb', '+1,1:a->b\n\n\n', 2, /more after the empty line/),
  malformed('cdb', '+1,1:a->b\n\n+1,1:b->c\n\n', 2, /more after the empty line/),
  malformed('cdb', '+1,1:a->b\n', 2, /empty line/),
  malformed('cdb', '', 1, /empty line/),
  malformed('cdb', '+1,1:a->b\n+5,5:a', 2, /ends/),
  malformed('cdb', '+1,1:a->b\n+', 2, /ends/),
  malformed('cdb', '+1,1073741825:a->', 1, /1073741824/),
];

describe('malformed input is reported with its line', () => {
  for (const { format, text, line, message } of MALFORMED) {
    test(`${format}: ${JSON.stringify(text)}`, async () => {
      const value = { tsv: 'utf8', csv: 'utf8', json: 'json', jsonl: 'json', cdb: 'bytes', lines: 'none' }[
        format
      ] as ValueType;
      hmapError('HMAP_INPUT', { line, message })(await failing(format, value, text));
    });
  }

  test('csv: a quote that nobody closes, with the line where it opens', async () => {
    const text = `a,b\n"c,d\n${'e,f\n'.repeat(100)}`;
    hmapError('HMAP_INPUT', { line: 2, message: /quote/i })(await failing('csv', 'utf8', text));
  });

  test('jsonl: bytes that are no UTF-8 are refused, not replaced', async () => {
    for (const text of ['{"key":"\xff","value":1}\n', '{"key":"a","value":"\xc3("}\n']) {
      const error = await failing('jsonl', 'json', Buffer.from(text, 'latin1'));
      hmapError('HMAP_INPUT', { line: 1, message: /UTF-8/ })(error);
    }
  });

  test('text that is no UTF-8 is refused for utf8 and json, not replaced', async () => {
    for (const [format, value, text] of [
      ['tsv', 'utf8', 'a\tb\nk\t\xff\n'],
      ['csv', 'utf8', 'a,b\nk,\xff\n'],
      ['cdb', 'utf8', '+1,1:a->b\n+1,1:k->\xff\n\n'],
      ['tsv', 'json', 'a\t1\nk\t"\xff"\n'],
      ['cdb', 'json', '+1,1:a->1\n+1,3:k->"\xff"\n\n'],
    ] as const) {
      const error = await failing(format, value, Buffer.from(text, 'latin1'));
      hmapError('HMAP_VALUE_INVALID', { line: 2, key: 'k' })(error);
    }
  });

  describe('by the program', { concurrency: true }, () => {
    const CASES: [FormatName, string, RegExp][] = [
      ['tsv', 'a\tb\nno tab\n', /^hmap: stdin: line 2: expected 2 columns/],
      ['csv', 'a,b\n"c\nd"x,e\n', /^hmap: stdin: line 3: .*quote/i],
      ['jsonl', '{"key":"a","value":1}\n{"key":"b"\n', /^hmap: stdin: line 2: not valid JSON/],
      ['cdb', '+1,1:a->b\nx', /^hmap: stdin: line 2: expected \+klen,dlen:key->data/],
    ];
    for (const [format, text, message] of CASES) {
      test(format, () => refused(['build', '-f', format, '-', 'out.hmap'], message, text));
    }

    test('lines have no malformed line, but keys that are too long', () =>
      refused(
        ['build', '-f', 'lines', '-', 'out.hmap'],
        /^hmap: stdin: line 2: .*65535/,
        `a\n${'k'.repeat(65_536)}\n`,
      ));

    test('a file is named as it was given', async (t) => {
      const place = temporaryFolder(t);
      writeFileSync(join(place, 'bad.tsv'), 'a\tb\nx\n');
      assertRefused(await hmap(['build', 'bad.tsv', 'out.hmap'], { cwd: place }), /^hmap: bad\.tsv: line 2: /);
      assert.deepEqual(Object.keys(contentOf(place)), ['bad.tsv']);
    });

    test('control characters of the input do not reach the terminal', async () => {
      await refused(['build', '-f', 'jsonl', '-', 'out.hmap'], /line 1: .*JSON/, '{"key": \r\x1b[31m\x07x\n');
      await refused(['build', '-f', 'csv', '-', 'out.hmap'], /line \d: /, 'a,b\na\x1b[31m\rb"c,d\n');
      await refused(['build', '-f', 'tsv', '-v', 'u8', '-', 'out.hmap'], /line 1: .*"a/, 'a\x1b[31m\t1\x1b[0m\n');
    });
  });
});

describe('values that do not fit are reported with key and line', () => {
  const WRITERS: [FormatName, (key: string, value: string) => string][] = [
    ['tsv', (key, value) => `${key}\t${value}\n`],
    ['csv', (key, value) => `${key},"${value}"\n`],
    ['jsonl', (key, value) => `{"key":"${key}","value":${JSON.stringify(value)}}\n`],
    ['cdb', (key, value) => `+${key.length},${Buffer.byteLength(value)}:${key}->${value}\n`],
  ];
  const check = async (value: ValueType, texts: readonly string[], code: HmapErrorCode) => {
    for (const [format, write] of WRITERS) {
      for (const text of texts) {
        const input = `${write('fine', value === 'json' ? '[]' : '1')}${write('the key', text)}${format === 'cdb' ? '\n' : ''}`;
        const error = await failing(format, value, input);
        hmapError(code, { line: 2, key: 'the key', message: /^input: line 2: the value of key "the key"/ })(error);
      }
    }
  };

  for (const [type, [least, most]] of Object.entries(RANGES) as [ValueType, readonly [bigint, bigint]][]) {
    test(`${type}: one below the least, one above the most, and far out`, () =>
      check(
        type,
        [`${BigInt(least) - 1n}`, `${BigInt(most) + 1n}`, `-${'9'.repeat(40)}`, '9'.repeat(40)],
        'HMAP_VALUE_RANGE',
      ));

    test(`${type}: what is no integer`, () =>
      check(type, ['', ' 1', '1 ', '1.5', '1e3', '0x10', '--1', 'one', '1,000', '१', 'NaN'], 'HMAP_VALUE_INVALID'));
  }

  for (const type of ['f32', 'f64'] as const) {
    test(`${type}: what is no number`, () =>
      check(
        type,
        ['', ' 1', '1.5.5', '0x10', 'one', '.', 'e5', '1e', 'nan', 'inf', '+Infinity'],
        'HMAP_VALUE_INVALID',
      ));
  }

  test('f32 and f64: a number that is too large does not become infinite', async () => {
    await check('f32', ['3.5e38', '-1e39', '1e400'], 'HMAP_VALUE_RANGE');
    await check('f64', ['1.8e308', '-1e400'], 'HMAP_VALUE_RANGE');
  });

  test('jsonl: numbers out of range that do not stand as strings', async () => {
    const cases: [ValueType, string][] = [
      ...(['u8', 'i8', 'u16', 'i16', 'u32', 'i32'] as const).flatMap((type): [ValueType, string][] => [
        [type, `${RANGES[type][0] - 1}`],
        [type, `${RANGES[type][1] + 1}`],
        [type, '0.5'],
      ]),
      ['u64', '-1'],
      ['f32', '-1e39'],
      ['f64', '1e400'],
    ];
    for (const [type, number] of cases) {
      const error = await failing('jsonl', type, `{"key":"k","value":${number}}`);
      hmapError('HMAP_VALUE_RANGE', { line: 1, key: 'k' })(error);
    }
  });

  test('json: a number that is too large does not become null', async () => {
    for (const [format, text] of [
      ['jsonl', '{"key":"k","value":{"n":1e400}}\n'],
      ['tsv', 'k\t-1e400\n'],
    ] as const) {
      const error = await failing(format, 'json', text);
      hmapError('HMAP_VALUE_RANGE', { message: /line 1: .*"k".*finite, got -?Infinity/ })(error);
    }
  });

  test('a value in which a number was expected is shown as it stands', async () => {
    for (const type of ['u8', 'i64', 'f64'] as const) {
      const error = await failing('tsv', type, 'k\t1€ ½');
      hmapError('HMAP_VALUE_INVALID', { line: 1, actual: '1€ ½', message: /got "1€ ½"$/ })(error);
    }
  });

  test('json: what is no JSON text', async () => {
    for (const [format, write] of WRITERS) {
      if (format === 'jsonl') continue;
      for (const text of ['', '{', 'undefined', "'a'", '[1,]', 'NaN', '\ufeff1']) {
        const input = `${write('k', text)}${format === 'cdb' ? '\n' : ''}`;
        hmapError('HMAP_VALUE_INVALID', { line: 1, key: 'k' })(await failing(format, 'json', input));
      }
    }
  });

  test('jsonl: values of other kinds than the type', async () => {
    const cases: [ValueType, string][] = [
      ['u8', 'null'],
      ['u8', 'true'],
      ['u8', '[1]'],
      ['u64', '1.5'],
      ['utf8', '1'],
      ['utf8', '"\\ud800"'],
      ['bytes', '1'],
      ['bytes', '{"base64":"A"}'],
      ['bytes', '"\\udc00"'],
      ['f64', 'null'],
      ['none', '1'],
      ['none', 'false'],
    ];
    for (const [value, json] of cases) {
      const error = await failing('jsonl', value, `{"key":"k","value":${json}}\n`);
      hmapError('HMAP_VALUE_INVALID', { line: 1, key: 'k' })(error);
    }
    const told = hmapError('HMAP_INPUT', { line: 1, message: /the member "value" is missing/ });
    for (const value of ['json', 'u8', 'utf8'] as const) told(await failing('jsonl', value, '{"key":"k"}\n'));
    const number = hmapError('HMAP_INPUT', { line: 1, message: /for numbers as keys choose --key u32, u64 or i64/ });
    number(await failing('jsonl', 'u8', '{"key":5,"value":1}\n'));
    hmapError('HMAP_INPUT', { message: /the member "key" is missing/ })(await failing('jsonl', 'u8', '{"value":1}\n'));
  });

  test('jsonl: half a surrogate pair, in a key and in values of text', async () => {
    const half = String.raw`\ud800`;
    const key = hmapError('HMAP_INPUT', {
      line: 1,
      message: /^input: line 1: the member "key" has an unpaired surrog/,
    });
    key(await failing('jsonl', 'u8', `{"key":"${half}","value":1}\n`));
    for (const value of ['utf8', 'enum', 'bytes'] as const) {
      const told = {
        line: 1,
        key: 'k',
        message: /^input: line 1: .* key "k": expected .*text without unpaired surrog/,
      };
      hmapError('HMAP_VALUE_INVALID', told)(await failing('jsonl', value, `{"key":"k","value":"${half}"}\n`));
    }
    const number = hmapError('HMAP_VALUE_INVALID', { message: /a string or \{"base64": "\.\.\."\}, got 5$/ });
    number(await failing('jsonl', 'bytes', '{"key":"k","value":5}\n'));
  });

  test('a set has no values', async () => {
    hmapError('HMAP_VALUE_INVALID', { line: 1, key: 'a' })(await failing('cdb', 'none', '+1,1:a->b\n\n'));
  });

  describe('by the program', { concurrency: true }, () => {
    const out = ['-', 'out.hmap'];
    test('tsv', () =>
      refused(['build', '-f', 'tsv', '-v', 'u8', ...out], /^hmap: .*line 2: .*"b".*0 to 255.*256/, 'a\t1\nb\t256\n'));
    test('csv', () =>
      refused(['build', '-f', 'csv', '-v', 'i8', ...out], /^hmap: .*line 1: .*"a".*-128 to 127/, 'a,-129\n'));
    test('jsonl', () =>
      refused(
        ['build', '-f', 'jsonl', '-v', 'u16', ...out],
        /^hmap: .*line 1: .*"a".*65535/,
        '{"key":"a","value":65536}',
      ));
    test('cdb', () =>
      refused(['build', '-f', 'cdb', '-v', 'u32', ...out], /^hmap: .*line 1: .*"a".*u32/, '+1,1:a->x\n\n'));
    test('lines hold no values', () =>
      refused(['build', '-f', 'lines', '-v', 'u8', ...out], /^hmap: --value: .*'lines'/, 'a\n'));
  });
});

describe('options and arguments', { concurrency: true }, () => {
  const CASES: [args: string[], message: RegExp][] = [
    [['biuld', 'good.tsv', 'out.hmap'], /^hmap: unknown command 'biuld'\n\(Did you mean build\?\)/],
    [['--jsno'], /^hmap: unknown option '--jsno'/],
    [
      ['build', '--memroy', '1G', 'good.tsv', 'out.hmap'],
      /^hmap: unknown option '--memroy'\n\(Did you mean --memory\?\)/,
    ],
    [['get', '--jsn', 'good.hmap', 'a'], /^hmap: unknown option '--jsn'\n\(Did you mean --json\?\)/],
    [['dump', '--limt', '1', 'good.hmap'], /^hmap: unknown option '--limt'\n\(Did you mean --limit\?\)/],
    [['build', 'good.tsv'], /^hmap: <output>: name the \.hmap file to make\n$/],
    [['build', 'good.tsv', 'out.hmap', 'more'], /^hmap: too many arguments/],
    [['get'], /^hmap: missing required argument 'file'/],
    [['dump', 'good.hmap', 'good.hmap'], /^hmap: too many arguments/],
    [['verify'], /^hmap: missing required argument 'file'/],
    [
      ['build', '--format', 'xml', 'good.tsv', 'out.hmap'],
      /^hmap: .*--format.*'xml'.* tsv, csv, json, jsonl, cdb, lines/,
    ],
    [['build', '--value', 'u77', 'good.tsv', 'out.hmap'], /^hmap: .*--value.*'u77'.* u32, /],
    [['build', '--memory', '1X', 'good.tsv', 'out.hmap'], /^hmap: .*--memory.*'1X'/],
    [['build', '--memory', '1023K', 'good.tsv', 'out.hmap'], /^hmap: .*memory.*at least 1M/],
    [['build', '--seed', '4294967296', 'good.tsv', 'out.hmap'], /^hmap: .*--seed.*4294967295/],
    [['build', '--seed', '-1', 'good.tsv', 'out.hmap'], /^hmap: .*--seed/],
    [['build', '--meta', 'novalue', 'good.tsv', 'out.hmap'], /^hmap: .*--meta.*'novalue'.* name=value/],
    [['build', '--meta', `big=${'x'.repeat(65_536)}`, 'good.tsv', 'out.hmap'], /^hmap: .*metadata.*65536/],
    [['build', '--seed'], /^hmap: .*--seed.* argument missing/],
    [['dump', '--limit', 'few', 'good.hmap'], /^hmap: .*--limit.*'few'/],
    [
      ['build', 'noending', 'out.hmap'],
      /^hmap: --format: .*noending.* tsv, csv, json, jsonl, cdb, lines, cdb-binary, sqlite, parquet, redis\n$/,
    ],
    [
      ['plan', 'noending'],
      /^hmap: --format: .*noending.* tsv, csv, json, jsonl, cdb, lines, cdb-binary, sqlite, parquet, redis\n$/,
    ],
    [['plan', 'missing.tsv'], /^hmap: cannot read missing\.tsv: no such file or folder\n$/],
    [['plan', 'names.tsv'], /^hmap: names\.tsv: line 1: expected 2 columns/],
    [['plan', '--key-column', 'nmae', 'names.tsv'], /^hmap: --key-column: .*'nmae'.*'name'/],
    [
      ['build', '-', 'out.hmap'],
      /^hmap: --format: .*stdin.* tsv, csv, json, jsonl, cdb, lines, cdb-binary, sqlite, parquet, redis\n$/,
    ],
    [['build', '--key-column', 'nmae', 'names.tsv', 'out.hmap'], /^hmap: --key-column: .*'nmae'.*'name'/],
    [
      ['build', '--value-column', 'total', 'names.csv', 'out.hmap'],
      /^hmap: --value-column: .*'total'.* id, name, count\n$/,
    ],
  ];
  for (const [args, message] of CASES) {
    const shown = args.map((arg) => (arg.length > 40 ? `${arg.slice(0, 8)}...` : arg)).join(' ');
    test(`hmap ${shown}`, () => refused(args, message));
  }

  test('columns that do not exist, by number', async () => {
    for (const [format, text] of [
      ['tsv', 'a\tb\n'],
      ['csv', 'a,b\n'],
    ] as const) {
      const columns = { ...NO_COLUMNS, value: '3' };
      const error = await failing(format, 'utf8', text, columns);
      hmapError('HMAP_INPUT', { line: 1, message: /expected 3 columns.*, found 2; --missing skip/ })(error);
    }
  });

  test('no arguments: how it is used, on stderr', async () => {
    const ran = await hmap([]);
    assert.deepEqual([ran.code, ran.stdout], [2, '']);
    assert.match(ran.stderr, /^Usage: hmap /);
  });
});

describe('help', { concurrency: true }, () => {
  test('--version is the one of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
    for (const option of ['--version', '-V']) assert.equal((await fine([option])).stdout, `${version}\n`);
  });

  test('hmap --help names the commands and the exit codes', async () => {
    const ran = await fine(['--help']);
    assert.equal(ran.stderr, '');
    for (const command of ['build', 'get', 'explain', 'dump', 'verify', 'stat', 'diff', 'merge', 'report', 'plan'])
      assert.match(ran.stdout, new RegExp(`^  ${command} `, 'm'));
    assert.match(ran.stdout, /^Exit codes: 0 .*1 .*2 /m);
  });
});
