// Values of packed fields through the library: random schemas against a model, what is refused, what a changed byte
// does. Asks the public API.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { build, open, type Schema, type ValueChoice, verify } from '../../src/index.js';
import { ReferenceReader } from '../conformance/reference-reader.js';
import { hmapError, misuse } from '../support/errors.js';
import { assertIs } from '../support/model.js';
import { Random } from '../support/random.js';
import { canonicalParts, compose } from '../support/raw-table.js';
import { temporaryFolder } from '../support/temp.js';
import { assertSameFile, buildFrom, dumpOf } from '../support/tools.js';

type Value = Record<string, number | boolean>;

const NAMES = [
  'a',
  '_',
  '$',
  'level',
  'größe',
  'x-y',
  'ключ',
  'constructor',
  'toString',
  'n1',
  '漢字',
  'length',
  'Z_$-9',
];

export function randomSchema(random: Random): Record<string, Schema[string]> {
  const count = random.pick([1, 2, 3, 5, 8, 13]);
  const types = random
    .shuffled(NAMES)
    .slice(0, count)
    .map((name) => {
      const kind = random.below(6);
      const width = random.between(1, 53);
      const type =
        kind === 0 ? 'bool' : kind === 1 ? random.pick(['f32', 'f64'] as const) : `${random.pick(['u', 'i'])}${width}`;
      return [name, type as Schema[string]] as const;
    });
  return Object.fromEntries(types);
}

export function randomValue(schema: Schema, random: Random): Value {
  const bits = (width: number): bigint => BigInt.asUintN(width, (BigInt(random.u32()) << 32n) | BigInt(random.u32()));
  return Object.fromEntries(
    Object.entries(schema).map(([name, type]) => {
      const width = Number(type.slice(1));
      if (type === 'bool') return [name, random.below(2) === 1];
      if (type === 'f32') return [name, Math.fround(random.pick([0, -0, NaN, -Infinity, 0.1, 1e30, random.u32() / 7]))];
      if (type === 'f64') return [name, random.pick([0, -0, NaN, Infinity, 0.1, 1e300, random.u32() / 7])];
      const raw = random.pick([
        0n,
        BigInt.asUintN(width, -1n),
        1n << BigInt(width - 1),
        bits(width),
        bits(width),
        bits(width),
      ]);
      return [name, Number(type.startsWith('i') ? BigInt.asIntN(width, raw) : raw)];
    }),
  );
}

const folder = temporaryFolder({ after });
let files = 0;
const fresh = () => join(folder, `${files++}.hmap`);

const textOf = (schema: Schema) =>
  `struct(${Object.entries(schema)
    .map(([name, type]) => `${name}:${type}`)
    .join(',')})` as const;

describe('random schemas', () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = new Random(seed);
    const schema = randomSchema(random);
    test(`${seed}: ${textOf(schema)}`, async () => {
      const count = random.pick([0, 1, 7, 300]);
      const model = new Map(Array.from({ length: count }, (_, i) => [`key ${i}`, randomValue(schema, random)]));
      const path = fresh();
      await build(path, random.shuffled(model), { value: { struct: schema }, memory: 2 ** 20 });

      assertSameFile(path, compose(canonicalParts(model, { value: textOf(schema) })), 'the writer made from the spec');
      assert.deepEqual((await verify(path)).findings, []);
      const reference = new ReferenceReader(path);
      assert.deepEqual(reference.check(), []);
      for (const [key, value] of model) assert.deepStrictEqual(reference.decode(reference.get(key)!), value);

      using table = open(path, { value: { struct: schema } });
      assert.equal(table.header.valueType, textOf(schema));
      const bits = Object.values(schema).reduce((sum, type) => sum + (type === 'bool' ? 1 : Number(type.slice(1))), 0);
      assert.equal(table.header.valueWidth, Math.ceil(bits / 8));
      assertIs(table, model);
      for (const [key, value] of model) {
        assert.deepStrictEqual(Object.keys(table.get(key)!), Object.keys(schema), 'the order of the fields');
        for (const name of Object.keys(schema)) {
          assert.ok(Object.is(table.field(key, name), value[name]), `${key}.${name}`);
          assert.equal(table.field(`${key} `, name), undefined);
        }
        const view = BigInt(`0x${Buffer.from(table.getView(key)!).reverse().toString('hex')}`);
        for (let i = 0; i < 5; i++) {
          const from = random.between(0, 8 * table.header.valueWidth!);
          const to = Math.min(8 * table.header.valueWidth!, from + random.between(0, 53));
          const expected = Number((view >> BigInt(from)) & (2n ** BigInt(to - from) - 1n));
          assert.equal(table.bits(key, from, to), expected);
        }
      }
      for (const format of ['jsonl', 'csv', 'tsv', 'cdb'] as const) {
        const again = fresh();
        await buildFrom(again, format, [await dumpOf(path, format)], { value: table.header.valueType } as never);
        assertSameFile(again, readFileSync(path), format);
      }
    });
  }

  test('the text of a schema names a type as its object does', async () => {
    const [a, b] = [fresh(), fresh()];
    const schema = { on: 'bool', n: 'i7' } as const;
    await build(a, [['k', { on: true, n: -5 }]], { value: { struct: schema } });
    await build(b, [['k', { on: true, n: -5 }]], { value: 'struct(on:bool,n:i7)' });
    assertSameFile(b, readFileSync(a));
    assert.deepEqual(open(a, { value: 'struct(on:bool,n:i7)' }).get('k'), { on: true, n: -5 });
  });

  test('a thousand fields with names of a hundred characters', async () => {
    const schema: Record<string, Schema[string]> = {};
    for (let i = 0; i < 1000; i++) schema[`${'𠀀'.repeat(97)}${String(i).padStart(3, '0')}`] = 'u3';
    const value = Object.fromEntries(Object.keys(schema).map((name, i) => [name, i % 8]));
    const path = fresh();
    const metadata = { text: 'x'.repeat(60_000) };
    await build(path, [['k', value]], { value: { struct: schema }, metadata });
    using table = open(path);
    assert.deepStrictEqual(table.get('k'), value);
    assert.deepStrictEqual(table.header.metadata, metadata);
    assert.deepEqual((await verify(path)).findings, []);
  });
});

