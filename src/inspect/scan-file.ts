// Goes through all that a file holds, as bytes: the entries of a table, the elements of a list, the integers of a bit
// array. For tools that print or compare files; knows where keys and values lie, not what they stand for.

import { ByteBuffer, type ByteSlice } from '../base/bytes.js';
import { noKeys } from '../base/errors.js';
import type { HashHeader, KeylessHeader } from '../format/header.js';
import { bucketCount } from '../format/index-lines.js';
import { formOf, type KeylessForm } from '../format/keyless.js';
import { QuietPass } from '../mapping/quiet-pass.js';
import { type Dictionary, readDictionary } from '../storage/dictionary.js';
import { type ElementReader, elementReader } from '../storage/elements.js';
import { type KeylessSegment, type MappedKeylessSegment, mappedKeylessSegments } from '../storage/keyless-segment.js';
import { withFileAsync } from '../storage/open-file.js';
import { mappedSegments, Scan } from '../storage/scan.js';

/** One of several parts of about the same size, into which a file is cut by its order: part `index`, from 0, of `of`. */
export interface ScanPart {
  readonly index: number;
  readonly of: number;
}

/** Where a part of `count` things begins and ends. */
function cut(count: number, { index, of }: ScanPart): { from: number; end: number } {
  return { from: Math.floor((count * index) / of), end: Math.floor((count * (index + 1)) / of) };
}

/** The entries of a hash table, in the order of the file. */
export class EntryScan {
  readonly layout = 'hash';
  readonly header: HashHeader;
  /** Where the key and the value of the entry lie; the same objects at each step. The value of `enum` is its string. */
  readonly key: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };
  readonly value: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };
  readonly #scan: Scan;
  readonly #dictionary: Dictionary | undefined;

  /** @internal Use {@link scanFile}. */
  constructor(fd: number, header: HashHeader, path: string, check: 'none' | 'touch', part?: ScanPart) {
    this.header = header;
    const buckets = bucketCount(header);
    const run = part && cut(header.segments.length * buckets, part);
    const isWanted = (segment: number) => !run || (run.from < (segment + 1) * buckets && run.end > segment * buckets);
    const wanted = [...header.segments.keys()].filter(isWanted);
    const segments = mappedSegments(fd, header, path, check, QuietPass.over(fd), wanted);
    this.#scan = new Scan(header, segments, 'records', run);
    this.#dictionary = readDictionary(fd, header, path, check);
  }

  /**
   * Moves to the next entry; `false` at the end.
   * @throws {HmapError} `HMAP_DAMAGED` at a record that does not fit
   */
  step(): boolean {
    if (!this.#scan.step()) return false;
    const { key, value } = this;
    const { cursor, segment } = this.#scan;
    key.buffer = segment.heap;
    key.at = cursor.key;
    key.length = cursor.keyBytes;
    if (this.#dictionary !== undefined) {
      const { at, length } = this.#dictionary.placeAt(segment.heap, cursor.value);
      value.buffer = this.#dictionary.bytes;
      value.at = at;
      value.length = length;
    } else {
      value.buffer = segment.heap;
      value.at = cursor.value;
      value.length = cursor.valueBytes;
    }
    return true;
  }

  /** Ends a scan before its end. */
  end(): void {
    this.#scan.end();
  }
}

