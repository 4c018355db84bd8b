// Makes damaged files of whole ones: bytes changed, files cut and grown, parts of several files put together. Knows
// where the parts of a file lie; leaves checksums as they are.

import type { Random } from '../support/random.js';
import { anySample, BLOCK, PAGE, type Part, type Sample } from './fuzz-samples.js';

/** A file to try. */
export interface Input {
  bytes: Buffer;
  /** The file whose header it has, or had. */
  of: Sample;
  /** What was done, for a person who has to look into it. */
  what: string;
}

export type MakeInput = (samples: readonly Sample[], random: Random) => Input;

const BYTES = [0, 1, 0x7f, 0x80, 0x81, 0xfe, 0xff];
const WORDS = [0, 1, 0x7f, 0x80, 0xff, PAGE, 2 ** 16 - 1, 2 ** 16, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** A part of the file, each kind as likely as the next, however long it is. */
export function aim(sample: Sample, random: Random, names?: readonly Part['name'][]): Part {
  const parts = sample.parts.filter(({ name }) => names === undefined || names.includes(name));
  const name = random.pick([...new Set(parts.map((part) => part.name))]);
  return random.pick(parts.filter((part) => part.name === name));
}

/** An offset within `[start, end)`, often near one of its ends. */
function place(start: number, end: number, random: Random): number {
  const length = end - start;
  if (random.below(4) > 0 || length < 2) return start + random.below(length);
  const near = random.below(Math.min(16, length));
  return random.below(2) === 0 ? start + near : end - 1 - near;
}

/** Changes the bytes in one place of `[start, end)`; says how. */
export function mutate(bytes: Buffer, start: number, end: number, random: Random): string {
  const at = place(start, end, random);
  const word = Math.max(0, Math.min(start + ((at - start) & ~3), bytes.length - 4));
  const old = bytes.readUInt32LE(word);
  switch (random.below(9)) {
    case 0:
    case 1: {
      const bit = random.below(8);
      bytes[at]! ^= 1 << bit;
      return `bit ${bit} of byte ${at}`;
    }
    case 2:
      bytes[at] = random.below(256);
      return `byte ${at}`;
    case 3:
      bytes[at] = random.pick(BYTES);
      return `byte ${at} is ${bytes[at]}`;
    case 4:
    case 5: {
      const value = random.pick([...WORDS, old + 1, old - 1, old + random.below(300), -old, random.u32()]) >>> 0;
      bytes.writeUInt32LE(value, word);
      return `u32 at ${word} is ${value}`;
    }
    case 6: {
      const to = Math.min(bytes.length, at + random.between(1, 200));
      bytes.fill(random.pick(BYTES), at, to);
      return `bytes ${at} to ${to} are ${bytes[at]}`;
    }
    case 7: {
      const run = random.bytes(random.between(2, 60)).subarray(0, bytes.length - at);
      bytes.set(run, at);
      return `${run.length} bytes at ${at}`;
    }
    default: {
      const from = random.below(bytes.length);
      const length = Math.min(random.between(1, 100), bytes.length - from, bytes.length - at);
      bytes.copyWithin(at, from, from + length);
      return `${length} bytes of ${from} at ${at}`;
    }
  }
}

/** Bytes, bits, runs and integers changed: one, or up to a few dozen of them. */
export const mutated: MakeInput = (samples, random) => {
  const of = anySample(samples, random);
  const bytes = Buffer.from(of.bytes);
  const what: string[] = [];
  const count = random.pick([1, 1, 1, 2, 3, 5, 40]);
  // The header has a checksum of its own: one input in eight is enough to be refused by it.
  const body = random.below(8) > 0;
  const names: Part['name'][] = body
    ? ['lines', 'index', 'padding', 'key heap', 'elements', 'checksums']
    : ['header', 'segment table', 'metadata', 'schema'];
  const { headerSize, checksumsSize } = of.header;
  for (let i = 0; i < count; i++) {
    if (body && checksumsSize > 8 && random.below(4) === 0) {
      // What lies in two blocks is read when one of them may have been checked.
      const border = headerSize + BLOCK * random.between(1, checksumsSize / 8 - 1);
      what.push(mutate(bytes, border - 2, border + 3, random));
      continue;
    }
    const part = body && random.below(6) === 0 ? { start: PAGE, end: bytes.length } : aim(of, random, names);
    const inBody = body && part.start < headerSize;
    what.push(mutate(bytes, inBody ? headerSize : part.start, inBody ? bytes.length : part.end, random));
  }
  return { bytes, of, what: what.join(', ') };
};

/** A length at which to cut: anywhere, or at the ends of parts, pages and blocks, give or take a byte. */
function cutAt(of: Sample, random: Random): number {
  const { length } = of.bytes;
  const part = random.pick(of.parts);
  const choices = [
    random.below(length + 1),
    random.below(Math.min(length, 200)),
    part.start,
    part.end,
    PAGE * random.below(Math.ceil(length / PAGE)),
    of.header.headerSize + BLOCK * random.below(Math.ceil(length / BLOCK)),
  ];
  return Math.min(length, Math.max(0, random.pick(choices) + random.pick([0, 0, 0, -1, 1])));
}

/** Bytes to put where others are missing. */
function filling(length: number, of: Sample, random: Random): Buffer {
  switch (random.below(4)) {
    case 0:
      return Buffer.alloc(length);
    case 1:
      return Buffer.alloc(length, Buffer.from(random.bytes(64)));
    case 2:
      return Buffer.alloc(length, of.bytes);
    default:
      return Buffer.alloc(length, random.pick(BYTES));
  }
}

/**
 * Cut short and grown. Whatever has another length is refused when it is opened, so that one half gets back the length
 * that the header says: as a copy that stopped, to a file that had its room already.
 */
export const truncated: MakeInput = (samples, random) => {
  const of = anySample(samples, random);
  const whole = of.bytes;
  const { length } = whole;
  const at = cutAt(of, random);
  const few = random.pick([1, 2, 4, 8, 100, PAGE]);
  switch (random.below(8)) {
    case 0:
    case 1:
      return { bytes: Buffer.from(whole.subarray(0, at)), of, what: `cut at ${at}` };
    case 2: {
      const more = filling(random.pick([few, length, BLOCK]), of, random);
      return { bytes: Buffer.concat([whole, more]), of, what: `${more.length} bytes after the end` };
    }
    case 3: {
      // Bytes lost, and what follows moved up.
      const bytes = Buffer.concat([whole.subarray(0, at), whole.subarray(at + few), filling(few, of, random)]);
      return { bytes: bytes.subarray(0, length), of, what: `${few} bytes lost at ${at}` };
    }
    case 4: {
      const bytes = Buffer.concat([whole.subarray(0, at), filling(few, of, random), whole.subarray(at)]);
      return { bytes: bytes.subarray(0, length), of, what: `${few} bytes put in at ${at}` };
    }
    case 5: {
      // A transfer in text mode, of what is after the header.
      const { headerSize } = of.header;
      const text = whole.subarray(headerSize).toString('latin1');
      const turned = random.below(2) === 0 ? text.replaceAll('\n', '\r\n') : text.replaceAll('\r\n', '\n');
      const bytes = Buffer.alloc(length);
      whole.copy(bytes, 0, 0, headerSize);
      bytes.write(turned, headerSize, 'latin1');
      return { bytes, of, what: 'line ends turned after the header' };
    }
    default: {
      const bytes = Buffer.concat([whole.subarray(0, at), filling(length - at, of, random)]);
      return { bytes, of, what: `cut at ${at} and filled` };
    }
  }
};

/** Exchanges two ranges of one length, or copies the first over the second. */
function exchange(bytes: Buffer, a: number, b: number, length: number, copy: boolean): void {
  const first = Buffer.from(bytes.subarray(a, a + length));
  if (!copy) bytes.copyWithin(a, b, b + length);
  first.copy(bytes, b);
}

/** Gives a file the length that a header says. */
function fitted(bytes: Buffer, length: number): Buffer {
  return bytes.length >= length
    ? bytes.subarray(0, length)
    : Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]);
}

