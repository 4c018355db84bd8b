// Lists: every type of element against an array, every way of asking; damage, reload, refusals. Knows the public API;
// places of bytes are those of native-notes/format.md, section 15.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  BitArray,
  build,
  HmapError,
  inspectBucket,
  inspectKey,
  List,
  type ListType,
  open,
  stat,
  verify,
} from '../../src/index.js';
import { ReferenceKeyless } from '../conformance/reference-keyless.js';
import { DAMAGED_KEYLESS, WHOLE_KEYLESS } from '../support/damaged-keyless.js';
import { hmapError, misuse } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { Random } from '../support/random.js';
import { composeKeyless, packedPart } from '../support/raw-keyless.js';
import { temporaryFolder } from '../support/temp.js';
import { failure, hmapErrorOf } from './failures.js';

/** A value of a packed type: often one at an end of the range. */
function packedValue(random: Random, bits: number, signed: boolean): number {
  const [least, most] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  const choice = random.below(6);
  if (choice === 0) return least;
  if (choice === 1) return most;
  if (choice === 2) return signed ? -1 : 0;
  // 53 bits of which the lowest `bits` are taken.
  const pattern = (random.u32() * 2 ** 21 + random.below(2 ** 21)) % 2 ** bits;
  return signed && pattern > most ? pattern - 2 ** bits : pattern;
}

function valueOfType(random: Random, type: ListType): unknown {
  const packed = /^([ui])(\d+)$/.exec(type);
  if (packed !== null) return packedValue(random, Number(packed[2]), packed[1] === 'i');
  if (type === 'utf8')
    return Array.from({ length: random.below(20) }, () => random.pick(['a', 'é', '三', '🔑', '\n'])).join('');
  if (type === 'bytes') return random.bytes(random.below(20));
  const value = random.pick([0, -0, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, random.u32() / 3]);
  return type === 'f32' ? Math.fround(value) : value;
}

const OTHER_TYPES = ['f32', 'f64', 'utf8', 'bytes'] as const;

/** Holds a list to an array in every way of asking. */
function assertIs(list: List, values: readonly unknown[], base: number): void {
  assert.deepEqual([list.length, list.size, list.base, list.closed], [values.length, values.length, base, false]);
  for (const [i, value] of values.entries()) assert.deepStrictEqual(list.get(base + i), value, `element ${i}`);
  assert.deepStrictEqual([...list], values);
  assert.deepStrictEqual([...list.values()], values);
  assert.deepStrictEqual(
    [...list.entries()],
    values.map((value, i) => [base + i, value]),
  );
  const backwards = [values.length, ...values.keys(), -1].reverse();
  assert.deepStrictEqual(
    list.getMany(new Set(backwards.map((i) => base + i))),
    backwards.map((i) => values[i]),
  );
  assert.deepStrictEqual(
    list.getMany(Float64Array.from(backwards, (i) => base + i)),
    backwards.map((i) => values[i]),
  );
  if (typeof values[0] === 'number') {
    const out = new Float64Array(backwards.length + 1).fill(-7);
    assert.equal(
      list.getManyInto(
        Float64Array.from(backwards, (i) => base + i),
        out,
        1e9,
      ),
      values.length,
    );
    assert.deepStrictEqual([...out], [...backwards.map((i) => values[i] ?? 1e9), -7]);
  }
  for (const none of [-1, values.length, 0.5, Number.NaN, Number.POSITIVE_INFINITY, -(2 ** 32), 2 ** 32, 2 ** 60]) {
    if (values.length > 0 || none !== 0) assert.equal(list.get(base + none), undefined, `index ${none}`);
  }
  // Once more, when all blocks are known.
  for (const [i, value] of values.entries()) assert.deepStrictEqual(list.get(base + i), value, `element ${i}`);
}

