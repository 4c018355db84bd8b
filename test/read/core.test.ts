// The core and JavaScript give the same answers: what many keys get, in each form of table and of question, from whole
// and from damaged files; and a table says which of the two it uses.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type AnyKey,
  type BuildOptions,
  build,
  type Entry,
  type HashHeader,
  HmapError,
  type NumericArray,
  open,
  type Table,
  type ValueType,
} from '../../src/index.js';
import { Lookup } from '../../src/read/lookup.js';
import { runModule } from '../support/child.js';
import { hmapError, misuse } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { MISSES } from '../support/model.js';
import { Random } from '../support/random.js';
import { EXTREMES, KEY_KINDS, keysOf, sampleOf, VALUE_TYPES } from '../support/samples.js';
import { writeWideTable } from '../support/sparse-table.js';
import { folder } from './table-cases.js';

/** Lookups that the core has left to be made one by one. */
let leftToJavaScript = 0;
const { find } = Lookup.prototype;
Lookup.prototype.find = function (at, length, hash) {
  leftToJavaScript++;
  return find.call(this, at, length, hash);
};

/** Whether this system maps files over memories of WebAssembly. */
const MAPS = WORKING.includes('libc') || WORKING.includes('ffi');
const mapping = WORKING.includes('libc') ? 'libc' : 'ffi';
const skip = !MAPS && 'no file is mapped over a memory here';

/** What is asked of a table without the core. */
function without<T>(path: string, options: object, ask: (table: Table<unknown, AnyKey>) => T): T {
  const before = process.env.HMAP_NO_CORE;
  process.env.HMAP_NO_CORE = '1';
  try {
    using table = open(path, options) as unknown as Table<unknown, AnyKey>;
    assert.equal(table.coreReason?.code, 'HMAP_CORE_OFF');
    return ask(table);
  } finally {
    if (before === undefined) delete process.env.HMAP_NO_CORE;
    else process.env.HMAP_NO_CORE = before;
  }
}

function within<T>(path: string, options: object, ask: (table: Table<unknown, AnyKey>) => T): T {
  const before = process.env.HMAP_NO_CORE;
  delete process.env.HMAP_NO_CORE;
  try {
    using table = open(path, options) as unknown as Table<unknown, AnyKey>;
    assert.deepEqual([table.core, table.coreReason], ['wasm', undefined]);
    return ask(table);
  } finally {
    if (before !== undefined) process.env.HMAP_NO_CORE = before;
  }
}

function headerOf(path: string): HashHeader {
  using table = open(path);
  return table.header;
}

/** By one byte, and by one that takes two. */
const TOO_LONG = ['x'.repeat(65_536), `${'x'.repeat(65_534)}é`];

/** What a question gives, or the error. */
function outcome(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof HmapError)) throw error;
    return { code: error.code, message: error.message, offset: error.offset };
  }
}