describe('values that cannot be stored', () => {
  const value = { struct: { on: 'bool', n: 'u7', s: 'i20', x: 'f32', big: 'u53' } } as const;
  const good = { on: true, n: 1, s: -1, x: 0.5, big: 2 ** 53 - 1 };
  const INVALID = 'HMAP_VALUE_INVALID';
  const RANGE = 'HMAP_VALUE_RANGE';
  const CASES: [what: string, value: unknown, code: typeof INVALID | typeof RANGE, message: RegExp][] = [
    ['no object', 5, INVALID, /fields of the schema, got 5/],
    ['null', null, INVALID, /fields of the schema/],
    ['an array', [true, 1, -1, 0.5, 0], INVALID, /fields of the schema/],
    ['bytes', new Uint8Array(16), INVALID, /fields of the schema/],
    ['a missing field', { on: true, s: 1, x: 1, big: 1 }, INVALID, /field 'n'/],
    ['an unknown field', { ...good, more: 1 }, INVALID, /fields of the schema, not 'more'/],
    ['an unknown field instead', { on: true, m: 1, s: 1, x: 1, big: 1 }, INVALID, /field 'n'/],
    ['an inherited field', Object.create(good), INVALID, /field 'on'/],
    ['a number for a bool', { ...good, on: 1 }, INVALID, /field 'on' to be bool/],
    ['text for a number', { ...good, n: '1' }, INVALID, /field 'n' to be u7/],
    ['a BigInt for a number', { ...good, big: 1n }, INVALID, /field 'big' to be u53/],
    ['undefined', { ...good, x: undefined }, INVALID, /field 'x' to be f32/],
    ['above', { ...good, n: 128 }, RANGE, /field 'n' to be u7, an integer from 0 to 127, got 128/],
    ['below', { ...good, n: -1 }, RANGE, /field 'n'/],
    ['a fraction', { ...good, n: 0.5 }, RANGE, /field 'n'/],
    ['NaN for an integer', { ...good, n: NaN }, RANGE, /field 'n'/],
    ['above a signed one', { ...good, s: 2 ** 19 }, RANGE, /field 's' to be i20, an integer from -524288 to 524287/],
    ['below a signed one', { ...good, s: -(2 ** 19) - 1 }, RANGE, /field 's'/],
    ['2^53', { ...good, big: 2 ** 53 }, RANGE, /field 'big'/],
    ['too large for f32', { ...good, x: 1e39 }, RANGE, /field 'x' to be f32/],
  ];
  for (const [what, wrong, code, message] of CASES) {
    test(what, async () => {
      const path = fresh();
      const entries = [
        ['fine', good],
        ['wrong key', wrong],
      ] as [string, typeof good][];
      await assert.rejects(build(path, entries, { value }), hmapError(code, { key: 'wrong key', message }));
    });
  }
});

