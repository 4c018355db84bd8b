// The fingerprints' part of a verification: their order in each bucket, and the long ones of those that several records
// share. Knows the rules of the format (native-notes/format.md, section 16); does not know files or checksums.

import { LONG_FINGERPRINT } from '../format/fingerprints.js';
import type { HashHeader } from '../format/header.js';
import type { HashSegment, RecordCursor } from '../storage/hash-segment.js';
import type { LongFingerprints } from '../storage/long-fingerprints.js';
import type { Findings } from './findings.js';
import { addRecord, type OrderCheck } from './record-order.js';

const { hash: HASH, size: SIZE } = LONG_FINGERPRINT;

/** A record that needs a long fingerprint: where it lies in the heap, in bytes, and in units of the index. */
interface Needing {
  readonly segment: HashSegment;
  readonly record: number;
  readonly next: number;
  readonly position: number;
}

/**
 * Compares the rows with the records that need one; both are in the same order. Of a row and a record that do not fit,
 * the next record that needs a row tells which one is wrong.
 */
export class FingerprintOrder implements OrderCheck {
  readonly #header: HashHeader;
  readonly #findings: Findings;
  readonly #hasValues: boolean;
  /** `undefined` if the rows cannot be read. */
  readonly #long: LongFingerprints | undefined;
  #segment!: HashSegment;
  /** The record before, in the same bucket; -1 if there is none. */
  #fingerprint = -1;
  #before: Needing | undefined;
  /** Whether the record before shares its fingerprint with the one before that. */
  #isShared = false;
  /** The row that is expected to belong to the next record that needs one. */
  #row = 0;
  /** The last record that needs a row, if the next row is not its own. */
  #doubtful: Needing | undefined;
  /** The row of the record before, if that shares the fingerprint and has one. */
  #lastRow = -1;

  constructor(header: HashHeader, findings: Findings, long: LongFingerprints | undefined) {
    this.#header = header;
    this.#findings = findings;
    this.#hasValues = header.valueType !== 'none';
    this.#long = long;
  }

  enter(segment: HashSegment): void {
    this.#segment = segment;
    this.#fingerprint = -1;
  }

  check(cursor: RecordCursor): void {
    const { bytes } = this.#segment.heap;
    const fingerprint = bytes.readUIntLE(cursor.key, cursor.keyBytes);
    const before = this.#fingerprint;
    if (fingerprint < before) {
      const what = 'is not in the order of fingerprints';
      addRecord(this.#findings, this.#header, this.#segment, cursor, 'HMAP_RECORD_ORDER', what);
    }
    this.#fingerprint = fingerprint;
    if (this.#hasValues) this.#checkLong(cursor, fingerprint === before);
  }

  #checkLong({ record, next }: RecordCursor, isShared: boolean): void {
    const segment = this.#segment;
    const needing = { segment, record, next, position: record / segment.unit };
    if (isShared) {
      if (!this.#isShared) this.#lastRow = this.#take(this.#before!);
      const row = this.#take(needing);
      if (row >= 0 && this.#lastRow >= 0) this.#checkOrder(row);
      this.#lastRow = row;
    }
    this.#before = needing;
    this.#isShared = isShared;
  }

  /** Finds the row of a record; returns its number, or -1 if it has none. */
  #take(needing: Needing): number {
    const long = this.#long;
    if (long === undefined) return -1;
    const doubtful = this.#doubtful;
    if (this.#belongs(this.#row, needing)) {
      if (doubtful !== undefined) this.#missing(doubtful);
      this.#doubtful = undefined;
      return this.#row++;
    }
    if (this.#belongs(this.#row + 1, needing)) {
      this.#bad(this.#row, 0, HASH, doubtful === undefined ? 'belongs to no record' : wrong(doubtful));
      this.#doubtful = undefined;
      this.#row += 2;
      return this.#row - 1;
    }
    if (doubtful !== undefined) this.#settle(doubtful);
    this.#doubtful = needing;
    return -1;
  }

  #belongs(row: number, { segment, position }: Needing): boolean {
    return row < this.#long!.count && this.#long!.compare(row, segment.number, position) === 0;
  }

  /** Takes the next row for that of a record to which it does not fit. */
  #settle(doubtful: Needing): void {
    if (this.#row < this.#long!.count) this.#bad(this.#row++, 0, HASH, wrong(doubtful));
    else this.#missing(doubtful);
  }

  #checkOrder(row: number): void {
    const long = this.#long!;
    const last = this.#lastRow;
    const order =
      (long.highAt(last) >>> 0) - (long.highAt(row) >>> 0) || (long.lowAt(last) >>> 0) - (long.lowAt(row) >>> 0);
    if (order >= 0) this.#bad(row, HASH, SIZE, 'is not above that of the record before it');
  }

  #missing({ segment, record, next }: Needing): void {
    const message = 'a record shares its fingerprint with another one of its bucket and has no long one';
    this.#findings.add('HMAP_FINGERPRINT', 'heap', segment.heapOffset + record, segment.heapOffset + next, message);
  }

  /** Reports the bytes `[from, to)` of a row. */
  #bad(row: number, from: number, to: number, what: string): void {
    const at = this.#long!.offset + SIZE * row;
    this.#findings.add('HMAP_FINGERPRINT', 'fingerprints', at + from, at + to, `long fingerprint ${row} ${what}`);
  }

  /** Reports what is left, once all records of the file have been checked. */
  finish(): void {
    const long = this.#long;
    if (long === undefined) return;
    if (this.#doubtful !== undefined) this.#settle(this.#doubtful);
    if (this.#row === long.count) return;
    const message = `the records need ${this.#row} long fingerprints, the file has ${long.count}`;
    const from = long.offset + SIZE * this.#row;
    this.#findings.add('HMAP_FINGERPRINT', 'fingerprints', from, long.offset + SIZE * long.count, message);
  }
}

function wrong({ segment, position }: Needing): string {
  return `should be that of the record at ${position} of segment ${segment.number}`;
}