const built = async (name: string, entries: Iterable<readonly [AnyKey, unknown]>, options: BuildOptions<ValueType>) => {
  const path = join(folder, `core-${name}.hmap`);
  await build(path, entries as Iterable<Entry<ValueType>>, options as never);
  return path;
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Holds both ways to each other, and to single lookups. */
async function assertSame(
  path: string,
  options: object,
  keys: readonly AnyKey[],
  values: ReadonlyMap<AnyKey, unknown>,
): Promise<void> {
  const right = keys.map((key) => values.get(key));
  for (const check of ['header', 'touch', 'full'] as const) {
    const asked = { mapping, check, ...options };
    const answers = [within, without].map((way) =>
      way(path, asked, (table) => {
        // Twice: blocks that have not been checked are left to JavaScript, those that have, to the core.
        const values = [table.getMany(keys), table.getMany(keys)];
        const views = table.getManyViews(keys).map((view) => view && Buffer.from(view));
        const single = keys.map((key) => table.get(key));
        return { values, views, single, has: [...table.hasMany(keys)] };
      }),
    );
    for (const { values, views, single, has } of answers) {
      for (const each of [...values, single]) assert.deepEqual(each, right);
      const known = right.map((value) => (value === undefined ? 0 : 1));
      assert.deepEqual(has, known);
      assert.deepEqual(
        views.map((view) => (view === undefined ? 0 : 1)),
        known,
      );
    }
    assert.deepEqual(answers[0]!.views, answers[1]!.views);
    // Of small files, only so many can be mapped over memories whose views are still held.
    collect();
    await new Promise(setImmediate);
  }
}

describe('many keys, in the core and without it', { skip }, () => {
  for (const [i, kind] of KEY_KINDS.entries()) {
    test(`strings: ${kind}`, async () => {
      const random = new Random(100 + i);
      const keys = keysOf(kind, 1500, random);
      const values = ['none', 'utf8', 'u24', 'bytes', 'u8', 'enum', 'f64'] as const;
      for (const value of values.filter((_, j) => (i + j) % 2 === 0)) {
        for (const segmentBytes of [undefined, 4096]) {
          const model = new Map(keys.map((key) => [key as AnyKey, sampleOf(value, random)]));
          const limit = segmentBytes === undefined ? {} : { segmentBytes };
          const path = await built(`${kind}-${value}-${segmentBytes}`, model, { value, ...limit }).catch((error) => {
            // Long values do not fit into such segments.
            if (segmentBytes === undefined) throw error;
            return undefined;
          });
          if (path === undefined) continue;
          const strangers = [...MISSES, ...keys.slice(0, 400).flatMap((key) => [`${key}x`, ` ${key}`])];
          const others = strangers.filter((key) => !model.has(key));
          await assertSame(path, { value }, random.shuffled([...keys, ...others]), model);
        }
      }
    });
  }

  test('typed keys, one by one and in typed arrays', async () => {
    const random = new Random(5);
    const samples = {
      u32: Array.from({ length: 3000 }, () => random.u32()),
      u64: Array.from({ length: 3000 }, () => sampleOf('u64', random)),
      i64: Array.from({ length: 3000 }, () => sampleOf('i64', random)),
    };
    const arrays = { u32: Uint32Array, u64: BigUint64Array, i64: BigInt64Array };
    for (const key of ['u32', 'u64', 'i64'] as const) {
      const all: readonly AnyKey[] = [...new Set<AnyKey>(samples[key])];
      for (const segmentBytes of [2 ** 31 - 1, 4096]) {
        const model = new Map(all.slice(0, 2000).map((each, i) => [each, i]));
        const path = await built(`${key}-${segmentBytes}`, model, { key, value: 'u16', segmentBytes } as never);
        const asked = random.shuffled(all);
        await assertSame(path, { key }, asked, model);
        const right = asked.map((each) => model.get(each));
        const whole = (arrays[key] as Uint32ArrayConstructor).from(asked as number[]);
        for (const way of [within, without]) {
          way(path, { key, mapping }, (table) => {
            for (let round = 0; round < 2; round++) {
              assert.deepEqual(table.getMany(whole), right);
              assert.deepEqual(table.getMany(whole.subarray(1, 5)), right.slice(1, 5));
              assert.deepEqual(
                [...table.hasMany(whole)],
                right.map((value) => (value === undefined ? 0 : 1)),
              );
            }
          });
        }
      }
    }
    // Keys that are numbers, in arrays of other kinds.
    const path = join(folder, 'core-u32-4096.hmap');
    const some = samples.u32.slice(0, 100);
    for (const way of [within, without]) {
      way(path, { key: 'u32', mapping }, (table) => {
        const right = table.getMany(some);
        assert.deepEqual(table.getMany(Float64Array.from(some)), right);
        assert.deepEqual(table.getMany(Int16Array.of(-1)), [undefined]);
        assert.throws(() => table.getMany(BigUint64Array.of(1n)), misuse(/^key: expected a number/));
        assert.throws(() => table.getMany(Uint8Array.of(1)), misuse(/^keys: expected an iterable/));
      });
    }
  });

  test('strings in a table that is asked by several tables at once', async () => {
    const random = new Random(6);
    const one = new Map(keysOf('mixed', 800, random).map((key) => [key as AnyKey, random.below(256)]));
    const two = new Map(keysOf('words', 800, random).map((key) => [key as AnyKey, random.text(5)]));
    const paths = [await built('one', one, { value: 'u8' }), await built('two', two, { value: 'utf8' })];
    using first = open(paths[0]!, { mapping });
    using second = open(paths[1]!, { mapping });
    const keys = random.shuffled([...one.keys(), ...two.keys()]) as string[];
    const yielding = function* () {
      for (const key of keys) {
        assert.deepEqual(second.getMany([key]), [two.get(key)]);
        yield key;
      }
    };
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(
        first.getMany(yielding()),
        keys.map((key) => one.get(key)),
      );
    }
    // The elements of an array may be accessors.
    const list = keys.slice(0, 50);
    const accessors = Object.defineProperty([...list], 25, {
      get() {
        first.getMany(list);
        return list[25];
      },
    });
    assert.deepEqual(first.getMany(accessors), first.getMany(list));
  });

  test('memories that are used again know nothing of the table before', async () => {
    const paths = await Promise.all(
      [4096, 2 ** 31 - 1].map((segmentBytes) =>
        built(
          `again-${segmentBytes}`,
          Array.from({ length: 2000 }, (_, i) => [`key ${i}`, i + segmentBytes] as const),
          { value: 'f64', segmentBytes },
        ),
      ),
    );
    for (let round = 0; round < 20; round++) {
      const segmentBytes = round % 2 === 0 ? 4096 : 2 ** 31 - 1;
      using table = open(paths[round % 2]!, { mapping });
      for (let each = 0; each < 3; each++) {
        assert.deepEqual(table.getMany(['key 7', 'miss', 'key 1999']), [
          7 + segmentBytes,
          undefined,
          1999 + segmentBytes,
        ]);
      }
    }
  });

  test('a file that lies in several memories', () => {
    const path = join(folder, 'core-wide.hmap');
    const values = writeWideTable(path);
    const keys = new Random(7).shuffled([...values.keys(), ...Array.from({ length: 300 }, (_, i) => 1_000_000 + i)]);
    const start = (view: Uint8Array | undefined) => view && Buffer.from(view.buffer, view.byteOffset).readUInt32LE();
    for (const way of [within, without]) {
      way(path, { key: 'u32', value: 'bytes', mapping, check: 'header' }, (table) => {
        assert.ok(table.header.fileBytes > 3 * 2 ** 30 && table.header.segments.length === 4);
        for (let round = 0; round < 2; round++) {
          leftToJavaScript = 0;
          for (const asked of [keys, Uint32Array.from(keys)]) {
            assert.deepEqual(
              table.getManyViews(asked).map(start),
              keys.map((key) => values.get(key)),
            );
          }
        }
        assert.deepEqual(
          [...table.hasMany(keys)],
          keys.map((key) => (values.has(key) ? 1 : 0)),
        );
        // Each memory's core has found its keys, once it knows its segments.
        assert.equal(leftToJavaScript, 0);
      });
    }
  });
});

