// Fields of bits: every width at every alignment, against a model of BigInts. Knows the rules of the format, section 7;
// asks the codec itself.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fieldReader, readBits, recordChecker, writeField } from '../../src/codec/bit-fields.js';
import { type Field, type FieldType, parseSchema } from '../../src/format/schema.js';
import { Random } from '../support/random.js';

/** A record as one little-endian integer. */
function recordOf(bytes: Uint8Array): bigint {
  return BigInt(`0x00${Buffer.from(bytes).reverse().toString('hex')}`);
}

/** Exactly `bytes` bytes of memory, so that a read or write outside of the record throws. */
const exactly = (bytes: number) => new DataView(new ArrayBuffer(bytes));

function fill(view: DataView, record: bigint): void {
  for (let i = 0; i < view.byteLength; i++) view.setUint8(i, Number((record >> BigInt(8 * i)) & 0xffn));
}

function fieldAt(type: FieldType, from: number): Field {
  return { ...parseSchema(`f:${type}`).fields[0]!, from };
}

/** The ends of a range, powers of two and what is beside them, and random numbers. */
function samples(least: bigint, most: bigint, random: Random): bigint[] {
  const values = new Set([least, least + 1n, -1n, 0n, 1n, most - 1n, most]);
  for (let bit = 0n; bit < 53n; bit++)
    for (const by of [-1n, 0n, 1n]) values.add(2n ** bit + by).add(-(2n ** bit) + by);
  for (let i = 0; i < 8; i++) values.add(((BigInt(random.u32()) << 32n) | BigInt(random.u32())) % (most + 1n));
  return [...values].filter((value) => value >= least && value <= most);
}

describe('integers of every width at every alignment', () => {
  for (const sign of ['u', 'i'] as const) {
    test(`${sign}1 to ${sign}53`, () => {
      const random = new Random(sign.charCodeAt(0));
      for (let width = 1; width <= 53; width++) {
        const type = `${sign}${width}` as FieldType;
        const [least, most] =
          sign === 'u' ? [0n, 2n ** BigInt(width) - 1n] : [-(2n ** BigInt(width - 1)), 2n ** BigInt(width - 1) - 1n];
        const values = samples(least, most, random);
        for (let align = 0; align < 8; align++) {
          // Bytes before and after the field, few and more than one load takes.
          for (const [before, behind] of [
            [0, 0],
            [1, 0],
            [0, 1],
            [3, 2],
            [5, 9],
            [9, 0],
          ] as const) {
            const from = 8 * before + align;
            const bytes = Math.ceil((from + width) / 8) + behind;
            const field = fieldAt(type, from);
            const read = fieldReader(field, bytes);
            const view = exactly(bytes);
            const all = 2n ** BigInt(8 * bytes) - 1n;
            const own = (2n ** BigInt(width) - 1n) << BigInt(from);
            for (const value of values) {
              const stored = BigInt.asUintN(width, value) << BigInt(from);
              // Neighbours of zeros, and of ones.
              for (const around of [0n, all & ~own]) {
                fill(view, around);
                writeField(field, view, 0, Number(value));
                const where = `${type} at ${from} of ${bytes} bytes: ${value}, ${around === 0n ? 'zeros' : 'ones'} around`;
                if (recordOf(new Uint8Array(view.buffer)) !== (stored | around)) assert.fail(`written: ${where}`);
                if (read(view, 0) !== Number(value)) assert.fail(`read ${read(view, 0)}: ${where}`);
                const unsigned = readBits(view, 0, from, from + width);
                if (unsigned !== Number(BigInt.asUintN(width, value))) assert.fail(`bits ${unsigned}: ${where}`);
              }
            }
          }
        }
      }
    });
  }
});

