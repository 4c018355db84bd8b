// JSON texts as inputs and outputs: each form that people have, of any size and cut anywhere; what is wrong is named with
// its line.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { build, type Key, open, type ValueType } from '../../src/index.js';
import type { ReadOptions } from '../../tools/formats/read-options.js';
import { hmapError, misuse } from '../support/errors.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import {
  assertRefused,
  dumpOf,
  fine,
  hmap,
  NO_COLUMNS,
  piecesOf,
  readFrom,
  readKeylessFrom,
} from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let count = 0;
const fresh = (ending = '.hmap') => join(folder, `${count++}${ending}`);

function textFile(text: string, ending = '.json'): string {
  const path = fresh(ending);
  writeFileSync(path, text);
  return path;
}

/** Keys and values as a reader gives them, as text. */
async function read(text: string, type: ValueType, options: Partial<ReadOptions> = {}, key = 'bytes' as const) {
  const entries = await readFrom('json', [Buffer.from(text)], type, key, { ...NO_COLUMNS, ...options });
  return entries.map(([key, value]) => [key.toString(), value.toString()]);
}

describe('a JSON text', () => {
  const ROWS = '[{"id": "a", "n": 1, "x": {"y": [1]}},\n {"n": 2, "id": "b"}]';

  test('an object is a table of its members', async () => {
    assert.deepEqual(await read('{"a": 1, "b": [1, 2.0], "c": "x"}', 'json'), [
      ['a', '1'],
      ['b', '[1,2]'],
      ['c', '"x"'],
    ]);
    assert.deepEqual(await read('{"a": "x", "b": "\\u00e9\\n"}', 'utf8'), [
      ['a', 'x'],
      ['b', 'é\n'],
    ]);
    assert.deepEqual(await read(' { } ', 'json'), []);
  });

  test('an array of objects is one of records', async () => {
    assert.deepEqual(await read('[{"key": "a", "value": 1}]', 'json'), [['a', '1']]);
    assert.deepEqual(await read(ROWS, 'json', { key: 'id', value: 'n' }), [
      ['a', '1'],
      ['b', '2'],
    ]);
    // Without a column of values, the whole record.
    assert.deepEqual(await read(ROWS, 'json', { key: 'id' }), [
      ['a', '{"id":"a","n":1,"x":{"y":[1]}}'],
      ['b', '{"n":2,"id":"b"}'],
    ]);
    assert.deepEqual(await read(ROWS, 'json', { key: 'id', values: ['n', 'id'] }), [
      ['a', '{"n":1,"id":"a"}'],
      ['b', '{"n":2,"id":"b"}'],
    ]);
    assert.deepEqual(await read(ROWS, 'json', { keys: ['id', 'n'], join: ':', value: 'n' }), [
      ['a:1', '1'],
      ['b:2', '2'],
    ]);
    assert.deepEqual(await read(ROWS, 'none', { key: 'id' }), [
      ['a', ''],
      ['b', ''],
    ]);
  });

  test('numbers are keys, as text, where their member was chosen', async () => {
    assert.deepEqual(await read('[{"id": 12345678901234567890, "v": 1}]', 'json', { key: 'id', value: 'v' }), [
      ['12345678901234567890', '1'],
    ]);
    await assert.rejects(read('[{"key": 1, "value": 1}]', 'json'), hmapError('HMAP_INPUT', { message: /--key u32/ }));
  });

  test('an array of pairs, and one of rows', async () => {
    assert.deepEqual(await read('[["a", 1], ["b", [2]]]', 'json'), [
      ['a', '1'],
      ['b', '[2]'],
    ]);
    assert.deepEqual(await read('[["x", 1, "a"], ["y", 2, "b"]]', 'json', { key: '3', value: '1' }), [
      ['a', '"x"'],
      ['b', '"y"'],
    ]);
  });

  test('an array of strings is a set', async () => {
    assert.deepEqual(await read('["a", "\\u00e9", ""]', 'none'), [
      ['a', ''],
      ['é', ''],
      ['', ''],
    ]);
    const entries = await readFrom('json', [Buffer.from('[7, "8"]')], 'none', 'u32');
    assert.deepEqual(
      entries.map(([key]) => key.readUInt32LE(0)),
      [7, 8],
    );
  });

  test('an object of objects, of which members are chosen', async () => {
    const text = '{"a": {"n": 1, "m": 2}, "b": {"n": 3}}';
    assert.deepEqual(await read(text, 'json', { value: 'n' }), [
      ['a', '1'],
      ['b', '3'],
    ]);
    await assert.rejects(read(text, 'json', { value: 'm' }), hmapError('HMAP_INPUT', { message: /"m" is missing/ }));
    const near = hmapError('HMAP_INPUT', { message: /"nn" is missing; there is "n"/ });
    await assert.rejects(read(text, 'json', { value: 'nn' }), near);
    assert.deepEqual(await read(text, 'json', { value: 'm', missing: 'skip' }), [['a', '2']]);
    assert.deepEqual(await read(text, 'json', { value: 'm', missing: { text: '0' } }), [
      ['a', '2'],
      ['b', '0'],
    ]);
  });

  test('entries that lie deeper, by names, indexes or a JSON Pointer', async () => {
    const text = '{"skip": [{"a": "}"}, 1], "data": {"it.ems": [[], {"x": 1, "y": 2}]}, "after": {"x": 9}}';
    for (const at of ['/data/it.ems/1', '/data/it.ems/1']) {
      assert.deepEqual(await read(text, 'json', { at }), [
        ['x', '1'],
        ['y', '2'],
      ]);
    }
    assert.deepEqual(await read('{"a": {"b": [["k", 1]]}}', 'json', { at: 'a.b' }), [['k', '1']]);
    assert.deepEqual(await read('{"a/b": {"~": {"k": 1}}}', 'json', { at: '/a~1b/~0' }), [['k', '1']]);
    const lost = hmapError('HMAP_INPUT', { message: /no member "itmes"; did you mean 'items'/ });
    await assert.rejects(read('{"a": 1, "items": {}}', 'json', { at: 'itmes' }), lost);
    await assert.rejects(read('{"a": 1}', 'json', { at: 'a.b' }), hmapError('HMAP_INPUT', { message: /at a/ }));
  });

  test('integers keep their digits', async () => {
    const text = '{"a": 12345678901234567890, "b": {"c": -98765432109876543210}}';
    assert.deepEqual(await read(text, 'json'), [
      ['a', '12345678901234567890'],
      ['b', '{"c":-98765432109876543210}'],
    ]);
    const entries = await readFrom('json', [Buffer.from('{"a": 18446744073709551615, "b": "7"}')], 'u64');
    assert.deepEqual(
      entries.map(([, value]) => value.readBigUInt64LE(0)),
      [2n ** 64n - 1n, 7n],
    );
    for (const bad of ['01', '+1', '1.5', '"x"', 'true', '[1]', '256']) {
      await assert.rejects(read(`{"a": ${bad}}`, 'u8'));
    }
  });

  test('the values of each type, and bytes that are not text', async () => {
    assert.deepEqual(await read('{"a": {"base64": "/wA="}, "b": "x"}', 'bytes'), [
      ['a', Buffer.of(0xff, 0).toString()],
      ['b', 'x'],
    ]);
    await assert.rejects(read('{"a": 5}', 'utf8'), hmapError('HMAP_VALUE_INVALID', { line: 1, key: 'a' }));
    await assert.rejects(read('{"a": 5}', 'none'), hmapError('HMAP_VALUE_INVALID'));
    assert.deepEqual(await read('{"a": true, "b": null}', 'none'), [
      ['a', ''],
      ['b', ''],
    ]);
  });

  test('what is no JSON is none, also beside long integers', async () => {
    for (const bad of ['{"n":00012345678901234567}', '{12345678901234567890:1}', '-00012345678901234567']) {
      await assert.rejects(read(`{"a":${bad}}`, 'json'), hmapError('HMAP_VALUE_INVALID'));
      await assert.rejects(readFrom('tsv', [Buffer.from(`a\t${bad}\n`)], 'json'), hmapError('HMAP_VALUE_INVALID'));
    }
  });

  test('a long text beside a long integer', async () => {
    const text = 'x\\"'.repeat(5e6);
    const [[, value]] = (await read(`{"a": {"n": 12345678901234567890, "s": "${text}"}}`, 'json')) as [
      [string, string],
    ];
    assert.ok(value.startsWith('{"n":12345678901234567890,"s":"x') && value.length > text.length);
  });

  test('large integers are numbers where values are', async () => {
    const entries = await readFrom('json', [Buffer.from('{"a": 100000000000000000000, "b": 9007199254740994}')], 'f64');
    assert.deepEqual(
      entries.map(([, value]) => value.readDoubleLE(0)),
      [1e20, 9007199254740994],
    );
  });

  test('halves of surrogates are no keys, wherever keys stand', async () => {
    const halved = hmapError('HMAP_INPUT', { message: /surrogate/ });
    await assert.rejects(read('[{"id":"\\ud800","v":1}]', 'json', { key: 'id', value: 'v' }), halved);
    await assert.rejects(
      read('[{"id":"\\ud800","v":1}]', 'json', { keys: ['id', 'v'], join: ':', value: 'v' }),
      halved,
    );
    await assert.rejects(read('["\\ud800"]', 'none'), halved);
  });

  test('members of several that are missing', async () => {
    const text = '[{"id":"a","n":1,"__proto__":5},{"id":"b","n":2,"m":null}]';
    const of = (missing?: ReadOptions['missing']) =>
      read(text, 'json', { key: 'id', values: ['n', 'm'], ...(missing !== undefined && { missing }) });
    await assert.rejects(of(), hmapError('HMAP_INPUT', { line: 1, message: /"m" is missing.*--missing skip/ }));
    await assert.rejects(of('error'), hmapError('HMAP_INPUT', { line: 1 }));
    assert.deepEqual(await of('skip'), [
      ['a', '{"n":1}'],
      ['b', '{"n":2}'],
    ]);
    assert.deepEqual(await of({ text: '-' }), [
      ['a', '{"n":1,"m":"-"}'],
      ['b', '{"n":2,"m":"-"}'],
    ]);
    const own = await read('[{"id":"a","__proto__":5,"b":1}]', 'json', { key: 'id', values: ['__proto__', 'b'] });
    assert.deepEqual(own, [['a', '{"__proto__":5,"b":1}']]);
  });

  test('what the path passes over takes no memory, and may stand there once', async () => {
    const filler = Buffer.alloc(2 ** 20, 'x');
    function* pieces() {
      yield Buffer.from('{"junk": ["');
      for (let i = 0; i < 600; i++) yield filler;
      yield Buffer.from('"], "data": {"a": 1}}');
    }
    assert.equal((await readFrom('json', pieces(), 'json', 'bytes', { ...NO_COLUMNS, at: 'data' })).length, 1);
    const twice = hmapError('HMAP_INPUT', { message: /a second member "data"/ });
    await assert.rejects(read('{"data":{"a":1},"data":{"b":2}}', 'json', { at: 'data' }), twice);
  });

  test('any value, cut anywhere, is what JSON.parse makes of it', async () => {
    const random = new Random(17);
    for (let round = 0; round < 60; round++) {
      const model = Object.fromEntries(
        Array.from({ length: random.below(40) }, () => [random.text(random.below(12)), anyValue(random, 3)]),
      );
      const text = JSON.stringify(model, null, random.pick([undefined, 1, '\t']));
      const pieces = piecesOf(Buffer.from(text), random.pick([1, 2, 3, 7, 64, text.length]));
      const entries = await readFrom('json', pieces, 'json');
      assert.deepEqual(
        new Map(entries.map(([key, value]) => [key.toString(), value.toString()])),
        new Map(Object.entries(model).map(([key, value]) => [key, JSON.stringify(value)])),
      );
    }
  });

  test('lines are those of the text, pretty or not', async () => {
    const text = '{\n "a": {\n  "n": 1\n },\n "b":\n  2,\n "c": 3\n}';
    const error = hmapError('HMAP_INPUT', { line: 5, message: /an object, of which members/ });
    await assert.rejects(read(text, 'json', { value: 'n' }), error);
  });

  test('lists and sets of integers are arrays', async () => {
    const list = async (text: string, value: 'u8' | 'utf8' | 'f64', options: Partial<ReadOptions> = {}) =>
      readKeylessFrom('json', [Buffer.from(text)], { layout: 'list', value }, { ...NO_COLUMNS, ...options });
    assert.deepEqual(await list('[1, 2, "3"]', 'u8'), [1, 2, 3]);
    assert.deepEqual(await list('["a", "\\n"]', 'utf8'), ['a', '\n']);
    assert.deepEqual(await list('[1.5, "NaN"]', 'f64'), [1.5, Number.NaN]);
    assert.deepEqual(await list('[{"n": 1}, {"n": 2}]', 'u8', { value: 'n' }), [1, 2]);
    assert.deepEqual(await readKeylessFrom('json', [Buffer.from('[5, 3]')], { layout: 'bits' }), [5, 3]);
    await assert.rejects(list('{"a": 1}', 'u8'), hmapError('HMAP_INPUT', { message: /expected an array/ }));
  });
});