describe('damage met in the core is what JavaScript meets', { skip }, () => {
  const shapes = [
    { name: 'prefixed', value: 'u16', long: false },
    { name: 'fixed', value: 'u16', long: undefined },
    { name: 'variable', value: 'utf8', long: false },
    { name: 'long', value: 'utf8', long: true },
  ] as const;
  for (const { name, value, long } of shapes) {
    test(name, async () => {
      const random = new Random(name.length);
      const keys = Array.from({ length: 60 }, (_, i) =>
        long === undefined ? `key ${10 + i}` : `${'k'.repeat(i % 9)} ${i}`,
      );
      if (long) keys.push('x'.repeat(130), 'y'.repeat(20_000));
      const model = keys.map((key, i) => [key, value === 'u16' ? i : 'v'.repeat(long ? 40 * i : i % 5)] as const);
      const path = await built(`damaged-${name}`, model, { value });
      const whole = readFileSync(path);
      const damaged = join(folder, 'core-damaged.hmap');
      const { index, checksums } = headerOf(path);
      let met = 0;
      for (let round = 0; round < 1200; round++) {
        const bytes = Buffer.from(whole);
        // The index is small: each second change is in it.
        const from = round % 2 === 0 ? index.offset : 4096;
        const at = random.between(from, checksums.offset - 1);
        bytes[at] = round % 3 === 0 ? 0xff : bytes[at]! ^ (1 << random.below(8));
        writeFileSync(damaged, bytes);
        const asked =
          random.below(2) === 0
            ? [random.pick([...keys, ...TOO_LONG])]
            : random.shuffled([...keys, 'miss', '', ...TOO_LONG]);
        const [core, script] = [within, without].map((way) =>
          way(damaged, { mapping, check: 'header' }, (table) => outcome(() => table.getMany(asked))),
        );
        if (!Array.isArray(core)) met++;
        assert.deepEqual(core, script, `byte ${at}`);
      }
      assert.ok(met > 50, `${met} errors`);
    });
  }
});

