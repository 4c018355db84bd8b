// Values of few distinct strings: the file has each once, the reader hands out the same string each time, however the
// file was built. Asks the public API; files that no builder writes come from the raw writer.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type BuildOptions, build, open, stat, verify } from '../../src/index.js';
import { ReferenceReader } from '../conformance/reference-reader.js';
import { runNode } from '../support/child.js';
import { collidingStrings } from '../support/collisions.js';
import { hmapError } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { assertIs } from '../support/model.js';
import { buildInParts } from '../support/parallel-build.js';
import { Random } from '../support/random.js';
import { canonicalParts, compose, numberBytes } from '../support/raw-table.js';
import { keysOf } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { assertSameFile, fine } from '../support/tools.js';

const folder = temporaryFolder({ after });
let files = 0;
const fresh = () => join(folder, `${files++}.hmap`);

type Pairs = (readonly [key: string, value: string])[];

/** Entries whose values are of so many. */
function some(entries: number, distinct: number, random = new Random(entries + distinct)): Pairs {
  const values = Array.from({ length: distinct }, (_, i) => `${random.text(random.below(12), 'ab é€\0')}${i}`);
  return Array.from({ length: entries }, (_, i) => [`key ${i}`, values[i < distinct ? i : random.below(distinct)]!]);
}

/** Holds a file to the bytes that the entries give by the spec, and to a model. */
async function assertEnum(
  path: string,
  entries: Pairs,
  options: Partial<BuildOptions> & { seed?: number } = {},
): Promise<void> {
  const { seed = 0, segmentBytes } = options;
  const raw = canonicalParts(entries, { value: 'enum', seed, ...(segmentBytes !== undefined && { segmentBytes }) });
  assertSameFile(path, compose(raw));
  assert.deepEqual((await verify(path)).findings, []);
  const reference = new ReferenceReader(path);
  assert.deepEqual(reference.check(), []);
  const model = new Map(entries);
  for (const { key, value } of reference.entries()) assert.equal(reference.decode(value), model.get(key.toString()));
  using table = open(path, { value: 'enum' });
  assertIs(table, model, seed);
}

describe('the index has the fewest bytes', () => {
  for (const [distinct, width] of [
    [1, 0],
    [2, 1],
    [255, 1],
    [256, 1],
    [257, 2],
    [65_536, 2],
    [65_537, 3],
  ] as const) {
    test(`${distinct} distinct values: ${width}`, async () => {
      const path = fresh();
      const entries = some(distinct + 20, distinct);
      const summary = await build(path, entries, { value: 'enum' });
      const bytes = [...new Set(entries.map(([, value]) => value))].reduce(
        (sum, each) => sum + Buffer.byteLength(each),
        0,
      );
      assert.equal(summary.valueType, 'enum');
      assert.equal(summary.sections.dictionary, 4 * (distinct + 1) + bytes);
      await assertEnum(path, entries);
      using table = open(path);
      const { valueWidth, dictionary, valueBytes } = table.header;
      assert.deepEqual([valueWidth, dictionary!.count, valueBytes], [width, distinct, width * entries.length]);
      const { sections, fileBytes } = await stat(path);
      assert.equal(sections.dictionary, summary.sections.dictionary);
      assert.equal(
        Object.values(sections).reduce((sum, size) => sum + size, 0),
        fileBytes,
      );
    });
  }

  test('no entries', async () => {
    const path = fresh();
    await build(path, [], { value: 'enum' });
    await assertEnum(path, []);
    assert.deepEqual([...open(path, { value: 'enum' })], []);
  });
});

