// Tests what `check` promises: a block that does not fit its checksum gives an error with its range, never a wrong
// value or a false miss, and disturbs nobody who does not need it.

import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { hashWithoutModule, loadChecksumsNow } from '../../src/base/block-hasher.js';
import {
  type BuildOptions,
  build,
  type Check,
  HmapError,
  inspectKey,
  open,
  stat,
  type Table,
  verify,
} from '../../src/index.js';
import { runModule } from '../support/child.js';
import { hmapError } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { Random } from '../support/random.js';
import { rawBucket } from '../support/raw-table.js';
import { oracle } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { hmap } from '../support/tools.js';

const BLOCK = 65_536;
const folder = temporaryFolder(nodeTest);
const damagedPath = join(folder, 'damaged.hmap');

interface Sample {
  name: string;
  path: string;
  bytes: Buffer;
  model: Map<string, unknown>;
  /** The header's size and the checksums' offset: what blocks cover. */
  start: number;
  end: number;
}

const samples: Sample[] = [];

async function add(name: string, model: Map<string, unknown>, options: BuildOptions): Promise<void> {
  const path = join(folder, `${samples.length}.hmap`);
  await build(path, model as Iterable<never>, options);
  const { header } = open(path, { mapping: 'copy' });
  const { headerBytes, checksums } = header;
  samples.push({ name, path, bytes: readFileSync(path), model, start: headerBytes, end: checksums.offset });
}

before(async () => {
  const random = new Random(1);
  const entries = (count: number, value: (i: number) => unknown) =>
    new Map(Array.from({ length: count }, (_, i) => [`key ${i}${'.'.repeat(i % 7)}`, value(i)] as const));
  await add(
    'numbers',
    entries(20_000, () => random.u32()),
    { value: 'u32' },
  );
  await add(
    'keys of one length, numbers',
    new Map(Array.from({ length: 20_000 }, (_, i) => [`key ${i}`.padEnd(12), i])),
    { value: 'u32' },
  );
  await add(
    'texts, more blocks than a word has bits',
    entries(3000, (i) => random.text(i % 3000)),
    { value: 'utf8' },
  );
  await add(
    'texts of one length',
    entries(300, () => random.text(1000)),
    { value: 'utf8' },
  );
  await add(
    'values larger than a block',
    entries(40, (i) => random.text(1).repeat(i % 4 === 0 ? 200_000 : 100)),
    { value: 'utf8' },
  );
  await add(
    'segments that share blocks',
    entries(3000, (i) => random.text(i % 200)),
    { value: 'utf8', segmentBytes: 30_000 },
  );
  await add('one entry', new Map([['key', 'value']]), { value: 'utf8' });
});

/** The sample's file with one bit changed in each of some bytes. */
function damaged({ bytes }: Sample, ...offsets: number[]): string {
  const copy = Buffer.from(bytes);
  for (const offset of offsets) copy[offset]! ^= 1 << (offset % 8);
  writeFileSync(damagedPath, copy);
  return damagedPath;
}

/** The range of the block with a byte. */
function blockOf({ start, end }: Sample, offset: number): { offset: number; end: number } {
  const from = start + Math.floor((offset - start) / BLOCK) * BLOCK;
  return { offset: from, end: Math.min(from + BLOCK, end) };
}

/**
 * Whether a lookup of the key needs bytes of a block: its bucket's offsets, or its bucket's records. `maybe` where a
 * part of the bucket, or the key's length, may be enough.
 */
function needs({ path }: Sample, key: string, block: { offset: number; end: number }): 'yes' | 'no' | 'maybe' {
  const bucket = inspectKey(path, key).bucket!;
  const meets = (from: number, end: number) => from < end && from < block.end && end > block.offset;
  if (meets(bucket.lineOffset, bucket.lineOffset + 4 * bucket.header.index.offsetBits + 8)) return 'yes';
  if (!meets(bucket.start, bucket.end)) return 'no';
  const { keyWidth } = bucket.header;
  if (keyWidth !== null && keyWidth !== key.length) return 'maybe';
  return bucket.start >= block.offset && bucket.end <= block.end ? 'yes' : 'maybe';
}

type Ask = (table: Table<unknown>, key: string) => unknown;

const WAYS: Record<string, Ask> = {
  get: (table, key) => table.get(key),
  getMany: (table, key) => table.getMany([key])[0],
  getView: (table, key) => viewed(table, table.getView(key)),
  getManyViews: (table, key) => viewed(table, table.getManyViews([key])[0]),
};

/** The value that a view shows. */
function viewed(table: Table<unknown>, view: Uint8Array | undefined): unknown {
  if (view === undefined) return undefined;
  const bytes = Buffer.from(view);
  return table.header.valueType === 'u32' ? bytes.readUInt32LE() : bytes.toString();
}