describe('every type of element', () => {
  const folder = temporaryFolder({ after: (remove) => process.on('exit', remove) });
  const widths = Array.from({ length: 53 }, (_, i) => i + 1);
  const types = [...widths.flatMap((bits) => [`u${bits}`, `i${bits}`]), ...OTHER_TYPES] as ListType[];

  for (const [number, type] of types.entries()) {
    test(`${type}: in one segment and in several, from an array and from an async iterable`, async () => {
      const random = new Random(number);
      const path = join(folder, `${type}.hmap`);
      // The largest segments of 8 KiB hold 8 elements for each byte of an element's bits.
      const several = number % 3 === 0;
      const count = several ? 3000 + random.below(3000) : random.below(200);
      const base = random.pick([0, 1, -7, -(2 ** 40), 2 ** 45]);
      const values = Array.from({ length: count }, () => valueOfType(random, type));
      const segmentBytes = several ? 4096 : 2 ** 31 - 1;
      async function* later() {
        yield* values;
      }
      const options = { layout: 'list', value: type, base, segmentBytes } as const;
      const summary = await build(path, several ? (later() as never) : (values as never), options);
      assert.deepEqual([summary.entries, summary.duplicates], [count, 0]);
      const { ok, findings, entries, fileBytes } = await verify(path);
      assert.deepEqual([ok, findings, entries, fileBytes], [true, [], count, summary.fileBytes]);
      for (const check of ['touch', 'header', 'full'] as const) {
        const list = open(path, { layout: 'list', value: type, check });
        assert.ok(list instanceof List);
        assertIs(list, values, base);
        list.close();
      }
      const reference = new ReferenceKeyless(path);
      assert.deepEqual(reference.check(), []);
      const plain = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value) : value);
      assert.deepStrictEqual(reference.values().map(plain), values.map(plain));
      const { sections, payloadBytes, header } = await stat(path);
      assert.equal(
        Object.values(sections).reduce((sum, bytes) => sum + bytes, 0),
        fileBytes,
      );
      assert.deepEqual([payloadBytes, header.segments.length], [summary.payloadBytes, summary.segments]);
    });
  }

  test('the ways of mapping give the same', async () => {
    const path = join(folder, 'mapped.hmap');
    const values = Array.from({ length: 9000 }, (_, i) => (i * 7919) % 2 ** 23);
    await build(path, values, { layout: 'list', value: 'u23', segmentBytes: 4096 });
    for (const mapping of WORKING) {
      const list = open(path, { layout: 'list', value: 'u23', mapping });
      assert.equal(list.mapping, mapping);
      assertIs(list, values, 0);
      list.close();
    }
  });
});

describe('the file', () => {
  test('is what a writer made from the spec alone writes', async (t) => {
    const path = join(temporaryFolder(t), 'list.hmap');
    const values = [0, 1, 127, 64, 5, 99, 3, 2, 80, 7, 11];
    await build(path, values, { layout: 'list', value: 'u7' });
    assert.ok(readFileSync(path).equals(composeKeyless(WHOLE_KEYLESS.packed())));
    await build(path, ['ant', '', 'bee', 'crow', 'dové'], { layout: 'list', value: 'utf8' });
    assert.ok(readFileSync(path).equals(composeKeyless(WHOLE_KEYLESS.texts())));
    await build(path, [1, Number.NaN], { layout: 'list', value: 'f32' });
    assert.ok(readFileSync(path).equals(composeKeyless(WHOLE_KEYLESS.floats())));
    for (const make of Object.values(WHOLE_KEYLESS)) {
      writeFileSync(path, composeKeyless(make()));
      assert.deepEqual((await verify(path)).findings, []);
      assert.deepEqual(new ReferenceKeyless(path).check(), []);
    }
  });

  test('of more than the memory is the same, and goes through a temporary file', async (t) => {
    const folder = temporaryFolder(t);
    function* texts() {
      for (let i = 0; i < 60_000; i++) yield `text ${i} ${'x'.repeat(i % 50)}`;
    }
    const options = { layout: 'list', value: 'utf8' } as const;
    const small = await build(join(folder, 'small.hmap'), texts(), { ...options, memory: 2 ** 20 });
    const large = await build(join(folder, 'large.hmap'), texts(), options);
    assert.ok(small.spilledBytes > 2 ** 20);
    assert.equal(large.spilledBytes, 0);
    assert.ok(readFileSync(small.path).equals(readFileSync(large.path)));
    const list = open(small.path, { layout: 'list', value: 'utf8' });
    assert.deepEqual([...list], [...texts()]);
    list.close();
  });

  test('without room for its elements in 2^12 segments is refused', async (t) => {
    const folder = temporaryFolder(t);
    const long = [Buffer.alloc(10_000)];
    const options = { layout: 'list', value: 'bytes', segmentBytes: 4096 } as const;
    const error = await failure(folder, () => build(join(folder, 'out.hmap'), long, options));
    hmapErrorOf(error, 'HMAP_SEGMENT_TOO_LARGE');
  });
});