describe('getManyInto', () => {
  const ARRAYS = [
    ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
    ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
  ];
  const NUMERIC = VALUE_TYPES.filter((type) => !['none', 'bytes', 'utf8', 'json', 'enum'].includes(type));

  for (const value of NUMERIC) {
    test(`values of ${value}, into each array that holds them all`, async () => {
      const random = new Random(8);
      const keys = Array.from({ length: 1200 }, (_, i) => `key ${i}`);
      const extremes: readonly unknown[] = EXTREMES[value];
      const model = new Map(keys.map((key, i) => [key as AnyKey, extremes[i] ?? sampleOf(value, random)]));
      const asked = random.shuffled([...keys, ...keys.map((key) => `${key} not`), ...MISSES]);
      for (const segmentBytes of [2 ** 31 - 1, 4096]) {
        const path = await built(`into-${value}-${segmentBytes}`, model, { value, segmentBytes } as never);
        const ways = MAPS ? [within, without] : [without];
        for (const way of ways) {
          way(path, { value, ...(MAPS && { mapping }) }, (table) => {
            let fitting = 0;
            for (const Numbers of ARRAYS) {
              const out = new Numbers(asked.length + 3);
              const isBig = Numbers === BigInt64Array || Numbers === BigUint64Array;
              const none = isBig ? 7n : 7;
              const holds = [...model.values()].every((each) => {
                if (typeof each !== (isBig ? 'bigint' : 'number')) return false;
                return Object.is((Numbers as typeof Float64Array).of(each as never)[0], each);
              });
              if (!holds) {
                assert.throws(() => table.getManyInto(asked, out), misuse(/^out: for values of/), Numbers.name);
                continue;
              }
              fitting++;
              for (let round = 0; round < 2; round++) {
                assert.equal(table.getManyInto(asked, out, none), keys.length);
                const right = asked.map((key) => model.get(key) ?? none);
                assert.deepEqual([...out], [...right, ...new Array(3).fill(isBig ? 0n : 0)], Numbers.name);
              }
              assert.equal(table.getManyInto(['no such key'], out), 0);
              assert.equal(out[0], isBig ? 0n : 0);
            }
            assert.ok(fitting > 0);
          });
        }
      }
    });
  }

  test('refuses what makes no sense', async () => {
    const numbers = open(await built('numbers', [['a', 1]], { value: 'u32' }));
    const texts = open(await built('texts', [['a', 'b']], { value: 'utf8' }));
    const out = new Uint32Array(1);
    assert.throws(() => texts.getManyInto(['a'], out), misuse(/^getManyInto: the values are utf8/));
    for (const bad of [undefined, null, [], {}, new DataView(new ArrayBuffer(4)), new ArrayBuffer(4)]) {
      assert.throws(() => numbers.getManyInto(['a'], bad as never), misuse(/^out: for values of u32, expected /));
    }
    assert.throws(() => numbers.getManyInto(['a', 'b'], out), RangeError);
    assert.throws(() => numbers.getManyInto(['a'], out, 1n), misuse(/^missing: expected a number, got bigint/));
    assert.throws(() => numbers.getManyInto('a' as never, out), misuse(/^keys: expected an iterable/));
    assert.deepEqual(out, new Uint32Array(1), 'nothing was written');
    const closing = (function* () {
      yield 'a';
      numbers.close();
    })();
    assert.throws(() => numbers.getManyInto(closing, out), hmapError('HMAP_CLOSED'));
    texts.close();
  });

  test('the keys may lie in the memory of the values, at another place', async () => {
    const entries = Array.from({ length: 8000 }, (_, i) => [i, i + 1] as const);
    const path = await built('overlap', entries, { key: 'u32', value: 'u32' } as never);
    for (const way of MAPS ? [within, without] : [without]) {
      way(path, { key: 'u32', ...(MAPS && { mapping }) }, (table) => {
        const memory = new ArrayBuffer(4 * 4001);
        const keys = new Uint32Array(memory, 0, 4000).map((_, i) => 2 * i);
        new Uint32Array(memory, 0, 4000).set(keys);
        const out = new Uint32Array(memory, 4, 4000);
        assert.equal(table.getManyInto(new Uint32Array(memory, 0, 4000), out), 4000);
        assert.deepEqual(
          out,
          keys.map((key) => key + 1),
        );
      });
    }
  });

  test('the keys may lie in the array of the values', async () => {
    const entries = Array.from({ length: 5000 }, (_, i) => [i, 3 * i] as const);
    const table = open(await built('same', entries, { key: 'u32', value: 'u32' } as never), { key: 'u32' });
    const both: NumericArray = Uint32Array.from(entries, ([key]) => key);
    assert.equal(table.getManyInto(both as Uint32Array, both), entries.length);
    assert.deepEqual(
      [...both],
      entries.map(([, value]) => value),
    );
    table.close();
  });
});

