// The shape of files that no test can build: limits of the format and of the builder, from sums alone.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EntryStats, shapeOfEntries } from '../../src/build/hash/entry-stats.js';
import { MAX_SEGMENT_BYTES, VARIABLE } from '../../src/format/constants.js';
import { bucketCount, bucketsFor as bucketsOf } from '../../src/format/index-lines.js';
import { hmapError } from '../support/errors.js';

/** Sums of `entries` records of some lengths, spread evenly over the hashes. */
function statsOf(entries: number, keyBytes: number, valueBytes: number): EntryStats {
  const stats = new EntryStats('bytes');
  stats.add(0, keyBytes, valueBytes);
  stats.entries = entries;
  stats.bytesByHash.fill((entries * (keyBytes + valueBytes + 2)) / stats.bytesByHash.length);
  return stats;
}

/** Of keys of several lengths. */
const bucketsFor = (entries: number, segmentBits: number, hashBits = 32, keyWidth = VARIABLE) =>
  bucketsOf({ entries, segmentBits, shardBits: 32 - hashBits, keyWidth, valueWidth: 4 });

describe('buckets', () => {
  test('are as many as leave each enough records', () => {
    // 11 buckets for 5 entries at most, from 2^18 entries on 17 for 4; in groups of 32.
    const expected = [
      [0, 5, 8],
      [1, 5, 8],
      [140, 5, 8],
      [141, 6, 8],
      [281, 6, 8],
      [282, 7, 8],
      [563, 8, 7],
      [564, 8, 8],
      [703, 8, 8],
      [704, 9, 5],
      [845, 9, 6],
      [986, 9, 7],
      [1127, 9, 8],
      [262_143, 17, 7],
      [262_144, 16, 7],
      [278_528, 16, 8],
    ] as const;
    for (const [entries, bits, eighths] of expected) {
      assert.deepEqual(bucketsFor(entries, 0), { bucketBits: bits, eighths }, `${entries} entries`);
    }
  });

  test('are as many in large tables as in small ones where all records have one length', () => {
    for (const entries of [300_000, 10_000_000]) {
      const load = entries / bucketCount(bucketsFor(entries, 0, 32, 8));
      assert.ok(load >= 2.2 && load < 2.76, `${load}`);
    }
  });

  test('are shared by segments and shards, each with a group at least', () => {
    assert.deepEqual(bucketsFor(10_000, 3), { bucketBits: 9, eighths: 8 });
    assert.deepEqual(bucketsFor(1000, 5), { bucketBits: 5, eighths: 8 });
    assert.deepEqual(bucketsFor(2 ** 40, 12, 24), { bucketBits: 12, eighths: 8 });
    for (let entries = 0; entries < 2 ** 20; entries = entries * 1.1 + 1) {
      const count = Math.floor(entries);
      const buckets = bucketCount(bucketsFor(count, 0));
      assert.equal(buckets % 32, 0);
      const load = count / buckets;
      if (count >= 704)
        assert.ok(count < 2 ** 18 ? load >= 2.2 && load < 2.76 : load >= 4.25 && load < 5.32, `${load}`);
    }
  });
});

describe('segments', () => {
  test('are one as long as one is enough', () => {
    const plan = shapeOfEntries(statsOf(10_000_000, 20, 40), 'bytes', MAX_SEGMENT_BYTES);
    assert.deepEqual(plan, { shardBits: 0, segmentBits: 0, bucketBits: 22, eighths: 8, keyWidth: 20, valueWidth: 40 });
  });

  test('are as few as fit, each with its part of the bucket bits', () => {
    const plan = shapeOfEntries(statsOf(100_000_000, 20, 40), 'bytes', MAX_SEGMENT_BYTES);
    assert.equal(plan.segmentBits, 2);
    const one = bucketsFor(100_000_000, 0, 32, 20);
    assert.deepEqual([plan.segmentBits + plan.bucketBits, plan.eighths], [one.bucketBits, one.eighths]);
  });

  test('have one group of buckets where there are more segments than groups are needed', () => {
    const plan = shapeOfEntries(statsOf(4, 20, 2 ** 30), 'bytes', MAX_SEGMENT_BYTES);
    assert.deepEqual([plan.segmentBits, plan.bucketBits], [2, 5]);
  });

  test('leave the buckets of a shard five bits of the hash', () => {
    const stats = new EntryStats('bytes', 16);
    stats.add(0, 20, 3000);
    stats.add(1, 20, 3000);
    assert.throws(() => shapeOfEntries(stats, 'bytes', 4096, VARIABLE, 16), hmapError('HMAP_SEGMENT_TOO_LARGE'));
  });

  test('that cannot be small enough are refused, and so are files of 2^53 bytes', () => {
    const crowded = statsOf(3, 20, 2 ** 30);
    crowded.bytesByHash.fill(0).fill(3 * 2 ** 30, 0, 1);
    assert.throws(
      () => shapeOfEntries(crowded, 'bytes', MAX_SEGMENT_BYTES),
      hmapError('HMAP_SEGMENT_TOO_LARGE', { expected: MAX_SEGMENT_BYTES, actual: 3 * 2 ** 30 }),
    );
    assert.throws(
      () => shapeOfEntries(statsOf(2 ** 43, 20, 1024), 'bytes', MAX_SEGMENT_BYTES),
      hmapError('HMAP_FILE_TOO_LARGE', { expected: 2 ** 53 - 1 }),
    );
  });
});

describe('widths', () => {
  test('are shared where all lengths are one, but never a key of no bytes', () => {
    const widths = (lengths: readonly (readonly [number, number])[]) => {
      const stats = new EntryStats('utf8');
      for (const [key, value] of lengths) stats.add(0, key, value);
      const { keyWidth, valueWidth } = shapeOfEntries(stats, 'utf8', MAX_SEGMENT_BYTES);
      return [keyWidth, valueWidth];
    };
    assert.deepEqual(widths([]), [VARIABLE, VARIABLE]);
    assert.deepEqual(widths([[0, 0]]), [VARIABLE, 0]);
    assert.deepEqual(
      widths([
        [3, 5],
        [3, 5],
      ]),
      [3, 5],
    );
    assert.deepEqual(
      widths([
        [3, 5],
        [3, 6],
      ]),
      [3, VARIABLE],
    );
    assert.deepEqual(
      widths([
        [3, 5],
        [4, 5],
      ]),
      [VARIABLE, 5],
    );
  });
});