function anyValue(random: Random, depth: number): unknown {
  const kind = random.below(depth === 0 ? 5 : 7);
  if (kind === 5) return Array.from({ length: random.below(4) }, () => anyValue(random, depth - 1));
  if (kind === 6) {
    return Object.fromEntries(
      Array.from({ length: random.below(4) }, (_, i) => [`m${i}\\"`, anyValue(random, depth - 1)]),
    );
  }
  return [random.text(random.below(9), 'a"\\\n\té€{}[],: '), random.below(1e6), -0.25, null, true][kind];
}

describe('the program', () => {
  test('builds each form without being told more than the columns', async () => {
    const CASES: [text: string, args: string[], entries: [string, unknown][]][] = [
      [
        '["a","b"]',
        [],
        [
          ['a', true],
          ['b', true],
        ],
      ],
      [
        '{"a":1,"b":2}',
        [],
        [
          ['a', 1],
          ['b', 2],
        ],
      ],
      ['[{"id":1,"name":"x"}]', ['--key-column', 'id'], [['1', { id: 1, name: 'x' }]]],
      ['{"items": ["a"]}', ['--at', 'items'], [['a', true]]],
      // JSON Lines under the wrong name.
      [
        '{"key":"a","value":1}\n{"key":"b","value":2}\n',
        [],
        [
          ['a', 1],
          ['b', 2],
        ],
      ],
    ];
    for (const [text, args, entries] of CASES) {
      const path = fresh();
      const { stderr } = await fine(['build', ...args, textFile(text), path]);
      assert.match(stderr, /^read as json/);
      assert.deepEqual(new Map(open(path)), new Map(entries));
    }
  });

  test('writes one JSON text that makes the same table again', async () => {
    const TABLES: [entries: (readonly [Key, unknown])[], value: ValueType][] = [
      [[], 'json'],
      [[], 'none'],
      [
        [
          ['a"', { b: 1 }],
          ['\n', null],
          ['é', ''],
        ],
        'json',
      ],
      [
        [
          ['a', 'x'],
          ['b', '"'],
        ],
        'utf8',
      ],
      [
        [
          ['a', true],
          ['', true],
        ],
        'none',
      ],
      [[['a', 2n ** 63n]], 'u64'],
    ];
    for (const [entries, value] of TABLES) {
      const [path, again] = [fresh(), fresh()];
      await build(path, entries as never, { value });
      const text = await dumpOf(path, 'json');
      JSON.parse(text.toString());
      await fine(['build', '-v', value, textFile(text.toString()), again]);
      assert.ok(readFileSync(path).equals(readFileSync(again)), text.toString());
    }
    const numbers = fresh();
    await build(numbers, [[5, 1] as const, [7, 2] as const], { key: 'u32', value: 'u8' });
    assert.deepEqual(JSON.parse((await dumpOf(numbers, 'json')).toString()), { 5: 1, 7: 2 });
  });

  test('refuses to write keys that JSON has no name for', async () => {
    const path = fresh();
    await build(path, [[Buffer.of(0xff), true] as const], { value: 'none' });
    await assert.rejects(dumpOf(path, 'json'), hmapError('HMAP_NOT_REPRESENTABLE', { message: /jsonl or cdb/ }));
  });

  test('leaves the output as it was when the text is cut short', async () => {
    const path = fresh();
    await fine(['build', textFile('{"a": 1}'), path]);
    const before = readFileSync(path);
    for (const text of ['{"a": 1', '{"a": 1,', '["a"', '{"a": {"b": 1}']) {
      assertRefused(await hmap(['build', '--force', textFile(text), path]), /cut short/);
    }
    assert.ok(readFileSync(path).equals(before));
  });

  test('options that cannot be', async () => {
    const input = textFile('{}');
    assertRefused(await hmap(['build', '--key-columns', 'a,b', input, fresh()]), /^hmap: --join: /);
    assertRefused(await hmap(['build', '--key-columns', 'a', '--key-column', 'b', input, fresh()]), /together/);
    await assert.rejects(
      read('[]', 'utf8', { key: 'a', values: ['b', 'c'] }).then(() =>
        read('[{}]', 'utf8', { key: 'a', values: ['b', 'c'] }),
      ),
      misuse(/^--value-columns: /),
    );
  });
});
