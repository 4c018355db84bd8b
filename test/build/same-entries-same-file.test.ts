// The same entries make the same file, whatever their order, their source or the options of the build.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { build, open, type ValueType } from '../../src/index.js';
import { assertIs } from '../support/model.js';
import { Random } from '../support/random.js';
import { keysOf, sampleOf, VALUE_TYPES } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { assertSame, buildAny, bytesOf, type Input, MIB, scratchPath, shared, slowly, textsOf } from './build-cases.js';

describe('one file for one set of entries', () => {
  test('whatever their order', async () => {
    const random = new Random(1);
    for (const type of VALUE_TYPES) {
      const entries = keysOf('mixed', 400, random).map((key) => [key, sampleOf(type, random)] as const);
      const expected = await bytesOf(entries, { value: type });
      assertSame(await bytesOf([...entries].reverse(), { value: type }), expected, `${type}, reversed`);
      assertSame(await bytesOf(random.shuffled(entries), { value: type }), expected, `${type}, shuffled`);
    }
  });

  test('whatever their order, for any small set', async () => {
    const points = fc.nat({ max: 0x10_ffff }).filter((point) => point < 0xd800 || point > 0xdfff);
    const keys = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.array(points, { minLength: 1, maxLength: 200 }).map((codes) => String.fromCodePoint(...codes)),
    );
    const entries = fc.uniqueArray(fc.tuple(keys, fc.string({ maxLength: 9 })), {
      selector: ([key]) => key,
      maxLength: 60,
    });
    const property = fc.asyncProperty(entries, fc.nat(), async (list, seed) => {
      const model = new Map(list);
      const expected = await bytesOf(list, { value: 'utf8' });
      assertSame(await bytesOf(new Random(seed).shuffled(list), { value: 'utf8' }), expected, 'shuffled');
      const table = open(scratchPath);
      assertIs(table, model);
      table.close();
    });
    await fc.assert(property, { seed: 2, numRuns: 25 });
  });

  test('whatever memory there is', async () => {
    const random = new Random(3);
    const texts = textsOf(3000, random, 400);
    texts.set('large', 'x'.repeat(100_000)).set('larger', 'y'.repeat(3_000_000)).set('largest key'.padEnd(65_535), 'z');
    const numbers = new Map(keysOf('words', 3000, random).map((key) => [key, random.u32()]));
    const inputs: [Map<string, unknown>, ValueType][] = [
      [texts, 'utf8'],
      [numbers, 'u32'],
    ];
    for (const [entries, value] of inputs) {
      const expected = await bytesOf(entries, { value });
      // Odd sizes too, for which parts of the memory are no round numbers.
      for (const memory of [MIB + 1, 3_333_333, 8_500_001.5, 12_345_679, 23_456_789, 100 * MIB]) {
        assertSame(
          await bytesOf(random.shuffled(entries), { value, memory }),
          expected,
          `${value} with ${memory} bytes`,
        );
      }
      await build(scratchPath, entries as Iterable<never>, { value });
      assertSame(readFileSync(scratchPath), expected, `${value} with the default`);
    }
  });

  test('whatever they come as', async () => {
    const random = new Random(4);
    const map = textsOf(500, random, 50);
    const expected = await bytesOf(map, { value: 'utf8' });
    const generator = function* () {
      yield* map;
    };
    const table = join(shared, 'table.hmap');
    const inputs: Record<string, () => Input> = {
      array: () => [...map],
      'arrays with more in them': () => [...map].map(([key, value]) => [key, value, 'not looked at']),
      iterator: () => map.entries(),
      generator,
      'async generator': () => slowly(map),
      'readable stream': () => ReadableStream.from(map) as unknown as AsyncIterable<unknown>,
      'keys as bytes': () => [...map].map(([key, value]) => [Buffer.from(key), value]),
      'an open table, replaced by itself': () => open(table, { value: 'utf8' }),
    };
    for (const [name, input] of Object.entries(inputs)) {
      assertSame(await bytesOf(input(), { value: 'utf8' }), expected, name);
    }
  });

  test('a set: keys, or pairs with true or nothing', async () => {
    const keys = keysOf('mixed', 300, new Random(5));
    const expected = await bytesOf(keys, { value: 'none' });
    assertSame(await bytesOf(new Set(keys), { value: 'none' }), expected, 'Set');
    assertSame(await bytesOf(slowly(keys), { value: 'none' }), expected, 'async');
    assertSame(
      await bytesOf(
        keys.map((key) => Buffer.from(key)),
        { value: 'none' },
      ),
      expected,
      'bytes',
    );
    assertSame(
      await bytesOf(
        keys.map((key) => [key]),
        { value: 'none' },
      ),
      expected,
      '[key]',
    );
    assertSame(
      await bytesOf(
        keys.map((key) => [key, true]),
        { value: 'none' },
      ),
      expected,
      '[key, true]',
    );
    assertSame(
      await bytesOf(
        keys.map((key) => [key, undefined]),
        { value: 'none' },
      ),
      expected,
      '[key, undefined]',
    );
  });

  test('memory that the caller uses again is copied in time', async () => {
    const random = new Random(6);
    const long = random.bytes(70_000);
    const entries = Array.from(
      { length: 300 },
      (_, i) => [Buffer.from(`key ${i}`), long.slice(0, i * i * 0.7)] as const,
    );
    const expected = await bytesOf(entries, { value: 'bytes' });
    const reusing = function* () {
      const pair: unknown[] = [];
      const key = Buffer.alloc(100);
      const value = Buffer.alloc(70_000);
      for (const [k, v] of entries) {
        key.set(k);
        value.set(v);
        pair[0] = key.subarray(0, k.length);
        pair[1] = value.subarray(0, v.length);
        yield pair;
        key.fill(255);
        value.fill(255);
      }
    };
    assertSame(await bytesOf(reusing(), { value: 'bytes' }), expected, 'one buffer');
  });

  test('the seed changes the file, and any u32 is one', async () => {
    const random = new Random(7);
    const model = textsOf(200, random, 20);
    const files = new Set<string>();
    const seeds = [undefined, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    for (const seed of seeds) {
      files.add(
        (await bytesOf(model, seed === undefined ? { value: 'utf8' } : { value: 'utf8', seed })).toString('hex'),
      );
      const table = open(scratchPath);
      assert.equal(table.header.hash.seed, seed ?? 0);
      assertIs(table, model, seed ?? 0);
      table.close();
    }
    assert.equal(files.size, seeds.length);
  });

  test('values that call into tables while they are encoded', async (t) => {
    const path = join(temporaryFolder(t), 'other.hmap');
    await build(path, [['another key', 1]], { value: 'u8' });
    const other = open(path);
    const value = { toJSON: () => ({ found: other.get('another key') }) };
    await buildAny(
      scratchPath,
      [
        ['a', value],
        ['bb', value],
      ],
      { value: 'json' },
    );
    other.close();
    const table = open(scratchPath);
    assert.deepEqual(
      new Map(table),
      new Map([
        ['a', { found: 1 }],
        ['bb', { found: 1 }],
      ]),
    );
    table.close();
  });
});