describe('however it is built', () => {
  const random = new Random(1);
  const entries = some(60_000, 3000, random);

  test('in any order, from each kind of keys', async () => {
    for (const kind of ['mixed', 'one length', 'prefixes', 'non-ASCII'] as const) {
      const pairs: Pairs = keysOf(kind, 400, random).map((key) => [key, random.pick(['', 'a', 'ab', 'é', '\0'])]);
      const [one, other] = [fresh(), fresh()];
      await build(one, pairs, { value: 'enum' });
      await build(other, random.shuffled(pairs), { value: 'enum' });
      assertSameFile(other, readFileSync(one));
      await assertEnum(one, pairs);
    }
  });

  test('with a temporary file, in several segments, with another seed', async () => {
    for (const options of [{ memory: 2 ** 20 }, { segmentBytes: 2 ** 17 }, { seed: 77 }]) {
      const path = fresh();
      const summary = await build(path, entries, { ...options, value: 'enum' });
      if ('memory' in options) assert.ok(summary.spilledBytes > 0);
      if ('segmentBytes' in options) assert.ok(summary.segments > 1);
      await assertEnum(path, entries, options);
    }
  });

  test('with keys that need another seed than the first', async () => {
    const path = fresh();
    const pairs: Pairs = collidingStrings(100, 0x1234_5678, 0).map((key, i) => [key, `value ${i % 9}`]);
    const { seed } = await build(path, pairs, { value: 'enum' });
    assert.notEqual(seed, 0);
    await assertEnum(path, pairs, { seed });
  });

  test('with values that share a hash', async () => {
    const path = fresh();
    // More than the slots that are tried for one.
    const values = collidingStrings(600, 0x1234_5678, 0);
    const pairs: Pairs = Array.from({ length: 2000 }, (_, i) => [`key ${i}`, values[i % 600]!]);
    await build(path, pairs, { value: 'enum' });
    await assertEnum(path, pairs);
  });

  test('by several threads, of which each knows its own values alone', async () => {
    const parts = [entries.slice(0, 10_000), entries.slice(10_000, 10_010), entries.slice(10_010)];
    const single = fresh();
    await build(single, entries, { value: 'enum' });
    for (const order of [parts, parts.toReversed(), [parts[1]!, parts[0]!, parts[2]!]]) {
      for (const options of [{}, { memory: 16 * 2 ** 20 }, { duplicates: 'first' as const }]) {
        const path = fresh();
        await buildInParts(path, order, { ...options, value: 'enum' });
        assertSameFile(path, readFileSync(single), JSON.stringify(options));
      }
    }
  });

  test('values that only dropped entries have are not in the file', async () => {
    // 257 distinct ones, and 256 when one is dropped: the index is narrower then.
    const pairs = some(1000, 256);
    const dropped: Pairs = [['key 5', 'of the dropped entry alone']];
    for (const [duplicates, all, kept] of [
      ['last', [...dropped, ...pairs], pairs],
      ['first', [...pairs, ...dropped], pairs],
      ['last', [...pairs, ...dropped], [...pairs.filter(([key]) => key !== 'key 5'), ...dropped]],
    ] as const) {
      for (const options of [{}, { memory: 2 ** 20 }]) {
        const path = fresh();
        const summary = await build(path, all, { ...options, value: 'enum', duplicates });
        assert.equal(summary.duplicates, 1);
        await assertEnum(path, [...kept]);
        const parts = fresh();
        await buildInParts(parts, [all.slice(0, 500), all.slice(500)], { ...options, value: 'enum', duplicates });
        assertSameFile(parts, readFileSync(path));
      }
    }
    // The shape of the file is the same without the value that is dropped.
    const few = some(1000, 20);
    const once = fresh();
    await build(once, [...few, ...dropped], { value: 'enum', duplicates: 'first' });
    await assertEnum(once, few);
    // As many are left, but not the same ones.
    const path = fresh();
    const swapped: Pairs = [
      ['a', 'x'],
      ['b', 'y'],
      ['a', 'y'],
      ['b', 'x'],
    ];
    await build(path, swapped, { value: 'enum', duplicates: 'last' });
    await assertEnum(path, swapped.slice(2));
  });

  test('a duplicate is refused', async () => {
    const pairs: Pairs = [
      ['a', 'x'],
      ['a', 'x'],
    ];
    await assert.rejects(build(fresh(), pairs, { value: 'enum' }), hmapError('HMAP_DUPLICATE_KEY', { key: 'a' }));
  });
});