/** The elements of a list, or the integers of a bit array, in order. */
export class ElementScan {
  readonly layout: 'list' | 'bits';
  readonly header: KeylessHeader;
  /** The index of the element, or the integer. */
  index = 0;
  /** The element of a list of numbers. */
  number = 0;
  /** Where an element of its own length lies; the same object at each step. */
  readonly bytes: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };
  readonly #kind: KeylessForm['kind'];
  readonly #read: ElementReader;
  readonly #segments: Generator<MappedKeylessSegment, undefined, unknown>;
  #segment: KeylessSegment | undefined;
  #reach: MappedKeylessSegment['reach'] = () => {};
  #stride = 1;
  /** Index of the segment's first element, and of the current element in the segment. */
  #first = 0;
  #at = -1;
  /** The indexes, or integers, that are wanted; the end is exclusive. */
  readonly #run: { readonly from: number; readonly end: number } | undefined;

  /** @internal Use {@link scanFile}. */
  constructor(fd: number, header: KeylessHeader, path: string, check: 'none' | 'touch', part?: ScanPart) {
    const run = part && cut(header.layout === 'bits' ? header.length : header.entries, part);
    this.#run = run && { from: header.base + run.from, end: header.base + run.end };
    this.layout = header.layout;
    this.header = header;
    this.#kind = formOf(header).kind;
    this.#read = elementReader(header.valueType);
    this.#segments = mappedKeylessSegments(fd, header, path, check, QuietPass.over(fd));
    this.#enter();
  }

  /**
   * Moves to the next element; `false` at the end.
   * @throws {HmapError} `HMAP_DAMAGED` at an element that does not fit
   */
  step(): boolean {
    for (;;) {
      const segment = this.#segment;
      if (segment === undefined) return false;
      const at = ++this.#at;
      if (this.#first + at >= (this.#run?.end ?? Number.POSITIVE_INFINITY)) return false;
      if (at % this.#stride === 0 && at < segment.count) this.#reach(at, true);
      if (at >= segment.count) this.#enter();
      else if (this.#kind === 'bits' ? isOne(segment, at) : this.#take(segment, at)) {
        this.index = this.#first + at;
        return true;
      }
    }
  }

  /** Ends a scan before its end. */
  end(): void {
    this.#segments.return(undefined);
  }

  #enter(): void {
    const next = this.#segments.next();
    this.#segment = next.value?.segment;
    if (next.value !== undefined) ({ reach: this.#reach, stride: this.#stride } = next.value);
    this.#first = this.header.base + (next.value?.number ?? 0) * this.header.perSegment;
    const from = this.#run === undefined ? 0 : this.#run.from - this.#first;
    // A segment that ends before the part is left at once.
    this.#at = from > 0 ? Math.min(from, this.#segment?.count ?? 0) - 1 : -1;
  }

  #take(segment: KeylessSegment, at: number): true {
    if (segment.blocks.unchecked > 0) segment.checkElement(at);
    if (this.#kind === 'fixed') {
      this.number = this.#read(segment, at) as number;
      return true;
    }
    this.bytes.buffer = segment.heap;
    this.bytes.at = segment.elementStart(at);
    this.bytes.length = segment.index[at + 1]! - this.bytes.at;
    return true;
  }
}

function isOne({ words, blocks, dataStart }: KeylessSegment, at: number): boolean {
  if (at % 32 === 0 && blocks.unchecked > 0) blocks.check(dataStart + at / 8, dataStart + at / 8 + 4);
  return ((words[at >>> 5]! >>> at) & 1) !== 0;
}

/**
 * Opens a file and hands a scan of it to `use`; the file is closed afterwards, whatever happens. What the scan gives is
 * valid until then.
 * @param check whether each block is compared with its checksum before it is used
 * @param part only this part of it
 * @throws {HmapError} as `open` does; `HMAP_FINGERPRINT` for a table that stores no keys
 */
export function scanFile<R>(
  path: string,
  check: 'header' | 'touch',
  use: (scan: EntryScan | ElementScan) => Promise<R>,
  part?: ScanPart,
): Promise<R> {
  const checked = check === 'touch' ? 'touch' : 'none';
  return withFileAsync(path, async ({ fd, header }) => {
    if (header.fingerprint !== null) throw noKeys(path, 'print its entries');
    const scan =
      header.layout === 'hash'
        ? new EntryScan(fd, header, path, checked, part)
        : new ElementScan(fd, header, path, checked, part);
    try {
      return await use(scan);
    } finally {
      scan.end();
    }
  });
}
