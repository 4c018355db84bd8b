// One segment of a list or a bit array, mapped. Knows where its parts lie and which blocks of it have been checked;
// does not know what its elements mean.

import { ByteBuffer } from '../base/bytes.js';
import { damage, type HmapError } from '../base/errors.js';
import type { SharedMemory } from '../base/webassembly.js';
import type { KeylessHeader, SegmentPlace } from '../format/header.js';
import { countIn, dataStart, formOf, type KeylessForm, RUN_WORDS } from '../format/keyless.js';
import { mapForPass } from '../mapping/map-ranges.js';
import type { Advice } from '../mapping/mapping.js';
import { PassWindow } from '../mapping/pass-window.js';
import { passAccess, type QuietPass } from '../mapping/quiet-pass.js';
import { type BlockChecker, CheckedBlocks, checkerFor } from './block-check.js';

export class KeylessSegment {
  /** All bytes of the segment. */
  readonly buffer: ByteBuffer;
  readonly view: DataView;
  /**
   * Offsets of a list's elements, or counts of a bit array; signed, so that a damaged one above 2^31 shows as negative.
   */
  readonly index: Int32Array;
  /** The words of a bit array. */
  readonly words: Int32Array;
  /** The heap of elements of different lengths. */
  readonly heap: ByteBuffer;
  /** Elements in the segment. */
  readonly count: number;
  /** The number in the segment table: `count`, or for a bit array the number of ones. */
  readonly entries: number;
  /** Offset of the segment in the file, and of its elements in the segment. */
  readonly offset: number;
  readonly dataStart: number;
  readonly blocks: CheckedBlocks;
  /** The memory in which it lies, if there is one. */
  readonly memory: SharedMemory | undefined;
  readonly #path: string;
  readonly #form: KeylessForm;

  /** @param bytes the segment's bytes, perhaps with trailing bytes */
  constructor(
    bytes: Uint8Array,
    header: KeylessHeader,
    number: number,
    path: string,
    checker: BlockChecker | undefined,
    memory?: SharedMemory,
  ) {
    const form = formOf(header);
    this.#form = form;
    const place = header.segments[number]!;
    this.buffer = new ByteBuffer(bytes.subarray(0, place.bytes));
    this.view = this.buffer.view;
    this.count = countIn(number, header.perSegment, header.length);
    this.entries = place.entries;
    this.offset = place.offset;
    this.dataStart = dataStart(form, this.count);
    const words = (start: number, end: number) =>
      new Int32Array(bytes.buffer, bytes.byteOffset + start, Math.floor((end - start) / 4));
    this.index = words(0, this.dataStart);
    this.words = form.kind === 'bits' ? words(this.dataStart, place.bytes) : new Int32Array(0);
    this.heap = new ByteBuffer(this.buffer.bytes.subarray(this.dataStart));
    this.blocks = new CheckedBlocks(header, place, checker);
    this.memory = memory;
    this.#path = path;
  }

  /**
   * Where a variable-length element starts in {@link heap}; it ends where the next one starts, at `index[at + 1]`.
   * @throws {HmapError} `HMAP_DAMAGED` if its two offsets are wrong
   */
  elementStart(at: number): number {
    const start = this.index[at]!;
    const end = this.index[at + 1]!;
    if (start < 0 || end < start || end > this.heap.size) {
      throw this.damaged(`the offsets of element ${at} of a segment do not fit`, 4 * at);
    }
    return start;
  }

  /**
   * Checks the blocks in which an element lies that have not been checked.
   * @throws {HmapError} `HMAP_DAMAGED`
   */
  checkElement(at: number): void {
    const { bits } = this.#form;
    if (bits > 0) {
      const first = at * bits;
      this.blocks.check(Math.floor(first / 8), Math.ceil((first + bits) / 8));
      return;
    }
    this.blocks.check(4 * at, 4 * at + 8);
    const start = this.elementStart(at);
    this.blocks.check(this.dataStart + start, this.dataStart + this.index[at + 1]!);
  }

  /** Error for bytes that break a rule of the format; `at` is an offset in the segment. */
  damaged(what: string, at: number): HmapError {
    const offset = this.offset + at;
    return damage(this.#path, `${what} at byte ${offset}`, { offset });
  }
}

/** A segment to scan. */
export interface MappedKeylessSegment {
  readonly segment: KeylessSegment;
  readonly place: SegmentPlace;
  readonly number: number;
  /**
   * To be told, of each element whose index is a multiple of {@link stride}, that the scan has come to it.
   * @param reads whether it reads elements, not only where they lie
   */
  readonly reach: (element: number, reads: boolean) => void;
  readonly stride: number;
}

/** Elements between two words of how far a scan has come: at most so many, and of about so many bytes. */
const STRIDE = 2 ** 16;
const STRIDE_BYTES = 2 ** 20;

/**
 * The segments of an open file, mapped one at a time, so that a copy never holds more than one.
 * @param check whether blocks can be checked before they are used
 * @param quiet without it, what was read stays in the system's cache
 * @param wanted which segments
 */
export function* mappedKeylessSegments(
  fd: number,
  header: KeylessHeader,
  path: string,
  check: 'none' | 'touch',
  quiet: QuietPass | undefined,
  wanted: (place: SegmentPlace) => boolean = () => true,
): Generator<MappedKeylessSegment, undefined, unknown> {
  const checker = checkerFor(fd, header, path, check);
  const form = formOf(header);
  for (const [number, place] of header.segments.entries()) {
    if (!wanted(place)) continue;
    const mapping = mapForPass(fd, { offset: place.offset, length: place.bytes }, path, passAccess(quiet));
    const segment = new KeylessSegment(mapping.view(0), header, number, path, checker);
    const windowOf = (from: number, end: number) => {
      const advise = (advice: Advice, start: number, length: number) => mapping.advise(advice, 0, from + start, length);
      return new PassWindow(place.offset + from, end - from, advise, quiet);
    };
    const index = windowOf(0, segment.dataStart);
    const data = windowOf(segment.dataStart, place.bytes);
    try {
      yield {
        segment,
        stride: Math.max(1, Math.min(STRIDE, Math.floor(STRIDE_BYTES / (place.bytes / segment.count)))),
        place,
        number,
        reach(element, reads) {
          index.reach(indexBefore(form, element));
          if (reads) data.reach(dataBefore(form, element, segment));
        },
      };
    } finally {
      mapping.close();
      index.end();
      data.end();
    }
  }
}

/** Bytes of a segment's index, and of its elements, before an element. */
function indexBefore({ kind }: KeylessForm, element: number): number {
  if (kind === 'fixed') return 0;
  return 4 * (kind === 'offsets' ? element : Math.floor(element / (32 * RUN_WORDS)));
}

function dataBefore({ kind, bits }: KeylessForm, element: number, { index }: KeylessSegment): number {
  return kind === 'offsets' ? index[element]! : Math.floor((element * (kind === 'bits' ? 1 : bits)) / 8);
}