describe('what is refused', () => {
  for (const value of [1, null, undefined, ['a'], new Uint8Array(3), '\ud800']) {
    test(`the value ${JSON.stringify(value)}`, async () => {
      const wrong = build(fresh(), [['k', value as string]], { value: 'enum' });
      await assert.rejects(wrong, hmapError('HMAP_VALUE_INVALID', { key: 'k' }));
    });
  }

  test('more distinct values than there is memory for; nothing is left after', async (t) => {
    const own = temporaryFolder(t);
    const long = 'x'.repeat(1000);
    const pairs = (count: number): Pairs => Array.from({ length: count }, (_, i) => [`${i}`, `${i} ${long}`]);
    const refusal = hmapError('HMAP_DICTIONARY_TOO_LARGE', { expected: 2 ** 18, message: /'utf8'/ });
    const options = { value: 'enum', memory: 2 ** 20 } as const;
    await build(join(own, 'fits.hmap'), pairs(255), options);
    await assert.rejects(build(join(own, 'one.hmap'), pairs(300), options), refusal);
    const parts = [pairs(200), pairs(400).slice(200)];
    await assert.rejects(buildInParts(join(own, 'two.hmap'), parts, options), refusal, 'each lane alone has room');
    assert.deepEqual(readdirSync(own), ['fits.hmap']);
  });

  test('another type asked for', async () => {
    const path = fresh();
    await build(path, some(5, 2), { value: 'enum' });
    const refusal = hmapError('HMAP_VALUE_TYPE', { expected: 'utf8', actual: 'enum' });
    assert.throws(() => open(path, { value: 'utf8' }), refusal);
  });
});

describe('a table', () => {
  test('of any key type, in every mapping, warm or not, with each check', async () => {
    const path = fresh();
    const values = ['low', 'mid', 'high'];
    const ids = Array.from({ length: 3000 }, (_, i) => [i * 7, values[i % 3]!] as const);
    await build(path, ids, { value: 'enum', key: 'u32' });
    for (const mapping of WORKING) {
      for (const warm of ['none', 'buckets', 'all'] as const) {
        for (const check of ['header', 'touch', 'full'] as const) {
          using table = open(path, { key: 'u32', value: 'enum', mapping, warm, check });
          const text: string | undefined = table.get(7);
          assert.equal(text, 'mid');
          assert.deepEqual(table.getMany([0, 7, 14, 15]), ['low', 'mid', 'high', undefined]);
          assert.equal(table.size, 3000);
        }
      }
    }
  });

  test('gives the bytes of the string as a view', async () => {
    const path = fresh();
    await build(
      path,
      [
        ['a', 'größe'],
        ['b', ''],
      ],
      { value: 'enum' },
    );
    using table = open(path);
    assert.deepEqual(Buffer.from(table.getView('a')!).toString(), 'größe');
    assert.deepEqual(table.getView('b'), new Uint8Array(0));
    assert.deepEqual(
      table.getManyViews(['b', 'c', 'a']).map((view) => view?.length),
      [0, undefined, 7],
    );
    assert.deepEqual([table.bits('a', 0, 8), table.bits('b', 0, 8)], [1, 0], 'bits are those of the record: the index');
  });

  test('hands out the same string each time', async () => {
    const path = fresh();
    const long = 'y'.repeat(200);
    await build(
      path,
      Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, `${long}${i % 10}`] as const),
      { value: 'enum' },
    );
    const script = `
      const { open } = await import(${JSON.stringify(new URL('../../src/index.js', import.meta.url).href)});
      const table = open(process.argv[1], { value: 'enum' });
      const keys = Array.from({ length: 20_000 }, (_, i) => 'key ' + i);
      const held = new Array(20_000).fill('');
      const grow = () => { for (let i = 0; i < held.length; i++) held[i] = table.get(keys[i]); };
      grow(); held.fill(''); gc();
      const before = process.memoryUsage().heapUsed;
      grow(); gc();
      console.log(process.memoryUsage().heapUsed - before, held.every((text, i) => text === table.get(keys[i])));
    `;
    const { status, stdout, stderr } = await runNode(['--expose-gc', '--input-type=module', '-e', script, path]);
    assert.equal(status, 0, stderr);
    const [grown, right] = stdout.trim().split(' ');
    assert.equal(right, 'true');
    // Strings of their own would take 4 MB.
    assert.ok(Number(grown) < 1e6, `${grown} bytes`);
  });

  test('switches to newer versions; iterations over the old one keep its strings', async () => {
    const path = fresh();
    const [old, newer]: Pairs[] = [some(500, 300), some(500, 7).map(([key, value]) => [key, `new ${value}`] as const)];
    await build(path, old!, { value: 'enum' });
    using table = open(path, { value: 'enum' });
    const expected = [...table];
    const [entries, values] = [table.entries(), table.values()];
    const begun = [entries.next().value, values.next().value];
    const view = table.getView('key 3')!;
    await build(path, newer!, { value: 'enum' });
    const model = new Map(newer);
    // The keys come from what reloads: all answers are those of the new version.
    const keys = (function* () {
      yield 'key 1';
      assert.equal(table.reload(), true);
      yield 'key 2';
    })();
    assert.deepEqual(table.getMany(keys), [model.get('key 1'), model.get('key 2')]);
    // So may an element of an array.
    const again = newer!.map(([key, value]) => [key, `again ${value}`] as const);
    await build(path, again, { value: 'enum' });
    const array = ['key 3', 'key 4'];
    Object.defineProperty(array, 1, {
      get: () => {
        table.reload();
        return 'key 4';
      },
    });
    const third = new Map(again);
    assert.deepEqual(table.getMany(array), [third.get('key 3'), third.get('key 4')]);
    assertIs(table, third);
    assert.deepEqual([begun[0], ...entries], expected);
    assert.deepEqual(
      [begun[1], ...values],
      expected.map(([, value]) => value),
    );
    assert.equal(Buffer.from(view).toString(), new Map(old).get('key 3'));
  });
});

