// XXH64 without WebAssembly, for checks that cannot wait until a module is loaded. Knows nothing of blocks or files.
// The algorithm and its constants: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

// JavaScript has no fast integers of 64 bits: each number is a pair of signed 32-bit halves here, and the constants
// also come in the 16-bit quarters that a multiplication needs. Not a table of them: V8 folds constants, but loads what
// is in an array.
const P1_HIGH = 0x9e3779b1 | 0;
const P1_LOW = 0x85ebca87 | 0;
const P1_LOW_TOP = 0x85eb;
const P1_LOW_END = 0xca87;
const P2_HIGH = 0xc2b2ae3d | 0;
const P2_LOW = 0x27d4eb4f | 0;
const P2_LOW_TOP = 0x27d4;
const P2_LOW_END = 0xeb4f;
const P3_HIGH = 0x165667b1 | 0;
const P3_LOW = 0x9e3779f9 | 0;
const P4_HIGH = 0x85ebca77 | 0;
const P4_LOW = 0xc2b2ae63 | 0;
const P5_HIGH = 0x27d4eb2f | 0;
const P5_LOW = 0x165667c5 | 0;

const STRIPE = 32;

/** The hash that {@link xxh64} computed last, as signed 32-bit halves. */
export const sum64 = { high: 0, low: 0 };

// The number that the functions below work on.
let high = 0;
let low = 0;

function add(h: number, l: number): void {
  const sum = (low + l) | 0;
  high = (high + h + (sum >>> 0 < l >>> 0 ? 1 : 0)) | 0;
  low = sum;
}

function multiply(h: number, l: number): void {
  const a = low & 0xffff;
  const b = low >>> 16;
  const c = l & 0xffff;
  const d = l >>> 16;
  const middle = (Math.imul(b, c) + (Math.imul(a, c) >>> 16)) | 0;
  const other = (Math.imul(a, d) + (middle & 0xffff)) | 0;
  const carry = (Math.imul(b, d) + (middle >>> 16) + (other >>> 16)) | 0;
  high = (carry + Math.imul(high, l) + Math.imul(low, h)) | 0;
  low = Math.imul(low, l);
}

/** By 1 to 31 bits. */
function rotateLeft(bits: number): void {
  const h = high;
  high = (h << bits) | (low >>> (32 - bits));
  low = (low << bits) | (h >>> (32 - bits));
}

function xor(h: number, l: number): void {
  high ^= h;
  low ^= l;
}

/** Folds the upper bits in, shifted right by 1 to 63 bits. */
function xorShift(bits: number): void {
  if (bits >= 32) {
    low ^= high >>> (bits - 32);
    return;
  }
  low ^= (low >>> bits) | (high << (32 - bits));
  high ^= high >>> bits;
}

/**
 * Runs one of the four lanes of the hash over its eight bytes of every stripe. One lane at a time needs fewer values
 * than there are registers.
 */
function lane(view: DataView, start: number, end: number, h: number, l: number): void {
  for (let at = start; at < end; at += STRIPE) {
    const xl = view.getInt32(at, true);
    const xh = view.getInt32(at + 4, true);
    // h:l += x * PRIME2
    let a = xl & 0xffff;
    let b = xl >>> 16;
    let middle = (Math.imul(b, P2_LOW_END) + (Math.imul(a, P2_LOW_END) >>> 16)) | 0;
    let other = (Math.imul(a, P2_LOW_TOP) + (middle & 0xffff)) | 0;
    let carry = (Math.imul(b, P2_LOW_TOP) + (middle >>> 16) + (other >>> 16)) | 0;
    const product = Math.imul(xl, P2_LOW);
    const sum = (l + product) | 0;
    h = (h + carry + Math.imul(xh, P2_LOW) + Math.imul(xl, P2_HIGH) + (sum >>> 0 < product >>> 0 ? 1 : 0)) | 0;
    // rotated left by 31
    const rh = (h << 31) | (sum >>> 1);
    const rl = (sum << 31) | (h >>> 1);
    // times PRIME1
    a = rl & 0xffff;
    b = rl >>> 16;
    middle = (Math.imul(b, P1_LOW_END) + (Math.imul(a, P1_LOW_END) >>> 16)) | 0;
    other = (Math.imul(a, P1_LOW_TOP) + (middle & 0xffff)) | 0;
    carry = (Math.imul(b, P1_LOW_TOP) + (middle >>> 16) + (other >>> 16)) | 0;
    h = (carry + Math.imul(rh, P1_LOW) + Math.imul(rl, P1_HIGH)) | 0;
    l = Math.imul(rl, P1_LOW);
  }
  high = h;
  low = l;
}

