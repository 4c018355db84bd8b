// Tests `hmap dump` and the writers of tools/formats: what is dumped builds the identical file, or is refused; offsets
// are real.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { type BuildOptions, build, type Entry, type Key, open, type ValueType } from '../../src/index.js';
import { headerJson } from '../../tools/commands/header-json.js';
import { hmapError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { EXTREMES, fileOrder, sampleOf, VALUE_TYPES } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, assertSameFile, buildFrom, dumpOf, fine, HMAP, hmap, readFrom } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let names = 0;
const fresh = (ending = '.hmap') => join(folder, `${names++}${ending}`);

type Pair = readonly [key: Key, value: unknown];

async function table(entries: Iterable<Pair>, options: BuildOptions): Promise<string> {
  const path = fresh();
  await build(path, entries as Iterable<Entry<ValueType>>, { memory: 2 ** 20, ...options });
  return path;
}

/** Dumps a table, builds from the dump, and holds the two files to be the same. */
async function roundTrip(path: string, format: 'tsv' | 'csv' | 'jsonl' | 'cdb' | 'lines', what: string): Promise<void> {
  const { header } = open(path);
  const text = await dumpOf(path, format);
  const again = fresh();
  const options = { value: header.valueType as ValueType, seed: header.hash.seed, metadata: header.metadata };
  await buildFrom(again, format, [text], options);
  assertSameFile(again, readFileSync(path), `${format}, ${what}: ${JSON.stringify(text.toString('latin1', 0, 100))}`);
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

/** What formats of text stumble over. */
const NASTY: readonly Buffer[] = [
  ...['', ' ', '  lead', 'trail  ', '\t', 'a\tb', '\n', 'a\nb', '\r', 'a\r', '\r\n', 'a\r\nb', 'a\rb', '\ra'],
  ...['"', '""', '"q"', 'a"b', '"a', ',', 'a,b', ',,', "'", '\\', '\\n', '\\"', '#', '=1+1', 'null', 'NaN', '-0'],
  ...['\0', 'a\0b', '\0\0\0', '+1,1:a->b', '->', '{"base64":"AA=="}', 'key', '\v\f', '\x7f', '\x1b[0m'],
  ...['é', '€,', '\u{1f600}', '\u00a0', '\u0085', '\u2028', '\ufffd', '\uffff', 'x\ufeff', '\ufeff', '\ufeffx'],
]
  .map((text) => Buffer.from(text))
  .concat(
    ['\xff', '\xff\xfe', '\xff\xfea', '\xfe\xff', '\xef\xbb', '\xc3(', '\xed\xa0\x80', '\0\xff\0', '\x80\n'].map(bytes),
  );

/** Whether a line of text can hold these bytes anywhere. */
const isTame = (part: Buffer) =>
  !/[\t\n]|\r$/.test(part.toString('latin1')) && !part.subarray(0, 3).equals(bytes('\xef\xbb\xbf'));

describe('jsonl', () => {
  test('writes texts as JSON.stringify does', async () => {
    const texts = NASTY.map(String).filter((text) => Buffer.from(text).every((byte) => byte !== 0xff));
    const path = await table(
      texts.map((text, i): Pair => [`${i} ${text}`, text]),
      { value: 'utf8' },
    );
    using written = open(path);
    const expected = Array.from(written, ([key, value]) => JSON.stringify({ key, value }));
    assert.deepEqual((await dumpOf(path, 'jsonl')).toString().trimEnd().split('\n'), expected);
  });

  test('writes all digits of integers', async () => {
    const values = Array.from({ length: 20 }, (_, i) => [10n ** BigInt(i), 10n ** BigInt(i) - 1n]).flat();
    values.push(...[31n, 32n, 52n, 53n, 63n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n]));
    const small = values.filter((value) => value < 2n ** 63n);
    for (const [value, list] of [
      ['u64', values],
      ['i64', [...small, ...small.map((value) => -value)]],
    ] as const) {
      const unique = [...new Set(list)];
      const path = await table(
        unique.map((value): Pair => [value as never, value]),
        { key: value, value },
      );
      const lines = (await dumpOf(path, 'jsonl')).toString().trimEnd().split('\n');
      const expected = unique.map((value) => `{"key":"${value}","value":"${value}"}`);
      assert.deepEqual(lines.toSorted(), expected.toSorted());
      const tabs = (await dumpOf(path, 'tsv')).toString().trimEnd().split('\n');
      assert.deepEqual(tabs.toSorted(), unique.map((value) => `${value}\t${value}`).toSorted());
    }
  });
});

