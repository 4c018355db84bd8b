// Texts of every short length, ASCII or not, against the runtime's own decoder.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteBuffer } from '../../src/base/bytes.js';
import { AsciiWindow, decodeText } from '../../src/base/text.js';
import { Random } from '../support/random.js';

/** Decodes `bytes` in the middle of others that are not ASCII, which must not matter. */
function decoded(bytes: Uint8Array): string {
  const block = new ByteBuffer(Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(5, 0xff)]));
  return decodeText(block, 3, bytes.length);
}

test('ASCII of every length, each place with a character of its own', () => {
  for (let length = 0; length <= 70; length++) {
    for (const first of [0, 32, 97]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (first + i * 7) % 128);
      assert.equal(decoded(bytes), Buffer.from(bytes).toString('latin1'), `${length} bytes`);
    }
  }
});

test('other characters at every place, and bytes that are no UTF-8', () => {
  for (const character of ['\u0080', '\u00e9', '\u20ac', '\u{1f600}']) {
    for (let before = 0; before <= 30; before++) {
      for (let after = 0; after <= 8; after++) {
        const text = `${'a'.repeat(before)}${character}${'b'.repeat(after)}`;
        assert.equal(decoded(Buffer.from(text)), text);
      }
    }
  }
  for (let at = 0; at < 24; at++) {
    const bytes = new Uint8Array(24).fill(0x61);
    bytes[at] = 0xff;
    assert.equal(decoded(bytes), `${'a'.repeat(at)}\ufffd${'a'.repeat(23 - at)}`);
  }
});

test('a window over texts that stand close together, forwards and back, in one buffer and another', () => {
  const random = new Random(7);
  const buffers = [1000, 300, 40].map((size) => new ByteBuffer(random.bytes(size).map((byte) => byte & 0x7f)));
  const window = new AsciiWindow();
  for (const buffer of [...buffers, ...buffers]) {
    for (const step of [1, 7, 30, 70]) {
      for (let at = 0; at < buffer.size; at += step) {
        for (const length of [0, 1, 12, 13, 24]) {
          if (at + length > buffer.size) continue;
          assert.equal(window.at(buffer, at, length), buffer.bytes.toString('latin1', at, at + length));
        }
      }
    }
  }
});