describe('bool, f32 and f64 at every alignment', () => {
  const hexOf = { f32: ['f32', 4], f64: ['f64', 8] } as const;
  const FLOATS = [0, -0, 1.5, -2, 0.1, NaN, Infinity, -Infinity, 2 ** -149, Number.MIN_VALUE, 1e30, -3.25e-7];

  test('bool', () => {
    for (let from = 0; from < 24; from++) {
      const read = fieldReader(fieldAt('bool', from), 3);
      const view = exactly(3);
      fill(view, 1n << BigInt(from));
      assert.equal(read(view, 0), true);
      fill(view, 0xffffffn & ~(1n << BigInt(from)));
      assert.equal(read(view, 0), false);
    }
  });

  for (const [type, bytes] of Object.values(hexOf)) {
    test(type, () => {
      for (let align = 0; align < 8; align++) {
        for (const behind of [0, 1, 5]) {
          const from = 16 + align;
          const size = Math.ceil((from + 8 * bytes) / 8) + behind;
          const field = fieldAt(type, from);
          const read = fieldReader(field, size);
          const own = (2n ** BigInt(8 * bytes) - 1n) << BigInt(from);
          for (const number of FLOATS) {
            const value = type === 'f32' ? Math.fround(number) : number;
            const plain = Buffer.alloc(bytes);
            if (type === 'f32') plain.writeFloatLE(value);
            else plain.writeDoubleLE(value);
            if (Number.isNaN(value)) plain.fill(Buffer.from(type === 'f32' ? '0000c07f' : '000000000000f87f', 'hex'));
            for (const around of [0n, (2n ** BigInt(8 * size) - 1n) & ~own]) {
              const view = exactly(size);
              fill(view, around);
              writeField(field, view, 0, value);
              assert.equal(recordOf(new Uint8Array(view.buffer)), (recordOf(plain) << BigInt(from)) | around);
              assert.ok(Object.is(read(view, 0), value), `${type} at ${from}: ${value}`);
            }
          }
        }
      }
    });
  }
});

describe('slices of bits', () => {
  test('every slice of up to 53 bits of a record that does not start at 0', () => {
    const random = new Random(3);
    const bytes = random.bytes(12);
    const record = recordOf(bytes.subarray(2));
    const view = new DataView(bytes.buffer);
    for (let from = 0; from <= 80; from++) {
      for (let to = from; to <= Math.min(80, from + 53); to++) {
        const expected = Number((record >> BigInt(from)) & (2n ** BigInt(to - from) - 1n));
        assert.equal(readBits(view, 2, from, to), expected);
      }
    }
  });
});

describe('what a verification asks of a record', () => {
  test('each left-over bit is zero; the fields may be anything', () => {
    for (let bits = 1; bits <= 24; bits++) {
      const struct = parseSchema(`f:u${bits}`);
      const check = recordChecker(struct);
      for (let bit = 0; bit < 8 * struct.bytes; bit++) {
        const view = exactly(struct.bytes);
        fill(view, 1n << BigInt(bit));
        assert.equal(check(view, 0), bit < bits, `bit ${bit} of ${bits}`);
      }
    }
  });

  test('NaNs have one pattern, infinities and numbers pass', () => {
    for (let align = 0; align < 8; align++) {
      const lead = align === 0 ? '' : `lead:u${align},`;
      for (const [type, passes, fails] of [
        [
          'f32',
          ['7fc00000', '7f800000', 'ff800000', '3f800000', '80000000'],
          ['ffc00000', '7f800001', 'ff800001', '7fc00001'],
        ],
        [
          'f64',
          ['7ff8000000000000', '7ff0000000000000', 'fff0000000000000', '3ff0000000000000', '7fefffffffffffff'],
          ['fff8000000000000', '7ff0000000000001', '7ff8000000000001', '7ff0000100000000', 'fff0000000000001'],
        ],
      ] as const) {
        const struct = parseSchema(`${lead}x:${type}`);
        const check = recordChecker(struct);
        for (const [patterns, expected] of [
          [passes, true],
          [fails, false],
        ] as const) {
          for (const pattern of patterns) {
            const view = exactly(struct.bytes);
            fill(view, BigInt(`0x${pattern}`) << BigInt(align));
            assert.equal(check(view, 0), expected, `${type} ${pattern} at ${align}`);
          }
        }
      }
    }
  });
});
