// The one-pass hash of lookups against the two passes that it stands for: encode, then XXH32.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteBuffer } from '../../src/base/bytes.js';
import { xxh32 } from '../../src/base/xxh32.js';
import { hashKey, keyHash } from '../../src/codec/hash-key.js';
import { scratch } from '../../src/codec/keys.js';

/** Hashes `key` at `at`, and holds length, hash and the bytes left in the scratch buffer to the slow way. */
function check(key: string | Uint8Array, at: number, seed: number): void {
  const bytes = Buffer.from(key);
  const length = hashKey(key, at, seed | 0);
  const shown = JSON.stringify(key).slice(0, 80);
  assert.equal(length, bytes.length, shown);
  assert.deepEqual(Buffer.from(scratch.bytes.subarray(at, at + length)), bytes, shown);
  assert.equal(keyHash.value, xxh32(new ByteBuffer(bytes).view, 0, length, seed | 0), shown);
}

test('every length from 0 to 200, at any offset and seed', () => {
  for (let length = 0; length <= 200; length++) {
    for (const [at, seed] of [
      [0, 0],
      [3, 1],
      [65_535, 0xffff_ffff],
    ] as const) {
      check(Array.from({ length }, (_, i) => String.fromCharCode((i * 37 + length) % 128)).join(''), at, seed);
    }
  }
});

test('one character that is not ASCII, at every place', () => {
  for (const character of ['\u0080', '\u00ff', '\u0100', '\u0180', '\u20ac', '\u{1f600}']) {
    for (let before = 0; before < 40; before++) {
      for (const after of [0, 1, 17]) check(`${'a'.repeat(before)}${character}${'z'.repeat(after)}`, 0, 7);
    }
  }
});

test('any string and any bytes', () => {
  const key = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 100 }),
    fc.string({ unit: 'binary-ascii', maxLength: 100 }),
    fc.uint8Array({ maxLength: 100 }),
  );
  fc.assert(
    fc.property(key, fc.nat(65_535), fc.nat(0xffff_ffff), (key, at, seed) => {
      if (typeof key === 'string' && !key.isWellFormed()) return;
      check(key, at, seed);
    }),
    { seed: 3, numRuns: 2000 },
  );
});

test('a string that has no UTF-8 form, or is too long, has a negative length', () => {
  for (const key of ['\ud800', `${'a'.repeat(30)}\udc00`, 'x'.repeat(65_536), '\u20ac'.repeat(30_000)]) {
    assert.ok(hashKey(key, 0, 0) < 0);
  }
  assert.ok(hashKey(new Uint8Array(65_536), 0, 0) < 0);
});
