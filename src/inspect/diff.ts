// What is different between two files: entries that only one of them has, and keys with different values. Knows two ways:
// side by side, where the order of both is the same, and by looking up what one has in the other. Prints nothing.

import { ByteBuffer, type ByteSlice } from '../base/bytes.js';
import { noKeys } from '../base/errors.js';
import { Pacer } from '../base/pacer.js';
import type { HashHeader, Header } from '../format/header.js';
import { readDictionary } from '../storage/dictionary.js';
import { type OpenFile, withFileAsync } from '../storage/open-file.js';
import { OrderedRecords } from '../storage/ordered-records.js';
import { type Place, Side } from './diff-side.js';
import { isNumeric, NumberSlice, type SameValue, sameValue } from './same-value.js';
import { type ElementScan, scanFile } from './scan-file.js';

/** A key and where its value lies in each of two files; `undefined` where it has none. Valid until the next one. */
export interface Difference {
  readonly kind: 'removed' | 'added' | 'changed';
  /** Of a hash table: in the type of the file that has the key, of the first if both have it. */
  readonly key: ByteSlice;
  /** Of a list or a bit array. */
  readonly index: number;
  readonly before: ByteSlice | undefined;
  readonly after: ByteSlice | undefined;
}

export interface DiffCounts {
  removed: number;
  added: number;
  changed: number;
  /** Entries that both files have, with the same value. */
  same: number;
}

export interface DiffOptions {
  readonly check: 'header' | 'touch';
  readonly onProgress?: (done: number, total: number) => void;
}

/** Told of each difference; may ask for time. */
export type OnDifference = (difference: Difference) => Promise<void> | undefined;

const NO_KEY: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };
/** Steps between two turns of other work. */
const STRIDE = 4096;

/**
 * Reports each difference, in the order of the files if they have one order, otherwise first what the first one has, in
 * its order, then what only the second has.
 * @throws {HmapError} as `open` does; `HMAP_FINGERPRINT` for tables that store no keys, unless the files are the same;
 *   `HMAP_DAMAGED`
 */
export function diffFiles(a: string, b: string, options: DiffOptions, report: OnDifference): Promise<DiffCounts> {
  return withFileAsync(a, (first) =>
    withFileAsync(b, (second) => {
      const [x, y] = [first.header, second.header];
      if (x.fingerprint !== null || y.fingerprint !== null) return Promise.resolve(diffFingerprints(first, second));
      // A file whose blocks are not checked may be in no order.
      const areChecked = options.check === 'touch';
      if (areChecked && x.layout === 'hash' && y.layout === 'hash' && haveOneOrder(x, y)) {
        return diffOrdered({ ...first, header: x }, { ...second, header: y }, options, report);
      }
      if (x.layout !== 'hash' && x.layout === y.layout) return diffElements(a, b, options, report);
      return diffByLookup(first, second, options, report);
    }),
  );
}

function haveOneOrder(a: HashHeader, b: HashHeader): boolean {
  return a.keyType === b.keyType && a.hash.seed === b.hash.seed;
}

/** Without keys, files can only be the same as a whole. */
function diffFingerprints(a: OpenFile, b: OpenFile): DiffCounts {
  const [x, y] = [a.header, b.header];
  const isSame =
    x.checksums.sum === y.checksums.sum &&
    x.fileBytes === y.fileBytes &&
    x.entries === y.entries &&
    x.layout === y.layout;
  if (!isSame || x.fingerprint === null) throw noKeys(x.fingerprint === null ? b.path : a.path, 'compare it');
  return { removed: 0, added: 0, changed: 0, same: x.entries };
}

/** Gives turns, and reports how many of the bytes of both files are done. */
function pacerOf(a: Header, b: Header, { onProgress }: DiffOptions): Pacer {
  const total = a.fileBytes + b.fileBytes;
  return new Pacer(undefined, (done) => onProgress?.(done, total));
}

type OpenTable = OpenFile & { header: HashHeader };

/** A pass over both tables, whose records come in one order; each block is checked. */
async function diffOrdered(
  a: OpenTable,
  b: OpenTable,
  options: DiffOptions,
  report: OnDifference,
): Promise<DiffCounts> {
  const [first, second] = [new OrderedValues(a), new OrderedValues(b)];
  const isSame = sameValue(a.header, b.header);
  const pacer = pacerOf(a.header, b.header, options);
  const [x, y] = [first.records, second.records];
  try {
    return await sideBySide(first, second, isSame, report, () => pacer.pause(x.position + y.position));
  } finally {
    x.end();
    y.end();
  }
}

/** The entries of a file, in an order that another file has as well. */
interface Ordered<T> {
  readonly isDone: boolean;
  /** Of a list or a bit array. */
  readonly index: number;
  step(): void;
  /** Orders the current entry and that of the other file, neither of which is done. */
  compare(other: T): number;
  key(): ByteSlice;
  value(): ByteSlice;
}