describe('schemas that are none', () => {
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${i}`, 'u1']));
  const CASES: [value: unknown, message: RegExp][] = [
    [{ struct: {} }, /no fields/],
    [{ struct: null }, /no object/],
    [{ struct: ['u7'] }, /no object/],
    [{ struct: { a: 'u0' } }, /field a of type u0/],
    [{ struct: { a: 'u54' } }, /field a of type u54/],
    [{ struct: { a: 'i07' } }, /field a of type i07/],
    [{ struct: { a: 'f16' } }, /field a of type f16/],
    [{ struct: { a: 7 } }, /field a of type 7/],
    [{ struct: { '1a': 'u7' } }, /field name "1a"/],
    [{ struct: { '': 'u7' } }, /field name ""/],
    [{ struct: { 'a b': 'u7' } }, /field name "a b"/],
    [{ struct: { 'a,b': 'u7' } }, /field name "a,b"/],
    [{ struct: { ['__proto__']: 'u7' } }, /__proto__/],
    [{ struct: { ['x'.repeat(101)]: 'u7' } }, /more than 100 characters/],
    [{ struct: many }, /more than 1000 fields/],
    [{ struct: { a: 'u7' }, key: 1 }, /"key" beside struct/],
    ['struct(a:u7', /closing/],
    ['struct()', /no fields/],
    ['struct(a)', /"a", expected NAME:TYPE/],
    ['struct(a:u7,a:u8)', /the field a twice/],
  ];
  for (const [value, message] of CASES) {
    test(JSON.stringify(value).slice(0, 60), async () => {
      const options = { value: value as ValueChoice };
      await assert.rejects(
        build(fresh(), [], options as never),
        (error) => misuse(/^value\.struct: /)(error) && misuse(message)(error),
      );
      assert.throws(() => open(fresh(), options as never), misuse(/^value\.struct: /));
    });
  }
});

describe('asking for fields and bits', () => {
  test('what is asked must be there', async () => {
    const path = fresh();
    await build(path, [['k', { on: true, level: 5 }]], { value: { struct: { on: 'bool', level: 'u7' } } });
    const table = open(path);
    assert.throws(() => table.field('k', 'levl'), misuse(/^name: there is no field 'levl'; the fields are on, level/));
    assert.throws(() => table.field('absent', 'levl'), misuse(/levl/));
    assert.equal(table.field('absent', 'level'), undefined);
    assert.throws(() => table.field(7 as never, 'level'), misuse(/key/));
    for (const [from, to] of [
      [-1, 1],
      [0, 9],
      [5, 4],
      [0.5, 1],
      [0, NaN],
      ['0', 1],
      [undefined, undefined],
    ]) {
      const ask = () => table.bits('k', from as number, to as number);
      assert.throws(ask, (error) => error instanceof RangeError && /^bits: .*\[0, 8\)/.test(error.message));
    }
    assert.deepEqual([table.bits('k', 0, 8), table.bits('k', 1, 4), table.bits('k', 8, 8)], [0b1011, 5, 0]);
    assert.equal(table.bits('absent', 0, 8), undefined);
    table.close();
  });

  test('bits of other values of one width; at most 53', async () => {
    const path = fresh();
    await build(path, [['k', 2n ** 64n - 2n]], { value: 'u64' });
    const table = open(path);
    assert.equal(table.bits('k', 0, 53), 2 ** 53 - 2);
    assert.equal(table.bits('k', 11, 64), 2 ** 53 - 1);
    assert.throws(() => table.bits('k', 0, 54), RangeError);
    assert.throws(() => table.field('k', 'x'), misuse(/the values are u64/));
    const texts = fresh();
    await build(
      texts,
      [
        ['k', 'a'],
        ['l', 'bc'],
      ],
      { value: 'utf8' },
    );
    assert.throws(() => open(texts).bits('k', 0, 1), misuse(/^bits: .*differ in length/));
  });

  test('another schema than the one asked for is refused', async () => {
    const path = fresh();
    await build(path, [], { value: { struct: { on: 'bool' } } });
    const wrong = { path, expected: 'struct(on:u1)', actual: 'struct(on:bool)' };
    assert.throws(() => open(path, { value: { struct: { on: 'u1' } } }), hmapError('HMAP_VALUE_TYPE', wrong));
    assert.throws(() => open(path, { value: 'u8' }), hmapError('HMAP_VALUE_TYPE'));
    const next = open(path);
    await build(path, [['k', { on: 1 }]], { value: { struct: { on: 'u1' } } });
    assert.throws(() => next.reload(), hmapError('HMAP_VALUE_TYPE'));
  });
});

describe('damage', () => {
  test('a change to any byte of a small table is found, and never gives a wrong value', async () => {
    const schema = { on: 'bool', level: 'u7', score: 'i20', x: 'f64', rest: 'u3' } as const;
    const random = new Random(9);
    const model = new Map(Array.from({ length: 12 }, (_, i) => [`key ${i}`, randomValue(schema, random)]));
    const path = fresh();
    await build(path, model as never, { value: { struct: schema } });
    const file = readFileSync(path);
    const changed = fresh();
    for (let at = 0; at < file.length; at++) {
      // Most of the file is padding.
      if (file[at] === 0 && at % 61 !== 0) continue;
      const bytes = Buffer.from(file);
      bytes[at]! ^= random.between(1, 255);
      writeFileSync(changed, bytes);
      const { findings } = await verify(changed);
      assert.ok(findings.length > 0, `byte ${at}`);
      try {
        using table = open(changed, { value: { struct: schema } });
        for (const [key, value] of model) {
          assert.deepStrictEqual(table.get(key), value, `byte ${at}`);
          assert.deepStrictEqual(table.field(key, 'score'), value.score, `byte ${at}`);
        }
      } catch (error) {
        assert.equal((error as Error).name, 'HmapError', `byte ${at}: ${error}`);
      }
    }
  });
});