test('the checksums of this thread are the package’s own, not the slow ones', () => {
  const bytes = new Random(2).bytes(70_000);
  for (const length of [0, 1, 3, 4, 7, 8, 31, 32, 33, 63, 64, 65, 1000, 65_535, 65_536, 70_000]) {
    const part = bytes.subarray(0, length);
    assert.equal(loadChecksumsNow().h64Raw(part), oracle.h64Raw(part));
  }
  assert.notEqual(loadChecksumsNow().h64Raw, hashWithoutModule);
});

test('XXH64 without WebAssembly is XXH64', () => {
  const random = new Random(3);
  for (let length = 0; length <= 300; length++) {
    const bytes = random.bytes(length);
    assert.equal(hashWithoutModule(bytes), oracle.h64Raw(bytes), `${length} bytes`);
    bytes.fill(0xff);
    assert.equal(hashWithoutModule(bytes), oracle.h64Raw(bytes), `${length} bytes of 0xff`);
  }
  for (const length of [1000, 65_536, 65_537, 200_000]) {
    const bytes = random.bytes(length + 3);
    assert.equal(hashWithoutModule(bytes.subarray(3)), oracle.h64Raw(bytes.subarray(3)), `${length} bytes`);
  }
});

describe('whole files', () => {
  for (const check of ['header', 'touch', 'full'] as const) {
    test(`answer with check ${check}`, () => {
      for (const { path, model, name } of samples) {
        for (const mapping of WORKING) {
          using table = open(path, { check, mapping });
          // Twice: the second time all is known.
          for (let round = 0; round < 2; round++) {
            for (const [key, value] of model) {
              assert.ok(table.get(key) === value, `${name}: ${key}`);
              assert.equal(table.get(`${key}?`), undefined);
            }
          }
          assert.deepEqual(table.getMany(model.keys()), [...model.values()]);
          assert.deepEqual(new Map(table), model);
        }
      }
    });
  }

  test('touch is what is done when nobody says otherwise', () => {
    const sample = samples[0]!;
    const path = damaged(sample, sample.end - 5000);
    using table = open(path);
    assert.throws(() => [...table], hmapError('HMAP_DAMAGED', blockOf(sample, sample.end - 5000)));
  });
});