async function sideBySide<T extends Ordered<T>>(
  first: T,
  second: T,
  isSame: SameValue,
  report: OnDifference,
  pause: (steps: number) => Promise<void> | undefined,
): Promise<DiffCounts> {
  const counts: DiffCounts = { removed: 0, added: 0, changed: 0, same: 0 };
  first.step();
  second.step();
  for (let steps = 1; !(first.isDone && second.isDone); steps++) {
    if (steps % STRIDE === 0) await pause(steps);
    const order = first.isDone ? 1 : second.isDone ? -1 : first.compare(second);
    const before = order <= 0 ? first.value() : undefined;
    const after = order >= 0 ? second.value() : undefined;
    const own = order <= 0 ? first : second;
    const told = tell(counts, own.key(), own.index, before, after, isSame, report);
    if (told !== undefined) await told;
    if (order <= 0) first.step();
    if (order >= 0) second.step();
  }
  return counts;
}

/** Counts what an entry of either file, or of both, is, and reports a difference. */
function tell(
  counts: DiffCounts,
  key: ByteSlice,
  index: number,
  before: ByteSlice | undefined,
  after: ByteSlice | undefined,
  isSame: SameValue,
  report: OnDifference,
): Promise<void> | undefined {
  const kind =
    before === undefined ? 'added' : after === undefined ? 'removed' : isSame(before, after) ? 'same' : 'changed';
  counts[kind]++;
  return kind === 'same' ? undefined : report({ kind, key, index, before, after });
}

/** Records, with the strings of `enum` in place of their indexes. */
class OrderedValues implements Ordered<OrderedValues> {
  readonly index = 0;
  readonly records: OrderedRecords;
  readonly #key: ByteSlice = { ...NO_KEY };
  readonly #value: ByteSlice = { ...NO_KEY };
  readonly #dictionary: ReturnType<typeof readDictionary>;

  constructor({ fd, header, path }: OpenTable) {
    this.records = new OrderedRecords(fd, header, path, 'touch');
    this.#dictionary = readDictionary(fd, header, path, 'touch');
  }

  get isDone(): boolean {
    return this.records.isDone;
  }

  step(): void {
    this.records.step();
  }

  compare({ records }: OrderedValues): number {
    return this.records.compare(records);
  }

  key(): ByteSlice {
    const { segment, cursor } = this.records;
    return placed(this.#key, segment.heap, cursor.key, cursor.keyBytes);
  }

  value(): ByteSlice {
    const { segment, cursor } = this.records;
    const dictionary = this.#dictionary;
    if (dictionary === undefined) return placed(this.#value, segment.heap, cursor.value, cursor.valueBytes);
    const { at, length } = dictionary.placeAt(segment.heap, cursor.value);
    return placed(this.#value, dictionary.bytes, at, length);
  }
}

function placed(slice: ByteSlice, buffer: ByteBuffer, at: number, length: number): ByteSlice {
  slice.buffer = buffer;
  slice.at = at;
  slice.length = length;
  return slice;
}

/** A pass over two lists, or two bit arrays. */
function diffElements(a: string, b: string, options: DiffOptions, report: OnDifference): Promise<DiffCounts> {
  return scanFile(a, options.check, (x) =>
    scanFile(b, options.check, async (y) => {
      const [first, second] = [new Elements(x as ElementScan), new Elements(y as ElementScan)];
      const isSame = sameValue(x.header, y.header);
      const all = x.header.entries + y.header.entries;
      const pacer = new Pacer(undefined, (done) => options.onProgress?.(done, all));
      return sideBySide(first, second, isSame, report, (steps) => pacer.pause(steps));
    }),
  );
}

/** Elements by index, with numbers as values like others. */
class Elements implements Ordered<Elements> {
  /** Infinite when there are no more. */
  index = Number.NEGATIVE_INFINITY;
  readonly #scan: ElementScan;
  readonly #isNumeric: boolean;
  readonly #number = new NumberSlice();

  constructor(scan: ElementScan) {
    this.#scan = scan;
    this.#isNumeric = isNumeric(scan.header);
  }

  get isDone(): boolean {
    return this.index === Number.POSITIVE_INFINITY;
  }

  step(): void {
    this.index = this.#scan.step() ? this.#scan.index : Number.POSITIVE_INFINITY;
  }

  compare({ index }: Elements): number {
    return this.index - index;
  }

  key(): ByteSlice {
    return NO_KEY;
  }

  value(): ByteSlice {
    return this.#isNumeric ? this.#number.set(this.#scan.number) : this.#scan.bytes;
  }
}

/** Looks up what each file has in the other one. */
async function diffByLookup(a: OpenFile, b: OpenFile, options: DiffOptions, report: OnDifference): Promise<DiffCounts> {
  const areAlike = a.header.layout === 'hash' && b.header.layout === 'hash' && a.header.keyType === b.header.keyType;
  const [first, second] = [new Side(a, options.check, areAlike), new Side(b, options.check, areAlike)];
  const isSame = sameValue(a.header, b.header);
  const counts: DiffCounts = { removed: 0, added: 0, changed: 0, same: 0 };
  const total = a.header.entries + b.header.entries;
  const pacer = new Pacer(undefined, (done) => options.onProgress?.(done, total));
  let steps = 0;
  const turn = async () => {
    if (++steps % STRIDE === 0) await pacer.pause(steps);
  };
  try {
    await first.each(options.check, async (place: Place) => {
      await tell(counts, place.key, place.index, place.value, second.find(place), isSame, report);
      await turn();
    });
    await second.each(options.check, async (place: Place) => {
      if (first.find(place) === undefined)
        await tell(counts, place.key, place.index, undefined, place.value, isSame, report);
      await turn();
    });
    return counts;
  } finally {
    first.close();
    second.close();
  }
}