describe('damage', () => {
  const pairs = some(300, 40);

  test('a changed byte anywhere is found by verify, and never a wrong answer where blocks are checked', async () => {
    const path = fresh();
    await build(path, pairs, { value: 'enum' });
    const whole = readFileSync(path);
    const model = new Map(pairs);
    const { dictionary } = open(path).header;
    const random = new Random(8);
    const places = new Set<number>();
    for (let at = dictionary!.offset; at < dictionary!.offset + dictionary!.bytes; at++) places.add(at);
    while (places.size < dictionary!.bytes + 500) places.add(random.between(4096, whole.length - 1));
    let refused = 0;
    for (const at of places) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1 << random.below(8);
      writeFileSync(path, bytes);
      const { findings } = await verify(path);
      assert.ok(
        findings.some(({ offset, end }) => offset <= at && at < end),
        `byte ${at}`,
      );
      assert.notDeepEqual(complaints(path), [], `byte ${at}`);
      try {
        using table = open(path, { value: 'enum' });
        for (const [key, value] of model) assert.equal(table.get(key), value);
      } catch (error) {
        if ((error as Error).name !== 'HmapError') throw error;
        refused++;
      }
    }
    assert.ok(refused > places.size / 2);
  });

  test('a changed byte in a dictionary of several blocks is met by the strings that lie there', async () => {
    const path = fresh();
    const long: Pairs = Array.from({ length: 6000 }, (_, i) => [`key ${i}`, `${i} ${'x'.repeat(40 + (i % 7))}`]);
    await build(path, long, { value: 'enum' });
    const whole = readFileSync(path);
    const { dictionary, index } = open(path).header;
    const { offset, bytes, count } = dictionary!;
    assert.ok(bytes > 4 * 65_536);
    const sorted = long.map(([, value]) => value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const keyOf = new Map(long.map(([key, value]) => [value, key]));
    const heap = offset + 4 * (count + 1);
    const ends = Array.from({ length: count }, (_, i) => whole.readUInt32LE(offset + 4 * i + 4));
    const random = new Random(9);
    for (let i = 0; i < 40; i++) {
      // One of its offsets, then one of its characters.
      const number = random.below(count);
      const at = i % 2 === 0 ? offset + 4 * number : heap + ends[number]! - 1;
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1;
      writeFileSync(path, damaged);
      using table = open(path, { value: 'enum' });
      const refused = hmapError('HMAP_DAMAGED', { message: /checksum/ });
      assert.throws(() => table.get(keyOf.get(sorted[number]!)!), refused, `byte ${at}`);
      const far = sorted[number < count / 2 ? count - 1 : 0]!;
      // Those at the other end lie in another block; the first block of the dictionary holds records, too,
      // and the last one the index.
      const alone =
        at >= offset + 65_536 && Math.floor((at - 4096) / 65_536) < Math.floor((index.offset - 4096) / 65_536);
      if (i % 2 === 1 && alone) assert.equal(table.get(keyOf.get(far)!), far);
    }
  });

  test('an invalid number, and offsets in the wrong order, are damage even if only the header is checked', () => {
    const path = fresh();
    const parts = canonicalParts(pairs, { value: 'enum' });
    const record = parts.segments[0]!.buckets.find((list) => list.length > 0)![0]!;
    record.value = numberBytes(40, 1);
    writeFileSync(path, compose(parts));
    const key = record.key.toString();
    using table = open(path, { check: 'header' });
    const damaged = hmapError('HMAP_DAMAGED', { message: /the index 40, but there are only 40/ });
    for (const ask of [() => table.get(key), () => table.getView(key), () => table.getMany([key]), () => [...table]]) {
      assert.throws(ask, damaged);
    }
    assert.deepEqual([...table.keys()].length, 300);
    const offsets = Array.from({ length: 41 }, (_, i) => 1000 - i);
    writeFileSync(path, compose({ ...canonicalParts(pairs, { value: 'enum' }), stringOffsets: offsets }));
    using fallen = open(path, { check: 'header' });
    for (const [other] of pairs)
      assert.throws(() => fallen.get(other), hmapError('HMAP_DAMAGED', { message: /do not fit/ }));
  });
});

