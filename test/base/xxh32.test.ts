// Tests XXH32 against xxhash-wasm and against published values.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteBuffer } from '../../src/base/bytes.js';
import { xxh32 } from '../../src/base/xxh32.js';
import { keyWithHash } from '../support/collisions.js';
import { Random } from '../support/random.js';
import { oracle } from '../support/samples.js';

const random = new Random(32);
const SEEDS = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, random.u32(), random.u32()];

function hashOf(bytes: Uint8Array, seed: number): number {
  return xxh32(new ByteBuffer(bytes).view, 0, bytes.length, seed) >>> 0;
}

test('the hash is that of xxhash-wasm for each length from 0 to 300, each seed and unaligned starts', () => {
  const { bytes, view } = new ByteBuffer(random.bytes(400));
  for (let length = 0; length <= 300; length++) {
    for (const seed of SEEDS) {
      for (const start of [0, 1, 3, 4 + (length % 59)]) {
        const expected = oracle.h32Raw(bytes.subarray(start, start + length), seed);
        assert.equal(xxh32(view, start, length, seed) >>> 0, expected, `${length} bytes from ${start}, seed ${seed}`);
      }
    }
  }
});

test('long inputs have the hash that xxhash-wasm gives', () => {
  const { bytes, view } = new ByteBuffer(random.bytes(65_535));
  for (const length of [1023, 1024, 4095, 65_534, 65_535]) {
    for (const seed of SEEDS)
      assert.equal(xxh32(view, 0, length, seed) >>> 0, oracle.h32Raw(bytes.subarray(0, length), seed));
  }
});

test('the result is a signed 32-bit integer, also for sums that pass 2^32', () => {
  const { view } = new ByteBuffer(new Uint8Array(64).fill(255));
  let negative = 0;
  for (let length = 0; length <= 64; length++) {
    const hash = xxh32(view, 0, length, 0xffff_ffff);
    assert.equal(hash, hash | 0);
    if (hash < 0) negative++;
  }
  assert.ok(negative > 10, 'half of all hashes have the top bit');
});

test('a seed means the same as a signed and as an unsigned number', () => {
  const { view } = new ByteBuffer(random.bytes(40));
  for (const seed of SEEDS) {
    for (const length of [0, 3, 15, 16, 40])
      assert.equal(xxh32(view, 0, length, seed | 0), xxh32(view, 0, length, seed));
  }
});

test('only the bytes of the range count', () => {
  const bytes = random.bytes(60);
  const before = xxh32(new ByteBuffer(bytes).view, 7, 37, 5);
  bytes.fill(0, 0, 7);
  bytes.fill(0, 44);
  assert.equal(xxh32(new ByteBuffer(bytes).view, 7, 37, 5), before);
  bytes[43]! ^= 1;
  assert.notEqual(xxh32(new ByteBuffer(bytes).view, 7, 37, 5), before);
});

test('known values', () => {
  const known: [string, number, number][] = [
    ['', 0, 0x02cc5d05],
    ['a', 0, 0x550d7456],
    ['abc', 0, 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0, 0xe2293b2f],
  ];
  for (const [text, seed, hash] of known) assert.equal(hashOf(Buffer.from(text), seed), hash, text);
});

test('the sanity check of the XXH32 reference', () => {
  // xxhsum's own: a buffer from repeated squaring of PRIME32_1, hashed with seed 0 and with that prime.
  const prime = 2_654_435_761;
  const buffer = new Uint8Array(101);
  let generator = prime;
  for (let i = 0; i < buffer.length; i++) {
    buffer[i] = generator >>> 24;
    generator = Math.imul(generator, generator);
  }
  const known: [number, number, number][] = [
    [0, 0, 0x02cc5d05],
    [0, prime, 0x36b78ae7],
    [1, 0, 0xb85cbee5],
    [1, prime, 0xd5845d64],
    [14, 0, 0xe5aa0ab4],
    [14, prime, 0x4481951d],
    [101, 0, 0x1f1aa412],
    [101, prime, 0x498ec8e2],
  ];
  for (const [length, seed, hash] of known)
    assert.equal(hashOf(buffer.subarray(0, length), seed), hash, `${length} bytes`);
});

test('keys made by running the hash backwards have the hash that was asked for', () => {
  for (const hash of [0, 1, 0x8000_0000, 0xffff_ffff, random.u32()]) {
    for (const seed of SEEDS) {
      for (const words of [[], [random.u32()], [random.u32(), random.u32()]]) {
        const key = keyWithHash(hash, seed, words);
        assert.equal(hashOf(key, seed), hash);
        assert.equal(oracle.h32Raw(key, seed), hash);
      }
    }
  }
});