describe('a damaged block, with check touch', () => {
  test('is reported by every lookup that needs it, in each way, and by no other', () => {
    const random = new Random(4);
    for (const sample of samples) {
      const blocks = Math.ceil((sample.end - sample.start) / BLOCK);
      for (const index of blocks <= 8
        ? Array.from({ length: blocks }, (_, i) => i)
        : [0, 1, blocks - 2, blocks - 1, 33]) {
        const from = sample.start + index * BLOCK;
        const at = from + random.below(Math.min(BLOCK, sample.end - from));
        const block = blockOf(sample, at);
        const path = damaged(sample, at);
        const keys = random.shuffled(sample.model.keys()).slice(0, 60);
        for (const [way, ask] of Object.entries(WAYS)) {
          using table = open(path, { check: 'touch', mapping: random.pick(WORKING) });
          for (const key of keys.flatMap((key) => [key, `${key}?`])) {
            const told = hmapError('HMAP_DAMAGED', { ...block, message: /do not match their checksum; run verify/ });
            const known = sample.model.get(key);
            const needed = needs(sample, key, block);
            if (needed === 'yes') {
              assert.throws(() => ask(table, key), told, `${sample.name}, ${way}: ${key}`);
              continue;
            }
            try {
              assert.ok(ask(table, key) === known, `${sample.name}, ${way}: ${key}`);
            } catch (error) {
              if (needed === 'no') throw error;
              told(error);
            }
          }
        }
      }
    }
  });

  test('is reported where it holds the end of a line alone, which starts in the block before', async () => {
    const path = join(folder, 'straddling.hmap');
    const keys = Array.from({ length: 100_000 }, (_, i) => `key ${i}`);
    await build(
      path,
      keys.map((key) => [key, 1] as const),
      { value: 'u8' },
    );
    const bytes = readFileSync(path);
    const { header } = open(path);
    const size = 4 * header.index.offsetBits + 8;
    const { offset, bytes: length } = header.index;
    const border = 4096 + Math.ceil((offset - 4096) / BLOCK) * BLOCK;
    const line = Math.floor((border - offset) / size);
    assert.ok((border - offset) % size > 4 && border < offset + length, 'a line on the border');
    const groupOf = (key: string) =>
      Math.floor(rawBucket(oracle.h32(key, 0), 0, header.bucketBits, header.eighths) / 32);
    const own = keys.filter((key) => groupOf(key) === line);
    bytes[border]! ^= 0xff;
    writeFileSync(damagedPath, bytes);
    assert.ok(own.length > 20);
    for (const mapping of WORKING) {
      using table = open(damagedPath, { check: 'touch', mapping });
      const told = hmapError('HMAP_DAMAGED', { offset: border });
      for (const key of own) for (const ask of Object.values(WAYS)) assert.throws(() => ask(table, key), told);
    }
  });

  test('never gives a wrong value or a false miss: each byte of some records', () => {
    for (const sample of [samples[0]!, samples[1]!, samples[3]!, samples[6]!]) {
      let wrong = 0;
      for (const [key, value] of [...sample.model].slice(0, 4)) {
        const record = inspectKey(sample.path, key).record!;
        const end = Math.min(record.end, record.offset + 40);
        for (let at = record.offset; at < end; at++) {
          const path = damaged(sample, at);
          const told = hmapError('HMAP_DAMAGED', blockOf(sample, at));
          for (const mapping of WORKING) {
            using table = open(path, { check: 'touch', mapping });
            assert.throws(() => table.get(key), told);
            assert.throws(() => table.has(key), told);
            assert.throws(() => table.getMany([key]), told);
            assert.throws(() => open(path, { check: 'full', mapping }), hmapError('HMAP_DAMAGED'));
          }
          using blind = open(path, { check: 'header' });
          try {
            if (blind.get(key) !== value) wrong++;
          } catch (error) {
            hmapError('HMAP_DAMAGED')(error);
          }
        }
      }
      assert.ok(wrong > 0, 'without the check some of these are wrong');
    }
  });

  test('is reported by every lookup where a checksum is what is damaged: then all of them may be those of another file', () => {
    for (const sample of samples) {
      const path = damaged(sample, sample.bytes.length - 3);
      const told = hmapError('HMAP_DAMAGED', { offset: sample.end, end: sample.bytes.length, message: /checksums/ });
      for (const mapping of WORKING) {
        using table = open(path, { check: 'touch', mapping });
        for (const key of [...sample.model.keys()].slice(0, 30)) {
          for (const ask of Object.values(WAYS)) assert.throws(() => ask(table, key), told);
        }
      }
    }
  });

  test('stays damaged, and the others stay readable', () => {
    const sample = samples[0]!;
    const some = [...sample.model].slice(0, 300);
    // Before the blocks with the index, which most lookups need.
    const [key] = some.find(([candidate]) => inspectKey(sample.path, candidate).record!.offset > 3 * BLOCK)!;
    const record = inspectKey(sample.path, key).record!;
    using table = open(damaged(sample, record.valueOffset), { check: 'touch' });
    for (let i = 0; i < 3; i++) {
      assert.throws(() => table.get(key), hmapError('HMAP_DAMAGED', blockOf(sample, record.offset)));
    }
    const far = some.filter(([other]) => needs(sample, other, blockOf(sample, record.offset)) === 'no');
    assert.ok(far.length > 100, `${far.length}`);
    for (const [other, value] of far) assert.equal(table.get(other), value);
  });

  test('ends an iteration where it begins to be needed', () => {
    for (const sample of samples.slice(0, 6)) {
      const order = [...open(sample.path).entries()];
      for (const part of [0.3, 0.6, 0.95]) {
        const at = Math.floor(sample.start + (sample.end - sample.start - 5000) * part);
        const path = damaged(sample, at);
        for (const mapping of WORKING) {
          using table = open(path, { check: 'touch', mapping });
          const seen: unknown[] = [];
          try {
            for (const entry of table) seen.push(entry);
            assert.fail('the iteration did not report it');
          } catch (error) {
            if (!(error instanceof HmapError)) throw error;
            hmapError('HMAP_DAMAGED', blockOf(sample, at))(error);
          }
          assert.deepEqual(seen, order.slice(0, seen.length));
          const acts: (() => unknown)[] = [() => [...table.values()], () => table.forEach(() => {})];
          // Keys lie in every block but those inside of a large value.
          if (sample !== samples[4]) acts.push(() => [...table.keys()]);
          for (const act of acts) {
            assert.throws(act, hmapError('HMAP_DAMAGED', blockOf(sample, at)));
          }
        }
      }
    }
  });

  test('of a value disturbs neither the keys beside it nor an iteration over keys', () => {
    const sample = samples[4]!;
    const large = [...sample.model].filter(([, value]) => String(value).length > BLOCK);
    for (const [key] of large) {
      const record = inspectKey(sample.path, key).record!;
      const path = damaged(sample, record.valueOffset + 100_000);
      using table = open(path, { check: 'touch' });
      for (const [other, value] of sample.model) {
        if (other === key) assert.throws(() => table.get(other), hmapError('HMAP_DAMAGED'));
        else assert.ok(table.get(other) === value, other);
      }
      assert.deepEqual(new Set(table.keys()), new Set(sample.model.keys()));
    }
  });

  test('is looked at once: what changes later in a block that was checked is not seen', {
    skip: !WORKING.includes('libc') && 'libc cannot be called here',
  }, () => {
    const sample = samples[0]!;
    const [key] = [...sample.model.keys()];
    const record = inspectKey(sample.path, key!).record!;
    const path = damaged(sample);
    using table = open(path, { check: 'touch', mapping: 'libc' });
    assert.equal(table.get(key!), sample.model.get(key!));
    const fd = openSync(path, 'r+');
    writeSync(fd, Buffer.of(1, 2, 3, 4), 0, 4, record.valueOffset);
    closeSync(fd);
    assert.equal(table.get(key!), 0x0403_0201);
  });
});