describe('the tool', () => {
  test('builds, shows what the bytes are spent on, and what a single value stands for', async () => {
    const path = fresh();
    const input = 'a\tdrei\nb\tzwei\nc\tdrei\n';
    await fine(['build', '-f', 'tsv', '--value', 'enum', '-', path], { input });
    assert.equal((await fine(['get', path, 'b', 'c'])).stdout, 'zwei\ndrei\n');
    const page = (await fine(['stat', path])).stdout;
    assert.match(page, /^values +enum of 2 distinct strings, 1 byte each$/m);
    assert.match(page, /^dictionary +20 /m);
    const record = (await fine(['dump', '--key', 'b', path])).stdout;
    assert.match(record, /^ .*value \(enum: "zwei"\)/m);
    const again = fresh();
    const dump = (await fine(['dump', '-f', 'tsv', path])).stdout;
    await fine(['build', '-f', 'tsv', '--value', 'enum', '-', again], { input: dump });
    assertSameFile(again, readFileSync(path));
    const plan = (await fine(['plan', '-f', 'tsv', '-'], { input })).stdout;
    assert.match(plan, /^map, enum /m);
  });

  test('many lines, read by several threads', async () => {
    const [input, path, single] = [`${fresh()}.tsv`, fresh(), fresh()];
    const entries = some(400_000, 5000);
    writeFileSync(input, entries.map(([key, value]) => `${key}\t${value}\n`).join(''));
    await fine(['build', '--value', 'enum', input, path]);
    await build(single, entries, { value: 'enum' });
    assertSameFile(path, readFileSync(single));
  });
});

function complaints(path: string): string[] {
  try {
    return new ReferenceReader(path).check();
  } catch (error) {
    return [(error as Error).message];
  }
}
