// Holds MurmurHash3 to known values, and to the implementation of the reader that was written from the spec.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { murmur3 } from '../../src/base/murmur3.js';
import { murmur3 as reference } from '../conformance/reference-reader.js';
import { Random } from '../support/random.js';
import { murmur3 as raw } from '../support/raw-table.js';

function hash(bytes: Uint8Array, seed: number): number {
  return murmur3(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, seed) >>> 0;
}

describe('murmur3', () => {
  // From the author's test program and the public lists of values made with it.
  const KNOWN: readonly [text: string, seed: number, hash: number][] = [
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['abc', 0, 0xb3dd93fa],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ];
  for (const [text, seed, expected] of KNOWN) {
    test(`of ${JSON.stringify(text)} with seed ${seed}`, () => assert.equal(hash(Buffer.from(text), seed), expected));
  }

  test('of any bytes, at any offset', () => {
    const random = new Random(1);
    for (let i = 0; i < 3000; i++) {
      const seed = random.pick([0, 1, 2 ** 31, 2 ** 32 - 1, random.u32()]);
      const before = random.below(8);
      const bytes = random.bytes(before + random.below(40)).subarray(before);
      const expected = reference(bytes, seed);
      assert.equal(hash(bytes, seed), expected);
      assert.equal(raw(bytes, seed), expected);
    }
  });
});
