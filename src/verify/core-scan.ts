// The part of a check of segments that the core does: groups of buckets that are right. Knows how the core is asked,
// and what it has counted; does not know what to do about a group that is not right.

import { type Core, coreIn, whyNoCore } from '../core/core.js';
import * as place from '../core/places.js';
import { FULL_OFFSET_BITS, GROUP_BUCKETS } from '../format/constants.js';
import type { HashHeader } from '../format/header.js';
import { describeSegment, describeTable } from '../storage/core-table.js';
import type { HashSegment } from '../storage/hash-segment.js';

/** What groups add to the sums over all records. */
export interface GroupTotals {
  readonly entries: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Of keys and of values, the least and the most bytes; without meaning if there are no entries. */
  readonly keys: readonly [least: number, most: number];
  readonly values: readonly [least: number, most: number];
  /** Of values whose largest counts. */
  readonly largestValue: number;
  /** Units of the largest group. */
  readonly largestGroup: number;
}

/** How the core checks values, by their type; those of other types JavaScript checks. */
const CHECKS = new Map<string, number>([
  ...['none', 'bytes', 'u8', 'i8', 'u16', 'i16', 'u24', 'u32', 'i32', 'u40', 'u48', 'u64', 'i64'].map(
    (type) => [type, place.ANY_VALUE] as const,
  ),
  ['f32', place.F32_VALUE],
  ['f64', place.F64_VALUE],
  ['utf8', place.UTF8_VALUE],
]);

const U32_MAX = 0xffff_ffff;

/** The groups of one segment. */
export class CoreScan {
  readonly #core: Core;
  readonly #segment: number;
  readonly #groups: number;
  readonly #view: DataView;

  /** `undefined` if the core cannot check the segment, or does not work here. */
  static of(header: HashHeader, segment: HashSegment): CoreScan | undefined {
    const check = header.narrowed ? place.LARGEST_VALUE : CHECKS.get(header.valueType);
    if (check === undefined || header.fingerprint !== null || segment.offsetBits === FULL_OFFSET_BITS) return undefined;
    if (segment.memory === undefined || whyNoCore() !== undefined) return undefined;
    const core = coreIn(segment.memory);
    if (core === undefined) return undefined;
    describeTable(core, header);
    describeSegment(core, segment);
    core.words[(place.TABLE + place.VALUE_CHECK) / 4] = check;
    return new CoreScan(core, segment);
  }

  private constructor(core: Core, { number, buckets }: HashSegment) {
    this.#core = core;
    this.#segment = number;
    this.#groups = buckets / GROUP_BUCKETS;
    this.#view = new DataView(core.bytes.buffer, 0, core.bytes.length);
  }

  /**
   * Checks the groups from `group` on, until one is not right, or enough has been done for one turn.
   * @param expected where `group` must start in the heap, in units; {@link next} has it for the group after the last
   * @param most groups
   * @param mostBytes of records, about
   * @returns the first group that has not been checked
   */
  run(group: number, expected: number, most: number, mostBytes: number): number {
    const view = this.#view;
    const end = Math.min(group + most, this.#groups);
    for (const at of [place.MOST_IN_GROUP, place.MOST_KEY, place.MOST_VALUE]) view.setUint32(at, 0, true);
    for (const at of [place.LEAST_KEY, place.LEAST_VALUE]) view.setUint32(at, U32_MAX, true);
    for (const at of [place.RECORDS, place.LARGEST, place.KEY_BYTES, place.ALL_VALUE_BYTES])
      view.setBigUint64(at, 0n, true);
    view.setUint32(place.EXPECTED, expected, true);
    return this.#core.run.scan(this.#segment, group, end, this.#groups, mostBytes);
  }

  /** Where the group after the last one that was checked must start, in units. */
  get next(): number {
    return this.#view.getUint32(place.EXPECTED, true);
  }

  /** What the groups of the last {@link run} add. */
  get totals(): GroupTotals {
    const view = this.#view;
    const u32 = (at: number) => view.getUint32(at, true);
    const u64 = (at: number) => Number(view.getBigUint64(at, true));
    return {
      entries: u64(place.RECORDS),
      keyBytes: u64(place.KEY_BYTES),
      valueBytes: u64(place.ALL_VALUE_BYTES),
      keys: [u32(place.LEAST_KEY), u32(place.MOST_KEY)],
      values: [u32(place.LEAST_VALUE), u32(place.MOST_VALUE)],
      largestValue: u64(place.LARGEST),
      largestGroup: u32(place.MOST_IN_GROUP),
    };
  }
}
