// Tests of what only larger files have: checksums in more than one level, offsets of many bits, and how little of a
// file a lookup needs.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import type { Header } from '../../src/format/header.js';
import { build, inspectKey, open, stat, verify } from '../../src/index.js';
import { BlockChecker } from '../../src/storage/block-check.js';
import { Findings } from '../../src/verify/findings.js';
import type { VerifyReader } from '../../src/verify/reader.js';
import { SumTreeCheck } from '../../src/verify/sum-tree.js';
import { hmapError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { canonicalParts, compose } from '../support/raw-table.js';
import { oracle } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { assertSameFile } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const BLOCK = 65_536;
const PAGE = 4096;

describe('checksums of two levels', () => {
  const path = join(folder, 'levels.hmap');
  const damagedPath = join(folder, 'damaged.hmap');
  const entries = Array.from({ length: 700 }, (_, i) => [`key ${i}`, Buffer.alloc(50_000 + i, i)] as const);
  let whole: Buffer;
  let header: Header;

  before(async () => {
    await build(path, entries, { value: 'bytes' });
    whole = readFileSync(path);
    header = open(path).header;
  });

  test('are what the format says', async () => {
    const blocks = Math.ceil((header.checksums.offset - PAGE) / BLOCK);
    assert.ok(blocks > 512);
    assert.equal(header.checksums.bytes, 8 * (blocks + 2));
    assertSameFile(path, compose(canonicalParts(entries, { value: 'bytes' })));
    assert.deepEqual((await verify(path)).findings, []);
  });

  test('a changed byte of any level is found by verify, where it is, and never trusted by a lookup', async () => {
    const { offset, bytes } = header.checksums;
    const upper = offset + bytes - 16;
    const random = new Random(1);
    const places = [offset, offset + PAGE - 1, offset + PAGE, upper - 1, upper, upper + 7, upper + 8, upper + 15];
    while (places.length < 30) places.push(random.between(offset, offset + bytes - 1));
    for (const at of places) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1 << random.below(8);
      writeFileSync(damagedPath, damaged);
      const { findings } = await verify(damagedPath);
      const [found] = findings;
      assert.equal(findings.length, 1, `byte ${at}`);
      assert.equal(found!.code, 'HMAP_CHECKSUMS_SUM');
      assert.ok(found!.offset <= at && at < found!.end && found!.end - found!.offset <= 8, `byte ${at}`);
      using table = open(damagedPath);
      let refused = 0;
      for (const [key, value] of entries.slice(0, 100)) {
        try {
          assert.ok(value.equals(table.get(key) as Buffer));
        } catch (error) {
          hmapError('HMAP_DAMAGED', { message: /do not match their checksum/ })(error);
          refused++;
        }
      }
      // One page of the first level is that of nearly all blocks; the other one of the last blocks, with the index.
      assert.ok(refused > 0, `byte ${at}`);
    }
  });

  test('a block and its checksum that were both changed are told apart from the rest', async () => {
    const damaged = Buffer.from(whole);
    const at = PAGE + 5 * BLOCK + 77;
    damaged[at]! ^= 1;
    const block = damaged.subarray(PAGE + 5 * BLOCK, PAGE + 6 * BLOCK);
    damaged.writeBigUInt64LE(oracle.h64Raw(block), header.checksums.offset + 8 * 5);
    writeFileSync(damagedPath, damaged);
    const { findings } = await verify(damagedPath);
    // The page of checksums fits what is there, but not the checksum of the page.
    assert.deepEqual(
      findings.map(({ code, offset, end }) => [code, offset, end]),
      [['HMAP_CHECKSUMS_SUM', header.checksums.offset, header.checksums.offset + PAGE]],
    );
    using table = open(damagedPath);
    assert.throws(() => entries.map(([key]) => table.get(key)), hmapError('HMAP_DAMAGED'));
  });
});

