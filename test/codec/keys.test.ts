// Tests how keys become bytes, against TextEncoder.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { kindOf } from '../../src/base/options.js';
import { encodeKey, NOT_UNICODE, SCRATCH_FILL, scratch, TOO_LONG } from '../../src/codec/keys.js';
import type { Key } from '../../src/format/key-types.js';
import { misuse } from '../support/errors.js';

const MOST = 65_535;
const encoder = new TextEncoder();

/** Encodes at several offsets and holds the bytes, and what lies before them, to what they must be. */
function assertEncodes(key: string, expected: Uint8Array = encoder.encode(key)): void {
  for (const at of [0, 1, 4096, SCRATCH_FILL - 1]) {
    scratch.bytes.fill(0xaa, 0, at);
    assert.equal(encodeKey(key, at), expected.length);
    assert.ok(
      Buffer.compare(scratch.bytes.subarray(at, at + expected.length), expected) === 0,
      `key of ${key.length} at ${at}`,
    );
    assert.ok(
      at === 0 || (scratch.bytes[at - 1] === 0xaa && scratch.bytes[0] === 0xaa),
      'bytes before the key changed',
    );
  }
}

test('ASCII strings of each length from 0 to 200', () => {
  for (let length = 0; length <= 200; length++) {
    assertEncodes('abcdefghijklmnopqrstuvwxyz\0~\x7f'.repeat(8).slice(0, length));
  }
});

test('strings with one character that is not ASCII, at many places and lengths', () => {
  for (const character of ['\x80', 'é', '\u07ff', '\u0800', '€', '\uffff', '\ufeff', '\u{10000}', '\u{10ffff}']) {
    for (let length = 0; length <= 80; length++) {
      const at = (length * 7) % (length + 1);
      assertEncodes(`${'x'.repeat(at)}${character}${'y'.repeat(length - at)}`);
    }
  }
});

test('code units whose low byte is ASCII are not taken for ASCII', () => {
  for (const character of ['\u0141', '\u0461', '\u4e61', '\u6100']) assertEncodes(`${character}a`);
});

test('half a surrogate pair is refused wherever it stands', () => {
  for (const half of ['\ud800', '\udbff', '\udc00', '\udfff']) {
    for (const length of [0, 1, 10, 62, 63, 64, 65, 200, 1000]) {
      const letters = 'z'.repeat(length);
      for (const key of [half + letters, letters + half, letters + half + letters, `${letters}é${half}`]) {
        assert.equal(encodeKey(key, 0), NOT_UNICODE, JSON.stringify(key));
      }
    }
  }
  assert.equal(encodeKey('\udc00\ud800', 0), NOT_UNICODE, 'a pair in the wrong order');
  assert.equal(encodeKey('\ud83d\ude00\ude00', 0), NOT_UNICODE, 'a pair and a half');
  assert.equal(encodeKey('\ud83d\ud83d\ude00', 0), NOT_UNICODE, 'a half and a pair');
  assert.equal(encodeKey('\ud83d\ude00', 0), 4, 'a whole pair');
  assert.equal(encodeKey('\ufffd', 0), 3, 'the replacement character itself is a character');
});

test('the longest key has 65,535 bytes, whatever it is made of', () => {
  const longest = [
    'a'.repeat(MOST),
    `${'é'.repeat(32_767)}a`,
    '€'.repeat(21_845),
    `${'\u{1f600}'.repeat(16_383)}abc`,
    `${'a'.repeat(MOST - 3)}€`,
  ];
  for (const key of longest) {
    assertEncodes(key);
    assert.equal(encodeKey(`${key}a`, 0), TOO_LONG);
    assert.equal(encodeKey(`a${key}`, SCRATCH_FILL - 1), TOO_LONG);
  }
});

test('strings that grow past the limit as they are encoded are too long', () => {
  assert.equal(encodeKey('é'.repeat(32_768), 0), TOO_LONG);
  assert.equal(encodeKey('é'.repeat(MOST), SCRATCH_FILL - 1), TOO_LONG);
  assert.equal(encodeKey('€'.repeat(MOST), SCRATCH_FILL - 1), TOO_LONG);
  assert.equal(encodeKey('a'.repeat(1_000_000), 0), TOO_LONG);
  assert.ok(encodeKey(`${'a'.repeat(MOST - 1)}\ud800`, 0) < 0, 'too long and no Unicode');
});

test('bytes are taken as they are, up to 65,535', () => {
  for (const length of [0, 1, 63, 64, 65, 300, MOST]) {
    const key = Uint8Array.from({ length }, (_, i) => 255 - (i % 256));
    assert.equal(encodeKey(key, 5), length);
    assert.ok(Buffer.compare(scratch.bytes.subarray(5, 5 + length), key) === 0);
  }
  const piece = new Uint8Array([1, 2, 3, 4, 5, 6]).subarray(2, 5);
  assert.equal(encodeKey(piece, 0), 3);
  assert.deepEqual([...scratch.bytes.subarray(0, 3)], [3, 4, 5]);
  assert.equal(encodeKey(Buffer.from('node'), 0), 4);
  assert.equal(encodeKey(new Uint8Array(MOST + 1), 0), TOO_LONG);
});

test('anything else is a TypeError that names what came', () => {
  const wrong: [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'null'],
    [1, 'number'],
    [1n, 'bigint'],
    [true, 'boolean'],
    [Symbol('s'), 'symbol'],
    [['a'], 'an array'],
    [{}, 'object'],
    [new String('a'), 'object'],
    [new ArrayBuffer(4), 'object'],
    [new DataView(new ArrayBuffer(4)), 'object'],
    [new Uint16Array(2), 'object'],
    [new Uint8ClampedArray(2), 'object'],
    [() => 'a', 'function'],
  ];
  for (const [key, kind] of wrong) {
    assert.equal(kindOf(key), kind);
    const message = new RegExp(`^key: expected a string or a Uint8Array, got ${kind}$`);
    assert.throws(() => encodeKey(key as Key, 0), misuse(message));
  }
});

test('any string is its UTF-8, or is refused', () => {
  const units = fc.oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0, max: 0xffff }),
    fc.constant(0xd83d),
    fc.constant(0xde00),
  );
  const strings = fc.oneof(
    // Not fast-check's own strings of all of Unicode: making their arbitrary takes half a second.
    fc.array(fc.nat({ max: 0x10_ffff }), { maxLength: 150 }).map((points) => String.fromCodePoint(...points)),
    fc.array(units, { maxLength: 100 }).map((codes) => String.fromCharCode(...codes)),
  );
  const property = fc.property(strings, fc.nat({ max: SCRATCH_FILL - 1 }), (key, at) => {
    const length = encodeKey(key, at);
    // A replaced half shows when it is decoded: it is not what it was.
    const expected = encoder.encode(key);
    if (new TextDecoder('utf-8', { ignoreBOM: true }).decode(expected) !== key) return length === NOT_UNICODE;
    return length === expected.length && Buffer.compare(scratch.bytes.subarray(at, at + length), expected) === 0;
  });
  fc.assert(property, { seed: 4711, numRuns: 400 });
});