describe('what is refused', () => {
  test('values that the type cannot hold, with their index; nothing is left', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    const cases: [ListType, unknown, string][] = [
      ['u7', 128, 'HMAP_VALUE_RANGE'],
      ['u7', -1, 'HMAP_VALUE_RANGE'],
      ['u7', 0.5, 'HMAP_VALUE_RANGE'],
      ['u7', Number.NaN, 'HMAP_VALUE_RANGE'],
      ['u7', '1', 'HMAP_VALUE_INVALID'],
      ['u7', 1n, 'HMAP_VALUE_INVALID'],
      ['u7', undefined, 'HMAP_VALUE_INVALID'],
      ['i7', 64, 'HMAP_VALUE_RANGE'],
      ['i7', -65, 'HMAP_VALUE_RANGE'],
      ['u53', 2 ** 53, 'HMAP_VALUE_RANGE'],
      ['f32', 1e300, 'HMAP_VALUE_RANGE'],
      ['utf8', '\ud800', 'HMAP_VALUE_INVALID'],
      ['bytes', 'text', 'HMAP_VALUE_INVALID'],
    ];
    for (const [value, wrong, code] of cases) {
      const right = value === 'utf8' ? 'a' : value === 'bytes' ? Uint8Array.of(1) : 1;
      const options = { layout: 'list', value, base: 10 } as const;
      const error = await failure(folder, () => build(path, [right, wrong] as never, options));
      hmapErrorOf(error, code, /^the value at index 11: /);
    }
    const last = { layout: 'list', value: 'u1', base: Number.MAX_SAFE_INTEGER } as const;
    hmapErrorOf(await failure(folder, () => build(path, [1, 1], last)), 'HMAP_VALUE_RANGE');
  });

  test('options that are none, with their name', async (t) => {
    const path = join(temporaryFolder(t), 'out.hmap');
    const cases: [object, RegExp][] = [
      [{ value: 'u54' }, /^value: /],
      [{ value: 'u0' }, /^value: /],
      [{ value: 'json' }, /^value: /],
      [{}, /^value: /],
      [{ value: 'u7', base: 0.5 }, /^base: /],
      [{ value: 'u7', base: 2 ** 53 }, /^base: /],
      [{ value: 'u7', seed: 1 }, /^options: 'seed' /],
      [{ value: 'u7', duplicates: 'first' }, /^options: 'duplicates' /],
      [{ value: 'u7', length: 1 }, /^options: 'length' /],
      [{ value: 'u7', memory: 1 }, /^memory: /],
    ];
    for (const [options, message] of cases) {
      await assert.rejects(build(path, [], { layout: 'list', ...options } as never), misuse(message));
    }
    await assert.rejects(build(path, 5 as never, { layout: 'list', value: 'u7' }), misuse(/^entries: /));
    await assert.rejects(build(path, [], { layout: 'tree', value: 'u8' } as never), misuse(/^layout: /));
  });

  test('another layout or type than the one that is asked for', async (t) => {
    const folder = temporaryFolder(t);
    const [list, table, bits] = ['list', 'table', 'bits'].map((name) => join(folder, name)) as [string, string, string];
    await build(list, [1, 2], { layout: 'list', value: 'u7' });
    await build(table, [['a', 1]], { value: 'u8' });
    await build(bits, [1, 2], { layout: 'bits' });
    const layout = (expected: string, actual: string) => hmapError('HMAP_LAYOUT', { expected, actual });
    assert.throws(() => open(list), layout('hash', 'list'));
    assert.throws(() => open(bits), layout('hash', 'bits'));
    assert.throws(() => open(table, { layout: 'list' }), layout('list', 'hash'));
    assert.throws(() => open(bits, { layout: 'list' }), layout('list', 'bits'));
    assert.throws(() => open(table, { layout: 'bits' }), layout('bits', 'hash'));
    assert.throws(() => inspectBucket(list, 0), layout('hash', 'list'));
    assert.throws(() => inspectKey(bits, 'a'), layout('hash', 'bits'));
    assert.throws(() => open(list, { layout: 'list', value: 'u8' }), hmapError('HMAP_VALUE_TYPE', { actual: 'u7' }));
    assert.throws(() => open(list, { layout: 'list', value: 'u99' as 'u9' }), misuse(/^value: /));
    assert.throws(() => open(list, { layout: 'list', key: 'bytes' } as never), misuse(/^key: /));
    assert.throws(() => open(bits, { layout: 'bits', value: 'none' } as never), misuse(/^value: /));
    assert.throws(() => open(list, { layout: 'tree' } as never), misuse(/^layout: /));
  });

  test('indexes that are no numbers, and all when it is closed', async (t) => {
    const path = join(temporaryFolder(t), 'list.hmap');
    await build(path, [1, 2], { layout: 'list', value: 'u7' });
    const list = open(path, { layout: 'list' });
    for (let round = 0; round < 2; round++) {
      for (const wrong of ['1', 1n, null, undefined, [1]])
        assert.throws(() => list.get(wrong as never), misuse(/^index: /));
      assert.equal(list.get(1), 2);
    }
    assert.throws(() => list.getMany(5 as never), misuse(/^indexes: /));
    for (const wrong of ['1', 1n, null, undefined, { valueOf: () => 0 }]) {
      assert.throws(() => list.getMany([0, wrong as never]), misuse(/^index: /));
      assert.throws(() => list.getManyInto([0, wrong as never], new Uint8Array(2)), misuse(/^index: /));
    }
    assert.throws(() => list.getMany(BigInt64Array.of(1n) as never), misuse(/^index: /));
    assert.throws(() => list.getManyInto([0], new Uint8Array(0)), { name: 'RangeError', message: /^out: / });
    assert.throws(() => list.getManyInto([0], new Float32Array(1), '0' as never), misuse(/^missing: /));
    assert.throws(() => list.getManyInto([0], [] as never), misuse(/^out: for values of u7, expected Int8Array or /));
    const same = Uint8Array.of(1, 0, 1, 9);
    assert.equal(list.getManyInto(same, same), 3);
    assert.deepEqual([...same], [2, 1, 2, 0]);
    await build(path, ['a'], { layout: 'list', value: 'utf8' });
    using texts = open(path, { layout: 'list' });
    assert.throws(() => texts.getManyInto([0], new Uint8Array(1)), misuse(/^getManyInto: the values are utf8/));
    const values = list.values();
    assert.equal(values.next().value, 1);
    const closing = (function* () {
      yield 0;
      list.close();
    })();
    assert.throws(() => list.getMany(closing), hmapError('HMAP_CLOSED'));
    list.close();
    assert.ok(list.closed);
    assert.equal(list.header.entries, 2);
    for (const ask of [
      () => list.get(0),
      () => list.length,
      () => list.base,
      () => list.getMany([]),
      () => list.getManyInto([], new Uint8Array(0)),
      () => list.values(),
      () => values.next(),
      () => list.reload(),
      () => list.residentBytes(),
    ]) {
      assert.throws(ask, hmapError('HMAP_CLOSED'));
    }
  });
});

