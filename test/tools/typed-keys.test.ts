// Tests typed keys through the tools: read from every format, printed in it, asked for as text; and what is refused,
// with its line.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { type AnyKey, type BuildOptions, build, type KeyType } from '../../src/index.js';
import { hmapError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, assertSameFile, buildFrom, dumpOf, fine, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let names = 0;
const fresh = (ending = '.hmap') => join(folder, `${names++}${ending}`);
const UUID = '01234567-89ab-cdef-0123-456789abcdef';

const KEYS: Partial<Record<KeyType, readonly AnyKey[]>> = {
  u32: [0, 7, 2 ** 31, 2 ** 32 - 1],
  u64: [0n, 7n, 2n ** 53n + 1n, 2n ** 64n - 1n],
  i64: [0n, -7n, 2n ** 63n - 1n, -(2n ** 63n)],
  uuid: [UUID, 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  hex: ['', '00', '0a0d', 'efbbbf', 'deadbeef', 'ab'.repeat(40_000)],
};

async function tableOf(entries: Iterable<readonly [AnyKey, unknown]>, options: BuildOptions): Promise<string> {
  const path = fresh();
  await build(path, entries as never, options);
  return path;
}

describe('dump, then build, gives the identical file', () => {
  for (const [type, keys] of Object.entries(KEYS) as [KeyType, AnyKey[]][]) {
    for (const format of ['tsv', 'csv', 'jsonl', 'cdb', 'lines'] as const) {
      test(`${type} keys as ${format}`, async () => {
        const set = format === 'lines';
        const value = set ? 'none' : 'utf8';
        const path = await tableOf(
          keys.map((key, i) => [key, set ? true : `value ${i}`]),
          { key: type, value },
        );
        const text = await dumpOf(path, format);
        for (const key of keys) assert.ok(text.includes(String(key)), String(key));
        const again = fresh();
        await buildFrom(again, format, [text], { key: type, value });
        assertSameFile(again, readFileSync(path));
      });
    }
  }

  test('a value that begins with a byte order mark may follow a typed key in the first row', async () => {
    const path = await tableOf([[1, '\ufeffx']], { key: 'u32', value: 'utf8' });
    const again = fresh();
    await buildFrom(again, 'tsv', [await dumpOf(path, 'tsv')], { key: 'u32', value: 'utf8' });
    assertSameFile(again, readFileSync(path));
  });

  test('jsonl has u32 keys as numbers, and the others as strings', async () => {
    const line = async (key: AnyKey, type: KeyType) =>
      (await dumpOf(await tableOf([[key, 1]], { key: type, value: 'u8' }), 'jsonl')).toString();
    assert.equal(await line(7, 'u32'), '{"key":7,"value":1}\n');
    assert.equal(await line(7n, 'u64'), '{"key":"7","value":1}\n');
    assert.equal(await line(-7n, 'i64'), '{"key":"-7","value":1}\n');
    assert.equal(await line(UUID, 'uuid'), `{"key":"${UUID}","value":1}\n`);
    assert.equal(await line('00ff', 'hex'), '{"key":"00ff","value":1}\n');
  });

  test('through the program', async () => {
    const input = fresh('.tsv');
    writeFileSync(input, '7\tseven\n4294967295\tlast\n');
    const path = fresh();
    await fine(['build', '--key', 'u32', input, path]);
    const header = JSON.parse((await fine(['dump', '--header', path])).stdout) as { keyType: string };
    assert.equal(header.keyType, 'u32');
    assert.match((await fine(['stat', path])).stdout, /^keys +u32, 4 bytes each/m);
    const dump = await fine(['dump', path]);
    const again = fresh();
    await fine(['build', '--key', 'u32', '--value', 'utf8', '--format', 'jsonl', '-', again], { input: dump.stdout });
    assertSameFile(again, readFileSync(path));
    assert.match((await fine(['verify', again])).stdout, /: ok; 2 entries/);
  });
});

describe('keys as text', () => {
  const SPELLINGS: readonly [KeyType, text: string, key: AnyKey][] = [
    ['u32', '007', 7],
    ['u32', '+7', 7],
    ['u32', '-0', 0],
    ['u64', '018446744073709551615', 2n ** 64n - 1n],
    ['i64', '-9223372036854775808', -(2n ** 63n)],
    ['uuid', UUID.toUpperCase(), UUID],
    ['hex', 'DeadBEEF', 'deadbeef'],
  ];
  for (const [type, text, key] of SPELLINGS) {
    test(`${type}: ${text}`, async () => {
      const path = fresh();
      await buildFrom(path, 'lines', [Buffer.from(`${text}\n`)], { key: type, value: 'none' });
      assertSameFile(path, readFileSync(await tableOf([[key, true]], { key: type, value: 'none' })));
    });
  }

  test('jsonl takes numbers as far as they keep their digits', async () => {
    const built = async (type: KeyType, json: string) => {
      const path = fresh();
      await buildFrom(path, 'jsonl', [Buffer.from(`{"key":${json}}\n`)], { key: type, value: 'none' });
      return dumpOf(path, 'lines').then(String);
    };
    assert.equal(await built('u64', '9007199254740991'), '9007199254740991\n');
    assert.equal(await built('u64', '9007199254740993'), '9007199254740993\n');
    assert.equal(await built('i64', '-7'), '-7\n');
    assert.equal(await built('u32', '"7"'), '7\n');
    for (const json of ['9007199254740992.5', '1e18', '0.5', 'null', '[7]', '{"base64":"AAAA"}', 'true']) {
      await assert.rejects(
        built('u64', json),
        hmapError('HMAP_INPUT', { line: 1, message: /a string, or an integer/ }),
      );
    }
  });

  const WRONG: readonly [KeyType, text: string][] = [
    ['u32', ''],
    ['u32', '-1'],
    ['u32', '4294967296'],
    ['u32', '1e3'],
    ['u32', ' 7'],
    ['u32', '0x7'],
    ['u32', '9'.repeat(41)],
    ['u64', '18446744073709551616'],
    ['i64', '9223372036854775808'],
    ['uuid', UUID.slice(1)],
    ['hex', 'abc'],
    ['hex', 'zz'],
    ['hex', '\u{1f600}'],
  ];
  for (const [type, text] of WRONG) {
    test(`${type}: ${JSON.stringify(text.slice(0, 24))} is refused with its line, in every format`, async () => {
      const good = String(KEYS[type]![1]);
      const cdb = (key: string) => `+${Buffer.byteLength(key)},1:${key}->v\n`;
      const inputs = {
        tsv: `${good}\tv\n${text}\tv\n`,
        csv: `${good},v\n"${text}",v\n`,
        jsonl: `{"key":"${good}","value":"v"}\n{"key":${JSON.stringify(text)},"value":"v"}\n`,
        cdb: `${cdb(good)}${cdb(text)}\n`,
      } as const;
      for (const [format, input] of Object.entries(inputs)) {
        await assert.rejects(
          buildFrom(fresh(), format as 'tsv', [Buffer.from(input)], { key: type, value: 'utf8' }),
          hmapError('HMAP_KEY_INVALID', { line: 2, message: /^input: line 2: the key ".* is not a valid / }),
        );
      }
    });
  }

  test('one key in two spellings is a duplicate', async () => {
    for (const [type, text, key] of SPELLINGS) {
      const build = buildFrom(fresh(), 'lines', [Buffer.from(`${text}\n${key}\n`)], { key: type, value: 'none' });
      await assert.rejects(build, hmapError('HMAP_DUPLICATE_KEY', { key }));
    }
  });
});

describe('the program', { concurrency: true }, () => {
  const table = tableOf(
    [
      [-5n, 'minus five'],
      [2n ** 62n, 'large'],
    ],
    { key: 'i64', value: 'utf8' },
  );

  test('get takes keys as text of their type', async () => {
    const path = await table;
    const ran = await fine(['get', path, '--', '4611686018427387904', '-5', '-05']);
    assert.deepEqual([ran.stdout, ran.stderr], ['large\nminus five\nminus five\n', '']);
    const json = await hmap(['get', '--json', path, '-'], { input: '-5\n6\n' });
    assert.equal(json.code, 1);
    assert.equal(json.stdout, '{"key":"-5","found":true,"value":"minus five"}\n{"key":"6","found":false}\n');
    const missing = await hmap(['get', path, '6']);
    assert.deepEqual([missing.code, missing.stdout], [1, '']);
    assert.equal(missing.stderr, 'hmap: not found: 6\n(hmap explain shows why)\n');
  });

  test('an invalid key ends get and dump with 2', async () => {
    const path = await table;
    for (const key of ['x', '', '9223372036854775808', '1.5']) {
      assertRefused(
        await hmap(['get', path, '7', key]),
        /^hmap: the key ".*" is not a valid i64: expected an integer from -9/,
      );
      assertRefused(await hmap(['dump', '--key', key, path]), /^hmap: the key ".*" is not a valid i64/);
    }
    assertRefused(await hmap(['get', path, '-'], { input: 'x\n' }), /^hmap: the key "x" is not a valid i64/);
  });

  test('dump --key shows a record, and where it would be', async () => {
    const path = await table;
    const { stdout } = await fine(['dump', '--key=-5', path]);
    assert.match(stdout, /record of key -5, hash 0x/);
    assert.match(stdout, /fb ff ff ff ff ff ff ff .* key \(i64\)$/m);
    const missing = await hmap(['dump', '--key', '6', path]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^hmap: not found: 6 \(it would be in bucket 22\)\n$/);
  });

  test('build refuses an unknown type', async () => {
    assertRefused(await hmap(['build', '--key', 'u16', 'a.tsv', 'b.hmap']), /--key.*bytes/);
  });

  test('an input that several threads read is built as by one', { timeout: 120_000 }, async () => {
    const random = new Random(8);
    const input = fresh('.tsv');
    const lines: string[] = [];
    const padding = 'v'.repeat(990);
    // Two parts of 32 MiB and more.
    for (let i = 0; i < 72_000; i++) lines.push(`${String(random.u32() % 2 ** 20)}${i}\t${padding}`);
    writeFileSync(input, `${lines.join('\n')}\n`);
    const [path, again] = [fresh(), fresh()];
    await fine(['build', '--key', 'u64', input, path]);
    await fine(['build', '--key', 'u64', '--format', 'tsv', '-', again], { input: readFileSync(input) });
    assertSameFile(path, readFileSync(again));
    const header = JSON.parse((await fine(['dump', '--header', path])).stdout) as { keyType: string; keyWidth: number };
    assert.deepEqual([header.keyType, header.keyWidth], ['u64', 8]);
    writeFileSync(input, `${lines.join('\n')}\nx\t1\n`);
    assertRefused(await hmap(['build', '--key', 'u64', input, fresh()]), /line 72001: the key "x" is not a valid u64/);
  });
});