test('a block of a file of 20 GiB is trusted by three pages of checksums, each read once', () => {
  // Blocks of zeros, with the tree that belongs to them.
  const headerBytes = PAGE;
  const end = headerBytes + 20 * 2 ** 30;
  const levels: Buffer[] = [];
  const zeros = oracle.h64Raw(Buffer.alloc(BLOCK));
  const first = Buffer.alloc(8 * ((end - headerBytes) / BLOCK));
  for (let at = 0; at < first.length; at += 8) first.writeBigUInt64LE(zeros, at);
  levels.push(first);
  while (levels.at(-1)!.length > PAGE) {
    const last = levels.at(-1)!;
    const next = Buffer.alloc(8 * Math.ceil(last.length / PAGE));
    for (let i = 0; i < next.length / 8; i++) {
      next.writeBigUInt64LE(oracle.h64Raw(last.subarray(i * PAGE, (i + 1) * PAGE)), 8 * i);
    }
    levels.push(next);
  }
  assert.equal(levels.length, 3);
  const tree = Buffer.concat(levels);
  const reads: [offset: number, length: number][] = [];
  const read = (offset: number, length: number): Uint8Array => {
    reads.push([offset, length]);
    return offset < end ? Buffer.alloc(length) : Buffer.from(tree.subarray(offset - end, offset - end + length));
  };
  const sum = oracle.h64Raw(levels.at(-1)!);
  const header = { headerBytes, checksums: { offset: end, bytes: tree.length, sum } } as unknown as Header;
  const checker = new BlockChecker(header, read, 'x.hmap');
  const pages = () => new Set(reads.filter(([at]) => at >= end).map(([at]) => Math.floor((at - end) / PAGE))).size;
  checker.check(123_456);
  assert.equal(reads.filter(([at]) => at < end).length, 1);
  assert.ok(pages() <= 4, `${pages()} pages`);
  assert.ok(reads.reduce((all, [, length]) => all + length, 0) < BLOCK + 3 * PAGE + 100);
  reads.length = 0;
  checker.check(123_457);
  assert.deepEqual(
    reads.map(([, length]) => length),
    [8, BLOCK],
  );
  // Another one of the first level's pages is wrong: its own blocks are refused, others are not.
  tree[200_000]! ^= 1;
  const again = new BlockChecker(header, read, 'x.hmap');
  again.check(0);
  assert.throws(() => again.check(Math.floor(200_000 / 8)), hmapError('HMAP_DAMAGED', { message: /block checksums/ }));
});

describe('a tree of checksums of which a part is wrong or cannot be read', () => {
  const headerBytes = PAGE;
  const end = headerBytes + 700 * BLOCK;
  const blocks = Buffer.alloc(8 * 700);
  for (let i = 0; i < 700; i++) blocks.writeBigUInt64LE(BigInt(i * 977), 8 * i);
  const upper = Buffer.alloc(16);
  for (const i of [0, 1]) upper.writeBigUInt64LE(oracle.h64Raw(blocks.subarray(PAGE * i, PAGE * i + PAGE)), 8 * i);
  const header = { headerBytes, checksums: { offset: end, sum: oracle.h64Raw(upper) } } as unknown as Header;

  /** Checks a tree; which blocks then differ from what they should be, and what was reported. */
  function check(tree: Buffer, computed: Buffer, unreadable: [number, number] = [0, 0]) {
    const findings = new Findings(100);
    const attempt = (offset: number, length: number) =>
      offset < unreadable[1] && offset + length > unreadable[0]
        ? undefined
        : Buffer.from(tree.subarray(offset - end, offset - end + length));
    const read = (offset: number, length: number) => {
      const bytes = attempt(offset, length);
      if (bytes === undefined) findings.add('EIO', 'checksums', offset, offset + length, 'cannot be read');
      return bytes;
    };
    const reader = { attempt, read } as unknown as VerifyReader;
    const hashes = { h64Raw: (bytes: Uint8Array) => oracle.h64Raw(Buffer.from(bytes)) };
    const expected = new SumTreeCheck(header, reader, findings, hashes).compare(computed);
    const wrong = [];
    for (let i = 0; i < 700; i++) {
      const says = expected(8 * i);
      if (says !== undefined && says !== computed.readBigUInt64LE(8 * i)) wrong.push(i);
    }
    return { wrong, told: findings.list.map(({ code, offset }) => [code, offset - end]) };
  }

  const tree = Buffer.concat([blocks, upper]);
  /** As if the contents of a block had changed. */
  const changed = (i: number) => {
    const copy = Buffer.from(blocks);
    copy.writeBigUInt64LE(1n, 8 * i);
    return copy;
  };

  test('blocks are compared with what can be read', () => {
    assert.deepEqual(check(tree, changed(600)), { wrong: [600], told: [] });
    // The upper level, then either page of the lower one.
    assert.deepEqual(check(tree, changed(600), [end + 5600, end + 5601]), { wrong: [600], told: [['EIO', 5600]] });
    assert.deepEqual(check(tree, changed(600), [end, end + 1]), { wrong: [600], told: [['EIO', 0]] });
    assert.deepEqual(check(tree, changed(600), [end + 5000, end + 5001]), { wrong: [], told: [['EIO', 4096]] });
  });

  test('each damage is reported once, where it is', () => {
    const upperWrong = Buffer.from(tree);
    upperWrong[5600]! ^= 1;
    assert.deepEqual(check(upperWrong, blocks), { wrong: [], told: [['HMAP_CHECKSUMS_SUM', 5600]] });
    assert.deepEqual(check(upperWrong, changed(600)), { wrong: [600], told: [['HMAP_CHECKSUMS_SUM', 5600]] });
    assert.deepEqual(check(upperWrong, changed(6)), { wrong: [6], told: [['HMAP_CHECKSUMS_SUM', 5600]] });
    const lowerWrong = Buffer.from(tree);
    lowerWrong[80]! ^= 1;
    assert.deepEqual(check(lowerWrong, blocks), { wrong: [], told: [['HMAP_CHECKSUMS_SUM', 80]] });
    assert.deepEqual(check(lowerWrong, changed(600)), { wrong: [600], told: [['HMAP_CHECKSUMS_SUM', 80]] });
  });
});

