// Entries that cannot be stored: the error names the key, and the old file stays.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type HmapError, type Key, open, type ValueType } from '../../src/index.js';
import { hmapError, misuse } from '../support/errors.js';
import { RANGES, VALUE_TYPES } from '../support/samples.js';
import {
  assertFails,
  assertRefuses,
  buildAny,
  fileOf,
  MIB,
  type Pair,
  type Scope,
  scratchPath,
  slowly,
} from './build-cases.js';

describe('entries that cannot be stored', () => {
  const good: Pair[] = [
    ['good 1', 1],
    ['good 2', 2],
  ];

  /** Refused in the middle of an array, and of an async input. */
  async function assertRefusesEntry(
    t: Scope,
    value: ValueType,
    bad: unknown,
    check: (error: unknown) => void,
    before: unknown[] = [],
  ): Promise<void> {
    await assertRefuses(t, [...before, bad], { value }, check);
    await assertRefuses(t, slowly([...before, bad, ...before]), { value }, check);
  }

  test('what is not a pair', async (t) => {
    for (const bad of [
      'ab',
      null,
      undefined,
      1,
      true,
      {},
      new Set(['a', 1]),
      Symbol('s'),
      () => ['a', 1],
      Promise.resolve(['a', 1]),
    ]) {
      await assertRefuses(
        t,
        [...good, bad],
        { value: 'u8' },
        misuse(/^entries: expected an array \[key, value\], got/),
      );
    }
    for (const bad of [null, undefined, 1, {}, true]) {
      await assertRefuses(
        t,
        ['a', bad],
        { value: 'none' },
        misuse(/^entries: expected a key or an array \[key\], got/),
      );
    }
  });

  test('keys of other kinds', async (t) => {
    for (const key of [undefined, null, 1, 1n, {}, ['a'], Symbol('k'), new Uint16Array(1)]) {
      await assertRefusesEntry(t, 'u8', [key, 1], misuse(/^key: expected a string or a Uint8Array, got/), good);
    }
    await assertRefusesEntry(t, 'u8', [], misuse(/^key: /), good);
  });

  test('keys with half a surrogate pair', async (t) => {
    for (const key of ['\ud800', 'tail \udc00', `${'x'.repeat(100)}\ud800`]) {
      const check = (error: unknown) => {
        hmapError('HMAP_KEY_INVALID', { message: /surrogate/ })(error);
        assert.equal((error as HmapError).key, Buffer.from(key).toString());
      };
      await assertRefusesEntry(t, 'u8', [key, 1], check, good);
    }
  });

  test('keys that are too long', async (t) => {
    const long: [Key, number][] = [
      ['k'.repeat(65_536), 65_536],
      ['é'.repeat(32_768), 65_536],
      [new Uint8Array(70_000).fill(97), 70_000],
      ['€'.repeat(65_535), 196_605],
    ];
    for (const [key, bytes] of long) {
      const check = hmapError('HMAP_KEY_TOO_LONG', { expected: 65_535, actual: bytes, message: /"[ké€a]{10}/ });
      await assertRefusesEntry(t, 'u8', [key, 1], check, good);
    }
  });

  const numbers = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32'] as const;
  const bigs = ['u64', 'i64'] as const;

  test('values out of the range of each integer type', async (t) => {
    const refused = (value: unknown) => (error: unknown) => {
      hmapError('HMAP_VALUE_RANGE', { key: 'bad', actual: value, message: /"bad".*, an integer from / })(error);
      assert.ok((error as Error).message.endsWith(`got ${value}${typeof value === 'bigint' ? 'n' : ''}`), `${error}`);
    };
    for (const type of numbers) {
      const [least, most] = RANGES[type];
      for (const value of [
        least - 1,
        most + 1,
        least - 0.5,
        most + 0.5,
        0.5,
        1e300,
        -1e300,
        Number.NaN,
        Infinity,
        -Infinity,
      ]) {
        await assertRefuses(t, [...good, ['bad', value]], { value: type }, refused(value));
      }
      await fileOf(
        [
          ['least', least],
          ['most', most],
        ],
        { value: type },
      );
    }
    for (const type of bigs) {
      const [least, most] = RANGES[type];
      for (const value of [least - 1n, most + 1n, 2n ** 100n, -(2n ** 100n)]) {
        await assertFails(
          t,
          (path) =>
            buildAny(
              path,
              [
                ['good', 1n],
                ['bad', value],
              ],
              { value: type },
            ),
          refused(value),
        );
      }
      await fileOf(
        [
          ['least', least],
          ['most', most],
        ],
        { value: type },
      );
    }
  });

  test('values of another kind', async (t) => {
    const kinds: Record<string, unknown> = {
      number: 1,
      bigint: 1n,
      string: '1',
      boolean: false,
      null: null,
      undefined: undefined,
      object: {},
      array: [1],
      bytes: Uint8Array.of(1),
      words: Uint16Array.of(1),
      function: () => 1,
    };
    const fitting: Partial<Record<ValueType, string[]>> = {
      none: ['undefined'],
      bytes: ['bytes'],
      utf8: ['string'],
      enum: ['string'],
      u64: ['bigint'],
      i64: ['bigint'],
    };
    for (const type of VALUE_TYPES) {
      if (type === 'json') continue;
      for (const [kind, value] of Object.entries(kinds)) {
        if ((fitting[type] ?? ['number']).includes(kind)) continue;
        const check = hmapError('HMAP_VALUE_INVALID', { key: 'bad', actual: value, message: /"bad".*expected/ });
        await assertRefuses(t, [['bad', value]], { value: type }, check);
      }
    }
  });

  test('text with half a surrogate pair', async (t) => {
    for (const value of ['\ud800', 'a\udc00', `${'x'.repeat(5000)}\ud800`, '\udc00\ud800']) {
      const check = hmapError('HMAP_VALUE_INVALID', { key: 'bad', message: /"bad".*surrogate/ });
      await assertFails(
        t,
        (path) =>
          buildAny(
            path,
            [
              ['good', '\ud83d\ude00'],
              ['bad', value],
            ],
            { value: 'utf8' },
          ),
        check,
      );
    }
  });

  test('what JSON cannot hold', async (t) => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    let deep: unknown = 0;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    const throwing = (error: unknown) => ({
      toJSON() {
        throw error;
      },
    });
    for (const value of [
      undefined,
      () => 1,
      Symbol('s'),
      { toJSON: () => undefined },
      1n,
      { big: [1n] },
      throwing(new Error('no')),
      throwing('no'),
      throwing(undefined),
      ...(tooDeep(deep) ? [deep] : []),
      cyclic,
    ]) {
      const check = hmapError('HMAP_VALUE_INVALID', { key: 'bad', message: /"bad"/ });
      await assertFails(
        t,
        (path) =>
          buildAny(
            path,
            [
              ['good', null],
              ['bad', value],
            ],
            { value: 'json' },
          ),
        check,
      );
    }
  });

  test('json: what JSON would change without a word', async (t) => {
    const inner: [unknown, RegExp][] = [
      [Number.NaN, /finite, got NaN$/],
      [-Infinity, /finite, got -Infinity$/],
      [new Map([['a', 1]]), /plain objects and arrays, got object$/],
      [new Set([1]), /plain objects/],
      [/a/, /plain objects/],
      [new ArrayBuffer(8), /plain objects/],
      [Promise.resolve(), /plain objects/],
      [[undefined], /arrays of values that JSON has, got undefined$/],
      [[() => 1], /got function$/],
      [new Array(3), /got undefined$/],
    ];
    for (const [value, message] of inner) {
      const check = hmapError(typeof value === 'number' ? 'HMAP_VALUE_RANGE' : 'HMAP_VALUE_INVALID', {
        key: 'bad',
        message,
      });
      for (const whole of [value, { deep: [{ in: value }] }]) {
        await assertRefuses(
          t,
          [
            ['good', {}],
            ['bad', whole],
          ],
          { value: 'json' },
          check,
        );
      }
    }
  });

  test('json: what looks like it, and is kept', async () => {
    class Point {
      x = null;
      gone = undefined;
    }
    const kept = [
      null,
      {},
      [null],
      { a: { b: {} } },
      'null {}',
      new Date(0),
      new Point(),
      new (class {})(),
      new Date(NaN),
    ];
    const entries = kept.map((value, i): Pair => [`${i}`, value]);
    await fileOf(entries, { value: 'json' });
    const table = open(scratchPath, { value: 'json' });
    for (const [key, value] of entries) assert.deepEqual(table.get(key as string), JSON.parse(JSON.stringify(value)));
    table.close();
  });

  /** Later versions of V8 have no limit to nesting. */
  function tooDeep(value: unknown): boolean {
    try {
      JSON.stringify(value);
      return false;
    } catch {
      return true;
    }
  }

  test('values that are too long', async (t) => {
    const value = new Uint8Array(2 ** 30 + 1);
    const check = hmapError('HMAP_VALUE_TOO_LONG', { key: 'bad', actual: 2 ** 30 + 1, message: /"bad"/ });
    await assertRefuses(t, [['bad', value]], { value: 'bytes' }, check);
  });

  test('keys in messages: binary ones as bytes, long ones cut', async (t) => {
    const binary = hmapError('HMAP_VALUE_RANGE', { key: Uint8Array.of(0xff, 0), message: /0xff00/ });
    await assertRefuses(t, [[Uint8Array.of(0xff, 0), 256]], { value: 'u8' }, binary);
    const long = hmapError('HMAP_VALUE_RANGE', { key: 'y'.repeat(9000), message: /^.{0,300}$/ });
    await assertRefuses(t, [['y'.repeat(9000), 256]], { value: 'u8' }, long);
    const lines = hmapError('HMAP_VALUE_RANGE', { key: 'a\nb\r\u2028', message: /"a\\nb\\r/ });
    await assertRefuses(t, [['a\nb\r\u2028', 256]], { value: 'u8' }, lines);
  });

  test('after many good ones, some of them in the temporary file', async (t) => {
    const many = function* () {
      for (let i = 0; i < 5000; i++) yield [`key ${i}`, 'x'.repeat(300)];
      yield ['bad', '\ud800'];
    };
    await assertRefuses(t, many(), { value: 'utf8', memory: MIB }, hmapError('HMAP_VALUE_INVALID', { key: 'bad' }));
  });
});
