// The shape of files that no test can build: limits of the format and of the builder, from sums alone.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EntryStats, shapeOfEntries } from '../../src/build/hash/entry-stats.js';
import { MAX_SEGMENT_BYTES, totalBucketBits, VARIABLE } from '../../src/format/constants.js';
import { hmapError } from '../support/errors.js';

/** Sums of `entries` records of some lengths, spread evenly over the hashes. */
function statsOf(entries: number, keyBytes: number, valueBytes: number): EntryStats {
  const stats = new EntryStats('bytes');
  stats.add(0, keyBytes, valueBytes);
  stats.entries = entries;
  stats.bytesByHash.fill((entries * (keyBytes + valueBytes + 2)) / stats.bytesByHash.length);
  return stats;
}

describe('bits of all buckets', () => {
  test('are the most with which a bucket holds two entries or more', () => {
    const expected = [
      [0, 0],
      [1, 0],
      [3, 0],
      [4, 1],
      [7, 1],
      [8, 2],
      [1_000_000, 18],
      [10_000_000, 22],
      [2 ** 33 - 1, 31],
      [2 ** 33, 32],
      [2 ** 40, 32],
    ] as const;
    for (const [entries, bits] of expected) assert.equal(totalBucketBits(entries), bits, `${entries} entries`);
  });
});

describe('segments', () => {
  test('are one as long as one is enough', () => {
    const plan = shapeOfEntries(statsOf(10_000_000, 20, 40), 'bytes', MAX_SEGMENT_BYTES);
    assert.deepEqual(plan, { segmentBits: 0, bucketBits: 22, keyWidth: 20, valueWidth: 40 });
  });

  test('are as few as fit, each with its part of the bucket bits', () => {
    const plan = shapeOfEntries(statsOf(100_000_000, 20, 40), 'bytes', MAX_SEGMENT_BYTES);
    assert.equal(plan.segmentBits, 2);
    assert.equal(plan.segmentBits + plan.bucketBits, totalBucketBits(100_000_000));
  });

  test('have no bucket bits where there are more segments than buckets are needed', () => {
    const plan = shapeOfEntries(statsOf(4, 20, 2 ** 30), 'bytes', MAX_SEGMENT_BYTES);
    assert.deepEqual([plan.segmentBits, plan.bucketBits], [2, 0]);
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