describe('a newer version', () => {
  test('replaces the old one between two answers; an iteration continues over the old one', async (t) => {
    const path = join(temporaryFolder(t), 'list.hmap');
    const options = { layout: 'list', value: 'u20' } as const;
    await build(path, [1, 2, 3], options);
    for (const mapping of WORKING) {
      await build(path, [1, 2, 3], options);
      const list = open(path, { ...options, mapping });
      const before = list.values();
      assert.equal(before.next().value, 1);
      assert.equal(list.reload(), false);
      await build(path, [10, 20, 30, 40], { ...options, base: 5 });
      assert.equal(list.reload(), true);
      assertIs(list, [10, 20, 30, 40], 5);
      assert.deepEqual([...before], [2, 3]);
      await build(path, [1], { layout: 'list', value: 'u21' });
      assert.throws(() => list.reload(), hmapError('HMAP_VALUE_TYPE'));
      await build(path, [1], { layout: 'bits' });
      assert.throws(() => list.reload(), hmapError('HMAP_LAYOUT'));
      assert.equal(list.get(8), 40);
      list.close();
    }
  });

  test('is taken up by itself where the file is watched', async (t) => {
    const path = join(temporaryFolder(t), 'list.hmap');
    await build(path, [1], { layout: 'list', value: 'u7' });
    const taken = new Promise<unknown>((resolve, reject) => {
      const onReload = (opened: List) => resolve([...opened]);
      const list = open(path, { layout: 'list', watch: { interval: 10 }, onReload, onError: reject });
      // Watching keeps no process alive.
      const alive = setInterval(() => {}, 1000);
      t.after(() => {
        clearInterval(alive);
        list.close();
      });
    });
    await build(path, [7, 8], { layout: 'list', value: 'u7' });
    assert.deepEqual(await taken, [7, 8]);
  });
});