/** One round over a number that stands alone, from zero. */
function roundOf(h: number, l: number): void {
  high = h;
  low = l;
  multiply(P2_HIGH, P2_LOW);
  rotateLeft(31);
  multiply(P1_HIGH, P1_LOW);
}

/**
 * XXH64 with seed 0 of `length` bytes from `start`; the result is in {@link sum64}. About 1 GB/s; allocates nothing.
 * The tests hold it to xxhash-wasm, which is several times as fast but cannot be loaded synchronously.
 */
export function xxh64(view: DataView, start: number, length: number): void {
  const end = start + length;
  let at = start;
  if (length >= STRIPE) {
    const stripesEnd = start + length - (length % STRIPE);
    // The accumulators start at P1 + P2, P2, 0 and -P1.
    high = P1_HIGH;
    low = P1_LOW;
    add(P2_HIGH, P2_LOW);
    lane(view, start, stripesEnd, high, low);
    const ah = high;
    const al = low;
    lane(view, start + 8, stripesEnd, P2_HIGH, P2_LOW);
    const bh = high;
    const bl = low;
    lane(view, start + 16, stripesEnd, 0, 0);
    const ch = high;
    const cl = low;
    lane(view, start + 24, stripesEnd, ~P1_HIGH, -P1_LOW);
    const dh = high;
    const dl = low;
    rotateLeft(18);
    let h = high;
    let l = low;
    for (const [bits, lh, ll] of [
      [12, ch, cl],
      [7, bh, bl],
      [1, ah, al],
    ] as const) {
      high = lh;
      low = ll;
      rotateLeft(bits);
      add(h, l);
      h = high;
      l = low;
    }
    for (const [lh, ll] of [
      [ah, al],
      [bh, bl],
      [ch, cl],
      [dh, dl],
    ] as const) {
      roundOf(lh, ll);
      xor(h, l);
      multiply(P1_HIGH, P1_LOW);
      add(P4_HIGH, P4_LOW);
      h = high;
      l = low;
    }
    at = stripesEnd;
  } else {
    high = P5_HIGH;
    low = P5_LOW;
  }
  add(0, length);
  for (; at + 8 <= end; at += 8) {
    const h = high;
    const l = low;
    roundOf(view.getInt32(at + 4, true), view.getInt32(at, true));
    xor(h, l);
    rotateLeft(27);
    multiply(P1_HIGH, P1_LOW);
    add(P4_HIGH, P4_LOW);
  }
  if (at + 4 <= end) {
    const h = high;
    const l = low;
    high = 0;
    low = view.getInt32(at, true);
    multiply(P1_HIGH, P1_LOW);
    xor(h, l);
    rotateLeft(23);
    multiply(P2_HIGH, P2_LOW);
    add(P3_HIGH, P3_LOW);
    at += 4;
  }
  for (; at < end; at++) {
    const h = high;
    const l = low;
    high = 0;
    low = view.getUint8(at);
    multiply(P5_HIGH, P5_LOW);
    xor(h, l);
    rotateLeft(11);
    multiply(P1_HIGH, P1_LOW);
  }
  // The final mixing.
  xorShift(33);
  multiply(P2_HIGH, P2_LOW);
  xorShift(29);
  multiply(P3_HIGH, P3_LOW);
  xorShift(32);
  sum64.high = high;
  sum64.low = low;
}