describe('check full', () => {
  test('refuses each kind of damage, with where it is', () => {
    for (const sample of samples) {
      const { start, end, bytes } = sample;
      const places = [start, start + 5, Math.floor((start + end) / 2), end - 1, end, bytes.length - 1];
      for (const at of places) {
        const path = damaged(sample, at);
        const code = at < start ? 'HMAP_HEADER_CHECKSUM' : 'HMAP_DAMAGED';
        const expected = at >= end ? { offset: end + Math.floor((at - end) / 8) * 8 } : blockOf(sample, at);
        assert.throws(() => open(path, { check: 'full' }), hmapError(code, expected), `${sample.name}, byte ${at}`);
      }
    }
  });

  test('refuses what only the rules show', async () => {
    const path = join(folder, 'order.hmap');
    await build(path, [['key', 'ü']], { value: 'utf8' });
    const bytes = readFileSync(path);
    // Half a character, with all checksums right.
    bytes[bytes.indexOf('ü') + 1] = 0x20;
    const sums = bytes.length - 8;
    bytes.writeBigUInt64LE(oracle.h64Raw(bytes.subarray(4096, sums)), sums);
    bytes.writeBigUInt64LE(oracle.h64Raw(bytes.subarray(sums)), 104);
    bytes.writeUInt32LE(0, 12);
    bytes.writeUInt32LE(oracle.h32Raw(bytes.subarray(0, 4096), 0), 12);
    writeFileSync(path, bytes);
    assert.deepEqual(
      (await verify(path)).findings.map(({ code }) => code),
      ['HMAP_VALUE'],
    );
    open(path, { check: 'touch' }).close();
    assert.throws(() => open(path, { check: 'full' }), hmapError('HMAP_DAMAGED', { message: /not valid utf8/ }));
  });
});

test('stat and dump report a damaged block, too', async () => {
  const sample = samples[0]!;
  const victim = inspectKey(sample.path, [...sample.model.keys()][100]!).record!;
  // A value: the rest stays readable.
  const at = victim.valueOffset;
  const path = damaged(sample, at);
  await assert.rejects(stat(path), hmapError('HMAP_DAMAGED', blockOf(sample, at)));
  const { code, stderr } = await hmap(['dump', path]);
  assert.equal(code, 2);
  assert.match(stderr, /^hmap: .*do not match their checksum.*\n$/);
  const key = [...sample.model.keys()].find(
    (candidate, i) => i !== 100 && needs(sample, candidate, blockOf(sample, at)) === 'yes',
  )!;
  const got = await hmap(['get', path, key]);
  assert.equal(got.code, 2);
  assert.match(got.stderr, /^hmap: .*do not match their checksum.*\n$/);
  // What is left of it comes out when it is asked for.
  const unchecked = await hmap(['get', '--check', 'header', path, key]);
  assert.equal(unchecked.stdout, `${sample.model.get(key)}\n`);
  const left = await hmap(['dump', '--check', 'header', '--format', 'tsv', path]);
  assert.equal(left.code, 0, left.stderr);
  assert.ok(left.stdout.includes(`${key}\t${sample.model.get(key)}\n`));
});

test('without WebAssembly blocks are checked all the same', async () => {
  const sample = samples[0]!;
  const [key, value] = [...sample.model][0]!;
  const at = inspectKey(sample.path, key).record!.valueOffset;
  const script = `
    const [whole, damaged, key] = process.argv.slice(1);
    if (typeof WebAssembly !== 'undefined') throw new Error('this test needs a Node without it');
    console.log(hmap.open(whole).get(key));
    try { hmap.open(damaged).get(key); } catch (error) { console.log(error.code, error.offset); }`;
  const { stdout, stderr, status } = await runModule(script, [sample.path, damaged(sample, at), key], {
    flags: ['--jitless'],
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout, `${value}\nHMAP_DAMAGED ${blockOf(sample, at).offset}\n`);
});

test('checks that are none', () => {
  for (const check of ['none', 'Touch', true, 1]) {
    assert.throws(() => open(samples[0]!.path, { check: check as Check }), {
      name: 'TypeError',
      message: /^check: expected one of header, touch, full/,
    });
  }
});