describe('damage', () => {
  /** Every answer of a list or a bit array, or the code of the error. */
  function answers(path: string, check: 'touch' | 'header'): unknown {
    try {
      const layout = readFileSync(path)[63];
      const file = layout === 1 ? open(path, { layout: 'list', check }) : open(path, { layout: 'bits', check });
      try {
        const asked: unknown[] = [[...file]];
        for (let i = -1; i <= file.length; i += layout === 1 ? 1 : 37) {
          if (file instanceof BitArray) asked.push(file.has(i), file.rank(i), file.select(i));
          else asked.push(file.get(i));
        }
        return asked;
      } finally {
        file.close();
      }
    } catch (error) {
      assert.ok(error instanceof HmapError, String(error));
      return error.code;
    }
  }

  for (const [name, make] of Object.entries(WHOLE_KEYLESS)) {
    test(`${name}: each changed byte is reported when it is touched, or does not matter; verify finds it; nothing escapes`, async (t) => {
      const folder = temporaryFolder(t);
      const path = join(folder, 'damaged.hmap');
      const whole = composeKeyless(make());
      writeFileSync(path, whole);
      const right = answers(path, 'touch');
      const random = new Random(5);
      // The header, the ends of pages, and a part of all others, which are zeros.
      const places = Array.from(whole.keys()).filter((i) => i % 4096 < 200 || whole[i] !== 0 || i % 61 === 0);
      for (const i of places) {
        const damaged = Buffer.from(whole);
        damaged[i]! ^= 1 << random.below(8);
        writeFileSync(path, damaged);
        const told = answers(path, 'touch');
        if (typeof told !== 'string') assert.deepStrictEqual(told, right, `byte ${i}`);
        answers(path, 'header');
        if (i % 3 === 0) assert.equal((await verify(path)).ok, false, `byte ${i}`);
      }
    });
  }

  test('with checksums that fit it gives an error or any answer, and nothing worse', async (t) => {
    const path = join(temporaryFolder(t), 'hostile.hmap');
    const random = new Random(9);
    for (const { bytes } of DAMAGED_KEYLESS) {
      writeFileSync(path, bytes);
      answers(path, 'header');
      answers(path, 'touch');
    }
    for (let round = 0; round < 300; round++) {
      const raw = random.pick(Object.values(WHOLE_KEYLESS))();
      const part = random.pick(raw.segments);
      for (const bytes of [part.index, part.elements]) {
        for (let i = 0; i < 3 && bytes.length > 0; i++)
          bytes[random.below(Math.min(bytes.length, 40))] = random.below(256);
      }
      writeFileSync(path, composeKeyless(raw));
      const told = answers(path, 'touch');
      assert.ok(typeof told !== 'string' || told === 'HMAP_DAMAGED', `${told}`);
      await verify(path);
    }
  });

  test('in a block that is not asked for does not matter in touch mode', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'inner'));
    const path = join(folder, 'inner', 'large.hmap');
    const values = Array.from({ length: 200_000 }, (_, i) => i % 1000);
    await build(path, values, { layout: 'list', value: 'u10' });
    const bytes = readFileSync(path);
    bytes[4096 + 65_536 * 2 + 5]! ^= 1;
    writeFileSync(path, bytes);
    const list = open(path, { layout: 'list', value: 'u10' });
    const perBlock = (65_536 * 8) / 10;
    assert.equal(list.get(0), 0);
    assert.equal(list.get(Math.floor(perBlock * 3) + 1), values[Math.floor(perBlock * 3) + 1]);
    const range = { offset: 4096 + 2 * 65_536, end: 4096 + 3 * 65_536 };
    assert.throws(() => list.get(Math.floor(perBlock * 2.5)), hmapError('HMAP_DAMAGED', range));
    // An element that two blocks share needs both.
    const shared = Math.floor(perBlock * 2);
    assert.notEqual((shared * 10) % 8, 0);
    assert.throws(() => list.get(shared), hmapError('HMAP_DAMAGED', range));
    assert.throws(() => [...list], hmapError('HMAP_DAMAGED', range));
    list.close();
    assert.throws(() => open(path, { layout: 'list', check: 'full' }), hmapError('HMAP_DAMAGED', range));
  });
});