describe('offsets', () => {
  for (const [bits, longest] of [
    [13, 5000],
    [17, 70_000],
    [24, 2 ** 23 + 5],
    [32, 2 ** 24 + 5],
  ] as const) {
    test(`of ${bits} bits, for a value of ${longest} bytes among small ones`, async () => {
      const path = join(folder, `wide-${bits}.hmap`);
      const count = 500;
      const model = new Map(
        Array.from({ length: count }, (_, i) => [`key ${i}`, Buffer.alloc(i === 250 ? longest : i % 20, i)] as const),
      );
      await build(path, model, { value: 'bytes' });
      for (const mapping of ['auto', 'copy'] as const) {
        for (const check of ['touch', 'header'] as const) {
          using table = open(path, { mapping, check });
          assert.equal(table.header.index.offsetBits, bits);
          for (let pass = 0; pass < 2; pass++) {
            for (const [key, value] of model) assert.ok(value.equals(table.get(key) as Buffer), key);
            assert.equal(table.get('no key'), undefined);
            const keys = [...model.keys(), 'no key', 'nor this'];
            const many = table.getMany(keys) as (Buffer | undefined)[];
            assert.equal(many.filter((value) => value === undefined).length, 2);
            // So that all blocks have been checked the second time.
            assert.equal([...table.values()].length, count);
          }
        }
      }
      assert.deepEqual((await verify(path)).findings, []);
      assert.equal((await stat(path)).entries, count);
    });
  }
});

test('a lookup needs two pages of a file, hardly ever three', async () => {
  const path = join(folder, 'pages.hmap');
  const count = 300_000;
  await build(
    path,
    Array.from({ length: count }, (_, i) => [`key number ${i}`, i] as const),
    { value: 'u32' },
  );
  let pages = 0;
  const keys = 400;
  for (let i = 0; i < keys; i++) {
    const { bucket } = inspectKey(path, `key number ${(i * 7919) % count}`);
    const line = bucket!.lineOffset;
    const lineEnd = line + 4 * bucket!.header.index.offsetBits + 8;
    const between = (from: number, end: number) => Math.floor((end - 1) / PAGE) - Math.floor(from / PAGE) + 1;
    pages += between(line, lineEnd) + between(bucket!.start, bucket!.end);
  }
  assert.ok(pages / keys < 2.1, `${pages / keys} pages`);
});