describe('dump, then build, gives the identical file', () => {
  for (const type of VALUE_TYPES) {
    test(`values of the type ${type}`, async () => {
      const random = new Random(VALUE_TYPES.indexOf(type));
      const samples = [...EXTREMES[type], ...Array.from({ length: 200 }, () => sampleOf(type, random))];
      // Lines cannot hold every text; the others hold all of them.
      const lines =
        type === 'bytes' || type === 'utf8' || type === 'enum'
          ? samples.filter((v) => isTame(Buffer.from(v as string)))
          : samples;
      const options = { value: type, seed: random.u32(), metadata: { of: type, list: [1, null] } };
      const named = (list: readonly unknown[]) => list.map((value, i): Pair => [`key ${i}`, value]);
      const all = await table(named(samples), options);
      for (const format of ['jsonl', 'csv', 'cdb'] as const) await roundTrip(all, format, type);
      const tame = await table(named(lines), options);
      await roundTrip(tame, 'tsv', type);
      if (type === 'none') await roundTrip(tame, 'lines', type);
    });
  }

  /** Each of the nasty ones in tables of one entry. */
  const alone: { asBoth: string; asKey: string; asValue: string; inSet: string }[] = [];
  before(async () => {
    for (const part of NASTY) {
      alone.push({
        asBoth: await table([[part, part]], { value: 'bytes' }),
        asKey: await table([[part, bytes('v')]], { value: 'bytes' }),
        asValue: await table([['k', part]], { value: 'bytes' }),
        inSet: await table([[part, true]], { value: 'none' }),
      });
    }
  });

  for (const format of ['jsonl', 'csv', 'cdb'] as const) {
    test(`${format} carries all bytes, in keys and in values`, async () => {
      const together = NASTY.map((key, i): Pair => [key, NASTY[(i + 7) % NASTY.length]]);
      for (const seed of [0, 1, 2])
        await roundTrip(await table(together, { value: 'bytes', seed }), format, 'together');
      const keys = NASTY.map((key): Pair => [key, true]);
      await roundTrip(await table(keys, { value: 'none' }), format, 'keys alone');
      const lengths = Array.from(
        { length: 300 },
        (_, i): Pair => [new Random(i).bytes(i), new Random(~i).bytes(300 - i)],
      );
      await roundTrip(await table(lengths, { value: 'bytes' }), format, 'random bytes');
    });

    // Alone, each of them is the first thing that a reader sees.
    test(`${format} carries each of them at the start of the dump`, async () => {
      for (const [i, part] of NASTY.entries()) {
        const what = JSON.stringify(part.toString('latin1'));
        const { asBoth, inSet } = alone[i]!;
        assert.deepEqual(await readFrom(format, [await dumpOf(asBoth, format)], 'bytes'), [[part, part]], what);
        const key = await readFrom(format, [await dumpOf(inSet, format)], 'none');
        assert.deepEqual(key, [[part, Buffer.alloc(0)]], `${what} in a set`);
      }
    });

    test(`${format}: tables of no entry and of one`, async () => {
      for (const value of VALUE_TYPES) {
        await roundTrip(await table([], { value }), format, `no ${value}`);
        await roundTrip(await table([['', EXTREMES[value][0]]], { value }), format, `one ${value}`);
      }
    });
  }

  test('tsv and lines carry what a line can hold, and refuse the rest', async () => {
    for (const [i, part] of NASTY.entries()) {
      const what = JSON.stringify(part.toString('latin1'));
      const { asKey, asValue, inSet } = alone[i]!;
      const cases = [
        ['tsv', asKey, 'bytes', [part, bytes('v')]],
        ['tsv', asValue, 'bytes', [bytes('k'), part]],
        ['tsv', inSet, 'none', [part, bytes('')]],
        ['lines', inSet, 'none', [part, bytes('')]],
      ] as const;
      for (const [format, path, value, entry] of cases) {
        let refusal: unknown;
        const text = await dumpOf(path, format).catch((error: unknown) => {
          refusal = error;
        });
        if (text !== undefined) assert.deepEqual(await readFrom(format, [text], value), [entry], `${format}: ${what}`);
        if (isTame(part)) assert.equal(refusal, undefined, `${format} can carry ${what}`);
        else if (refusal !== undefined) hmapError('HMAP_NOT_REPRESENTABLE', { message: /'(tsv|lines)'/ })(refusal);
        const hasTab = part.includes('\t') && format === 'tsv';
        if (hasTab || part.includes('\n')) assert.ok(refusal, `${format} cannot carry ${what}`);
      }
    }
  });

  test('what tsv and lines refuse is reported with the key', async () => {
    const cases = [
      ['tsv', await table([['a\tb', 1]], { value: 'u8' }), /a tab/],
      ['tsv', await table([['a\\tb', 'line\nend']], { value: 'utf8' }), /a line end/],
      ['tsv', await table([['a\\tb', 'CR\r']], { value: 'utf8' }), /a carriage return at the end/],
      ['lines', await table([['a\r', true]], { value: 'none' }), /a carriage return at the end/],
      ['lines', await table([['\ufeff', true]], { value: 'none' }), /a byte order mark/],
    ] as const;
    for (const [format, path, message] of cases) {
      await assert.rejects(dumpOf(path, format), hmapError('HMAP_NOT_REPRESENTABLE', { message }));
      await assert.rejects(dumpOf(path, format), hmapError('HMAP_NOT_REPRESENTABLE', { message: /key "(a|\ufeff)/ }));
    }
    const [tsv, , , lines] = cases;
    assertRefused(await hmap(['dump', '--format', 'tsv', tsv[1]]), /^hmap: .*"a\\tb" has a tab.*'tsv'.*jsonl/);
    assertRefused(await hmap(['dump', '--format', 'lines', lines[1]]), /^hmap: .*"a\\r".*'lines'/);
    assertRefused(await hmap(['dump', '-f', 'lines', tsv[1]]), /^hmap: .*'lines'.* u8 values/);
  });

  test('several segments', async () => {
    const entries = Array.from({ length: 600 }, (_, i): Pair => [`key ${i}`, `value ${i}`]);
    const path = await table(entries, { value: 'utf8', segmentBytes: 4096 });
    assert.ok(open(path).header.segments.length > 1);
    const single = await table(entries, { value: 'utf8' });
    for (const format of ['jsonl', 'tsv', 'csv', 'cdb'] as const) {
      assert.ok((await dumpOf(path, format)).equals(await dumpOf(single, format)), format);
    }
  });

  test('entries longer than the buffer before stdout', async () => {
    const long = 'x'.repeat(700_000);
    const entries = Array.from({ length: 20 }, (_, i): Pair => [`key ${i}`, i % 2 === 0 ? long : `${i}`]);
    const path = await table(entries, { value: 'utf8' });
    for (const format of ['jsonl', 'csv', 'cdb'] as const) {
      const { bytes: dumped } = await fine(['dump', '-f', format, path]);
      assert.ok(dumped.equals(await dumpOf(path, format)), format);
      await roundTrip(path, format, 'long');
    }
  });
});

describe('dump, then build, by the program', { concurrency: true }, () => {
  const entries = NASTY.filter(isTame).map((key, i): Pair => [key, bytes(`value ${i}`)]);
  const sets = entries.map(([key]): Pair => [key, true]);
  for (const format of ['tsv', 'csv', 'jsonl', 'cdb', 'lines'] as const) {
    test(format, async () => {
      const value = format === 'lines' ? 'none' : 'bytes';
      const metadata = { name: 'x', note: 'a=b' };
      const path = await table(format === 'lines' ? sets : entries, { value, seed: 0xfeed, metadata });
      const dumped = await fine(['dump', ...(format === 'jsonl' ? [] : ['--format', format]), path]);
      assert.equal(dumped.stderr, '');
      const again = fresh();
      const same = ['--value', value, '--seed', '0xfeed', '--meta', 'note=a=b', '--meta', 'name=x'];
      // Some of the keys are no text.
      if (format === 'lines') same.push('--encoding', 'none');
      await fine(['build', '--format', format, ...same, '-', again], { input: dumped.bytes });
      assertSameFile(again, readFileSync(path));
    });
  }

  const cdb = spawnSync('cdb', ['-h']).error === undefined;
  test('the program cdb takes a dump in, and gives it back', {
    skip: !cdb && 'the program cdb (tinycdb) is not on the PATH',
  }, async () => {
    const pairs = NASTY.map((key, i): Pair => [key, NASTY[(i * 5) % NASTY.length]]);
    for (let i = 0; i < 2000; i++) pairs.push([`more ${i}`, Buffer.from(`${i}`)]);
    const path = await table(pairs, { value: 'bytes' });
    const dumped = await fine(['dump', '--format', 'cdb', path]);
    const foreign = fresh('.cdb');
    const made = spawnSync('cdb', ['-c', foreign], { input: dumped.bytes });
    assert.equal(made.status, 0, made.stderr.toString());
    for (const [key, value] of pairs.slice(-3)) {
      assert.deepEqual(spawnSync('cdb', ['-q', foreign, key as string]).stdout, value);
    }
    const back = spawnSync('cdb', ['-d', foreign], { maxBuffer: 2 ** 24 });
    assert.equal(back.status, 0, back.stderr.toString());
    const again = fresh();
    await fine(['build', '--format', 'cdb', '-', again], { input: back.stdout });
    assertSameFile(again, readFileSync(path));
  });
});

describe('what a dump looks like', () => {
  test('JSON Lines: one object a line, in the order of the file', async () => {
    const keys = ['a', 'ä', '', 'a\nb', '"'];
    const path = await table(
      keys.map((key) => [key, { k: key }]),
      { value: 'json', seed: 3 },
    );
    const lines = (await dumpOf(path, 'jsonl')).toString().split('\n');
    assert.equal(lines.pop(), '');
    const expected = fileOrder(keys, 3).map((key) => ({ key, value: { k: key } }));
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      expected,
    );
  });

  test('bytes that are no UTF-8 stand in base64', async () => {
    const path = await table([[bytes('\xff\0'), bytes('\xc3')]], { value: 'bytes' });
    assert.equal((await dumpOf(path, 'jsonl')).toString(), '{"key":{"base64":"/wA="},"value":{"base64":"ww=="}}\n');
  });

  test('a set has keys alone', async () => {
    const path = await table([['a b', true]], { value: 'none' });
    const texts = { jsonl: '{"key":"a b"}\n', tsv: 'a b\n', csv: 'a b\n', lines: 'a b\n', cdb: '+3,0:a b->\n\n' };
    for (const [format, text] of Object.entries(texts)) {
      assert.equal((await dumpOf(path, format as keyof typeof texts)).toString(), text, format);
    }
  });

  const NUMBERS: [ValueType, unknown, text: string, json: string][] = [
    ['f64', Number.NaN, 'NaN', '"NaN"'],
    ['f64', -0, '-0', '-0'],
    ['f64', 0, '0', '0'],
    ['f64', Infinity, 'Infinity', '"Infinity"'],
    ['f32', -Infinity, '-Infinity', '"-Infinity"'],
    ['f64', 0.1, '0.1', '0.1'],
    ['f32', 0.5, '0.5', '0.5'],
    ['f64', Number.MAX_VALUE, '1.7976931348623157e+308', '1.7976931348623157e+308'],
    ['f64', 5e-324, '5e-324', '5e-324'],
    ['u64', 2n ** 64n - 1n, '18446744073709551615', '"18446744073709551615"'],
    ['i64', -(2n ** 63n), '-9223372036854775808', '"-9223372036854775808"'],
    ['i8', -128, '-128', '-128'],
    ['u32', 4_294_967_295, '4294967295', '4294967295'],
  ];
  test('numbers, none of them losing anything', async () => {
    for (const [value, number, text, json] of NUMBERS) {
      const path = await table([['k', number]], { value });
      assert.equal((await dumpOf(path, 'tsv')).toString(), `k\t${text}\n`);
      assert.equal((await dumpOf(path, 'csv')).toString(), `k,${text}\n`);
      assert.equal((await dumpOf(path, 'cdb')).toString(), `+1,${text.length}:k->${text}\n\n`);
      assert.equal((await dumpOf(path, 'jsonl')).toString(), `{"key":"k","value":${json}}\n`);
    }
  });

  test('--limit prints the first entries', async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
    const path = await table(
      keys.map((key) => [key, true]),
      { value: 'none' },
    );
    const order = fileOrder(keys);
    const limited = async (limit: string, format = 'lines') =>
      (await fine(['dump', '--format', format, '--limit', limit, path])).stdout;
    const texts = await Promise.all([
      limited('3'),
      limited('0'),
      limited('1000'),
      limited('1', 'cdb'),
      limited('0', 'cdb'),
    ]);
    const all = order.map((key) => `${key}\n`);
    assert.deepEqual(texts, [
      all.slice(0, 3).join(''),
      '',
      all.join(''),
      `+${order[0]!.length},0:${order[0]}->\n\n`,
      '\n',
    ]);
  });

  test('--header prints all that the header says', async () => {
    const path = await table([['a', 1]], { value: 'u16', seed: 9, metadata: { ä: [1] } });
    const { stdout } = await fine(['dump', '--header', path]);
    const printed = JSON.parse(stdout);
    assert.deepEqual(printed, JSON.parse(JSON.stringify(headerJson(open(path).header))));
    assert.equal(printed.valueType, 'u16');
    assert.deepEqual(printed.hash, { algorithm: 'xxh32', seed: 9 });
    assert.deepEqual(printed.metadata, { ä: [1] });
    const file = readFileSync(path);
    assert.equal(BigInt(printed.checksums.sum), file.readBigUInt64LE(104));
    assert.equal(printed.fileBytes, file.length);
  });
});

interface Row {
  offset: number;
  bytes: Buffer;
  label: string;
}

/** The rows of a hex dump, each compared with the bytes of the file at its offset. */
function hexRows(text: string, file: Buffer): Row[] {
  const rows: Row[] = [];
  for (const line of text.split('\n')) {
    const match = /^ +(\d+) {2}((?:[0-9a-f]{2} )+) *\|(.{16})\|(?: {2}(.+))?$/.exec(line);
    if (match === null) continue;
    const row = Buffer.from(match[2]!.replaceAll(' ', ''), 'hex');
    const offset = Number(match[1]);
    assert.deepEqual(file.subarray(offset, offset + row.length), row, `the bytes at ${offset}`);
    const ascii = row.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    assert.equal(match[3], ascii.padEnd(16));
    rows.push({ offset, bytes: row, label: match[4] ?? '' });
  }
  return rows;
}

/** Joins the rows of parts: each part is where it begins and its bytes. Rows of a part follow each other. */
function partsOf(rows: Row[]): Row[] {
  const parts: Row[] = [];
  for (const row of rows) {
    const last = parts.at(-1);
    if (row.label !== '') {
      parts.push({ ...row });
      continue;
    }
    assert.equal(row.offset, last!.offset + last!.bytes.length);
    last!.bytes = Buffer.concat([last!.bytes, row.bytes]);
  }
  return parts;
}

describe('--bucket and --key', { concurrency: true }, () => {
  const entries = Array.from({ length: 300 }, (_, i): Pair => [`key ${i}`, bytes(`${i}\xff`.repeat(i % 30))]);
  let path: string;
  let file: Buffer;
  before(async () => {
    path = await table(entries, { value: 'bytes', segmentBytes: 4096, seed: 5 });
    file = readFileSync(path);
  });

  test('the record of a key, with the bytes that the file has there', async () => {
    for (const [key, value] of [entries[0]!, entries[29]!, entries[150]!]) {
      const { stdout } = await fine(['dump', '--key', key as string, path]);
      const parts = partsOf(hexRows(stdout, file));
      const empty = (value as Buffer).length === 0;
      const labels = ['length prefixes', 'key', 'value (bytes)'].slice(0, empty ? 2 : 3);
      assert.deepEqual(
        parts.map(({ label }) => label),
        labels,
      );
      const [prefix, keyPart, valuePart] = parts;
      assert.deepEqual(keyPart!.bytes, Buffer.from(key as string));
      assert.deepEqual(valuePart?.bytes ?? Buffer.alloc(0), value);
      assert.equal(prefix!.offset + prefix!.bytes.length, keyPart!.offset);
      assert.equal(prefix!.bytes[0], (key as string).length);
      if (valuePart !== undefined) assert.equal(keyPart!.offset + keyPart!.bytes.length, valuePart.offset);
      assert.match(stdout, new RegExp(`record of key "${key}", hash 0x[0-9a-f]{8}\n`));
    }
  });

  test('a bucket holds the records that its line of the index says', async () => {
    const { header } = open(path);
    assert.ok(header.segments.length > 1);
    const perSegment = (header.eighths * 2 ** header.bucketBits) / 8;
    const bits = header.index.offsetBits;
    const size = 4 * bits + 8;
    const last = perSegment * header.segments.length - 1;
    const seen = await Promise.all(
      [0, 1, 2, 3, perSegment, last].map(async (index) => {
        const { stdout } = await fine(['dump', '--bucket', `${index}`, path]);
        const segment = Math.floor(index / perSegment);
        const at = header.index.offset + Math.floor(index / 32) * size;
        const line = BigInt(
          `0x${Buffer.from(file.subarray(at, at + size))
            .reverse()
            .toString('hex')}`,
        );
        const place = (slot: number) => {
          const [anchor, offset] = [BigInt.asUintN(32, line), BigInt.asUintN(bits, line >> BigInt(32 + slot * bits))];
          return header.segments[segment]!.offset + Number(anchor + offset);
        };
        const [from, to] = [place(index % 32), place((index % 32) + 1)];
        assert.match(stdout, new RegExp(`^bucket ${index} \\(bucket ${index % perSegment} of segment ${segment}\\): `));
        assert.match(stdout, new RegExp(`at byte ${at}; records in bytes \\[${from}, ${to}\\)\n`));
        const rows = hexRows(stdout, file);
        assert.deepEqual(Buffer.concat(rows.map((row) => row.bytes)), file.subarray(from, to), 'all of the bucket');
        const count = Number(/: (\d+) records?\n/.exec(stdout)![1]);
        assert.equal(stdout.match(/^record of key/gm)?.length ?? 0, count);
        return count;
      }),
    );
    assert.ok(seen.some((count) => count > 1));
  });

  test('widths that all share leave no length prefixes; a set leaves no value', async () => {
    const fixed = await table([['abc', 0x01020304]], { value: 'u32' });
    const parts = partsOf(hexRows((await fine(['dump', '--key', 'abc', fixed])).stdout, readFileSync(fixed)));
    assert.deepEqual(
      parts.map(({ label, bytes: part }) => [label, part.toString('hex')]),
      [
        ['key', '616263'],
        ['value (u32)', '04030201'],
      ],
    );
    const set = await table([['', true]], { value: 'none' });
    const { stdout } = await fine(['dump', '--key', '', set]);
    assert.deepEqual(
      hexRows(stdout, readFileSync(set)).map(({ label, bytes: part }) => [label, part.toString('hex')]),
      [['length prefixes', '00']],
    );
  });

  test('a long value is shown in part, and how much more there is', async () => {
    const long = await table([['k', bytes('v'.repeat(5000))]], { value: 'bytes' });
    const { stdout } = await fine(['dump', '--key', 'k', long]);
    const shown = partsOf(hexRows(stdout, readFileSync(long))).at(-1)!.bytes.length;
    assert.ok(shown >= 256 && shown < 5000);
    assert.match(stdout, new RegExp(`\\.\\.\\. ${5000 - shown} bytes more\n`));
  });

  test('a key that is not there: exit code 1, named on stderr', async () => {
    for (const key of ['nope', '', 'x'.repeat(70_000)]) {
      const ran = await hmap(['dump', '--key', key, path]);
      assert.deepEqual([ran.code, ran.stdout], [1, '']);
      assert.match(ran.stderr, /^hmap: not found: "[^\n]*\n$/);
      assert.ok(ran.stderr.includes(JSON.stringify(key.slice(0, 60))), ran.stderr);
      assert.ok(ran.stderr.length < 200);
    }
  });

  test('a bucket that is not there is refused', async () => {
    const { bucketBits, eighths, segments } = open(path).header;
    const count = (segments.length * eighths * 2 ** bucketBits) / 8;
    const told = new RegExp(`^hmap: bucket: .* 0 to ${count - 1}, got ${count}\\n`);
    assertRefused(await hmap(['dump', '--bucket', `${count}`, path]), told);
    assertRefused(await hmap(['dump', '--bucket', '-1', path]), /^hmap: .*--bucket.*'-1'/);
    assertRefused(await hmap(['dump', '--bucket', 'x', path]), /^hmap: .*--bucket.*'x'/);
  });

  test('--header, --bucket and --key exclude each other', async () => {
    assertRefused(await hmap(['dump', '--header', '--key', 'key 1', path]), /--header and --key/);
    assertRefused(await hmap(['dump', '--key', 'key 1', '--bucket', '0', path]), /--bucket and --key/);
    assertRefused(await hmap(['dump', '--bucket', '0', '--header', path]), /--header and --bucket/);
  });
});

describe('where the output goes', { concurrency: true }, () => {
  let large: string;
  before(async () => {
    const entries = Array.from({ length: 30_000 }, (_, i): Pair => [`key number ${i}`, `value ${i} ${'x'.repeat(80)}`]);
    large = await table(entries, { value: 'utf8' });
  });

  const sh = process.platform === 'win32' && 'there is no sh';
  for (const [name, args] of [
    ['dump in JSON Lines', ['dump']],
    ['dump in CSV', ['dump', '-f', 'csv']],
    ['dump in cdb', ['dump', '-f', 'cdb']],
    ['get of many keys', ['get']],
  ] as const) {
    test(`${name} | head -n 1 ends quietly with code 0`, { skip: sh }, () => {
      const code = fresh('.code');
      const keys = fresh('.txt');
      writeFileSync(keys, Array.from({ length: 30_000 }, (_, i) => `key number ${i}\n`).join(''));
      const script = `{ "$@"; echo "$?" >'${code}'; } | head -n 1`;
      const command = [process.execPath, HMAP, ...args, large, ...(args[0] === 'get' ? ['-'] : [])];
      const input = readFileSync(keys);
      const ran = spawnSync('sh', ['-c', script, 'sh', ...command], { input, encoding: 'utf8', timeout: 20_000 });
      assert.equal(ran.stderr, '');
      assert.match(ran.stdout, /^[^\n]+\n$/);
      assert.equal(readFileSync(code, 'utf8'), '0\n');
    });
  }

  const full = !existsSync('/dev/full') && 'there is no /dev/full';
  for (const args of [['dump'], ['stat'], ['verify'], ['get', '--json']]) {
    test(`${args.join(' ')}: an output that takes nothing is an error of one line`, { skip: full }, async () => {
      const fd = openSync('/dev/full', 'w');
      try {
        const ran = await hmap([...args, large, ...(args[0] === 'get' ? ['key number 1'] : [])], { stdout: fd });
        assertRefused(ran, /no space left/);
      } finally {
        closeSync(fd);
      }
    });
  }
});