describe('a table says whether the core works for it', () => {
  test('and why not', { skip }, async () => {
    const path = await built('says', [['a', 1]], { value: 'u8' });
    const prints = await built('says-prints', [['a', 1]], { value: 'u8', fingerprint: 16 } as never);
    const script = `
      const [, path, prints] = process.argv;
      const told = [];
      for (const [file, options] of [[path, {}], [path, { mapping: 'copy' }], [prints, { fingerprint: true }]]) {
        const table = hmap.open(file, { mapping: '${mapping}', ...options });
        told.push(table.core, table.coreReason?.code, table.getMany(['a', 'b'])[0], [...table.hasMany(['a'])][0]);
        table.close();
      }
      console.log(told.join(' '));`;
    const rest = 'js HMAP_OUTSIDE_MEMORY 1 1 js HMAP_FINGERPRINT 1 1';
    // The one that this run may have been started with does not count.
    const unset = `delete process.env.HMAP_NO_CORE;${script}`;
    const ways: [string, { flags?: string[] }, string][] = [
      [unset, {}, `wasm  1 1 ${rest}`],
      [`process.env.HMAP_NO_CORE = '1';${script}`, {}, `js HMAP_CORE_OFF 1 1 ${rest}`],
      [unset, { flags: ['--jitless'] }, `js HMAP_OUTSIDE_MEMORY 1 1 ${rest}`],
    ];
    for (const [code, settings, expected] of ways) {
      const { status, stdout } = await runModule(code, [path, prints], settings);
      assert.deepEqual({ status, stdout }, { status: 0, stdout: `${expected}\n` });
    }
  });
});