test('a table of elements that end at a block gives the last ones, too', async (t) => {
  const path = join(temporaryFolder(t), 'list.hmap');
  writeFileSync(path, composeKeyless({ ...WHOLE_KEYLESS.packed(), segments: [packedPart(7, Array(11).fill(127))] }));
  const list = open(path, { layout: 'list' });
  assert.deepEqual([...list], Array(11).fill(127));
  list.close();
});

test('an element whose two offsets lie in two blocks is looked at when both are checked', async (t) => {
  const path = join(temporaryFolder(t), 'list.hmap');
  // Two blocks of offsets and one of texts.
  const values = Array.from({ length: 34_000 }, (_, i) => 'xy'.slice(i % 3));
  await build(path, values, { layout: 'list', value: 'utf8' });
  const bytes = readFileSync(path);
  bytes[4096 + 65_536]! ^= 1;
  writeFileSync(path, bytes);
  const range = { offset: 4096 + 65_536, end: 4096 + 2 * 65_536 };
  const list = open(path, { layout: 'list' });
  const last = 65_536 / 4 - 1;
  assert.deepEqual(list.getMany([0, last - 1]), [values[0], values[last - 1]]);
  assert.throws(() => list.get(last), hmapError('HMAP_DAMAGED', range));
  assert.throws(() => list.getMany([last]), hmapError('HMAP_DAMAGED', range));
  assert.throws(() => [...list], hmapError('HMAP_DAMAGED', range));
  list.close();
});