/** Parts of whole files in one: of two files, or moved within one. */
export const spliced: MakeInput = (samples, random) => {
  const of = anySample(samples, random);
  const alike = samples.filter((other) => other !== of && other.bytes.length === of.bytes.length);
  const other = alike.length > 0 && random.below(5) > 0 ? random.pick(alike) : random.pick(samples);
  const { length } = of.bytes;
  const { headerSize, checksumsOffset, segments } = of.header;
  const theirs = fitted(Buffer.from(other.bytes), length);
  const bytes = Buffer.from(of.bytes);
  const take = (from: number, to: number) => theirs.copy(bytes, from, from, Math.min(to, length));
  switch (random.below(8)) {
    case 0:
      take(headerSize, length);
      return { bytes, of, what: `the body and the checksums of ${other.name}` };
    case 1:
      take(headerSize, checksumsOffset);
      return { bytes, of, what: `the body of ${other.name}` };
    case 2:
      take(checksumsOffset, length);
      return { bytes, of, what: `the checksums of ${other.name}` };
    case 3: {
      const at = Math.max(headerSize, cutAt(of, random));
      take(at, length);
      return { bytes, of, what: `the tail of ${other.name} from ${at}` };
    }
    case 4: {
      const page = headerSize + PAGE * random.below(Math.max(1, Math.floor((length - headerSize) / PAGE)));
      const to = page + PAGE * random.between(1, 4);
      take(page, to);
      return { bytes, of, what: `bytes ${page} to ${to} of ${other.name}` };
    }
    case 5:
    case 6: {
      const unit = random.pick(length - headerSize > 2 * BLOCK ? [BLOCK, PAGE] : [PAGE]);
      const count = Math.max(1, Math.floor((checksumsOffset - headerSize) / unit));
      const [a, b] = [random.below(count), random.below(count)];
      const copy = random.below(2) === 0;
      exchange(bytes, headerSize + a * unit, headerSize + b * unit, Math.min(unit, checksumsOffset - headerSize), copy);
      // And so that the blocks themselves fit their checksums.
      const sums = unit === BLOCK && random.below(2) === 0;
      if (sums) exchange(bytes, checksumsOffset + 8 * a, checksumsOffset + 8 * b, 8, copy);
      return { bytes, of, what: `${unit} bytes number ${a} and ${b}${sums ? ', with their checksums' : ''}` };
    }
    default: {
      const [a, b] = [random.pick(segments), random.pick(segments)];
      exchange(bytes, a.offset, b.offset, Math.min(a.size, b.size), random.below(2) === 0);
      return { bytes, of, what: `segments at ${a.offset} and ${b.offset}` };
    }
  }
};
