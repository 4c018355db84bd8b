// Takes lines of text in as staged records: cuts them, reads the number in each, hashes the key, and appends the record
// to its partition (src/build/hash); and entries whose keys and values lie side by side. Knows the lines that most
// inputs have; before any other one it stops.

import * as place from '../stage-places';
import { copySteps, STEP } from './bytes';
import { MOST_KEY, varintBytes } from './records';
import { isUtf8 } from './values';
import { xxh32, xxh32Of4, xxh32Of8 } from './xxh32';

const TAB: u8 = 0x09;
const LF: u8 = 0x0a;
const CR: u8 = 0x0d;
const ZERO: u32 = 0x30;
/** Digits of the largest number, and the most that has room for one more. */
const MOST_DIGITS: u32 = 20;
const TENTH: u64 = u64.MAX_VALUE / 10;

/**
 * Takes the lines of `[at, end)`, and returns where the first one starts that it does not take: one that is not whole,
 * that is not a key, a tab and a value of the type, or whose record has no room in the chunk of its partition.
 * @param state of the thread; there are {@link STEP} bytes after `end` that may be read
 */
export function takeLines(state: usize, at: usize, end: usize): usize {
  const tabs = i8x16.splat(TAB);
  const ends = i8x16.splat(LF);
  const hasValues = load<u32>(state, place.VALUE_KIND) !== place.NO_VALUE;
  let lines: u32 = 0;
  let start = at;
  let tab: usize = 0;
  let tabCount: u32 = 0;
  for (let from = at; from < end; from += STEP) {
    const bytes = v128.load(from);
    let marks: u32 = i8x16.bitmask(v128.or(i8x16.eq(bytes, tabs), i8x16.eq(bytes, ends)));
    while (marks !== 0) {
      const mark = from + ctz<u32>(marks);
      marks &= marks - 1;
      if (mark >= end) break;
      if (load<u8>(mark) === TAB) {
        tab = mark;
        tabCount++;
        continue;
      }
      const last = mark > start && load<u8>(mark - 1) === CR ? mark - 1 : mark;
      const isTaken = hasValues
        ? tabCount === 1 && takeLine(state, start, tab, tab + 1, last)
        : tabCount === 0 && takeLine(state, start, last, last, last);
      if (!isTaken) {
        store<u32>(state, lines, place.LINES_TAKEN);
        store<u32>(state, 1, place.HAS_STOPPED);
        return start;
      }
      lines++;
      start = mark + 1;
      tabCount = 0;
    }
  }
  store<u32>(state, lines, place.LINES_TAKEN);
  store<u32>(state, 0, place.HAS_STOPPED);
  return start;
}

/** Takes one line: its key in `[key, keyEnd)`, its value as text in `[value, valueEnd)`. */
function takeLine(state: usize, key: usize, keyEnd: usize, value: usize, valueEnd: usize): bool {
  const kind = load<u32>(state, place.VALUE_KIND);
  const keyBytes = <u32>(keyEnd - key);
  if (keyBytes > MOST_KEY) return false;
  let number: u64 = 0;
  let valueBytes = load<u32>(state, place.STAGED_VALUE);
  if (kind === place.UNSIGNED || kind === place.SIGNED) {
    const isNegative = kind === place.SIGNED && value < valueEnd && load<u8>(value) === 0x2d;
    let digit = value + (isNegative ? 1 : 0);
    const digits = <u32>(valueEnd - digit);
    if (valueEnd <= digit || digits > MOST_DIGITS) return false;
    for (; digit < valueEnd; digit++) {
      const here = <u32>load<u8>(digit) - ZERO;
      if (here > 9) return false;
      if (number > TENTH) return false;
      const tens = number * 10;
      number = tens + here;
      if (number < tens) return false;
    }
    const most = isNegative ? load<u64>(state, place.LEAST_NUMBER) : load<u64>(state, place.MOST_NUMBER);
    if (number > most) return false;
    if (isNegative) number = 0 - number;
  } else if (kind !== place.NO_VALUE) {
    valueBytes = <u32>(valueEnd - value);
    if (valueBytes >= load<u32>(state, place.LARGE_VALUE)) return false;
    if (kind === place.TEXT && !isUtf8(value, valueEnd)) return false;
  }
  const isVariable: bool = kind === place.ANY_BYTES || kind === place.TEXT;
  const hash = xxh32(key, keyBytes, load<u32>(state, place.SEED));
  return put(state, hash, key, keyBytes, value, valueBytes, number, isVariable);
}

/**
 * Takes entries in whose keys lie side by side, and so do their values, unsigned integers of so many bytes, or none.
 * Returns how many it takes, before one whose record has no room.
 */
export function takeColumns(
  state: usize,
  keys: usize,
  keyBytes: u32,
  values: usize,
  elementBytes: u32,
  count: u32,
): u32 {
  const seed = load<u32>(state, place.SEED);
  const valueBytes = load<u32>(state, place.STAGED_VALUE);
  for (let i: u32 = 0; i < count; i++) {
    const hash = keyBytes === 4 ? xxh32Of4(load<u32>(keys), seed) : xxh32Of8(load<u64>(keys), seed);
    let number: u64 = 0;
    if (elementBytes === 4) number = load<u32>(values);
    else if (elementBytes === 8) number = load<u64>(values);
    else if (elementBytes === 2) number = load<u16>(values);
    else if (elementBytes === 1) number = load<u8>(values);
    if (!put(state, hash, keys, keyBytes, 0, valueBytes, number, false)) return i;
    keys += keyBytes;
    values += elementBytes;
  }
  return count;
}

/** Appends a record to its partition, and counts it; `false` if there is no room in the partition's chunk. */
function put(
  state: usize,
  hash: u32,
  key: usize,
  keyBytes: u32,
  value: usize,
  valueBytes: u32,
  number: u64,
  isVariable: bool,
): bool {
  const partition = hash >> load<u32>(state, place.PARTITION_SHIFT);
  const head: u32 = isVariable ? 10 : 6;
  const size = head + keyBytes + valueBytes;
  const cursor = state + place.FILL + (partition << 2);
  const record = load<u32>(cursor);
  // With room for a step, so that what is copied may be rounded up.
  if (record + size + STEP > load<u32>(state + place.LIMIT + (partition << 2))) return false;
  store<u32>(cursor, record + size);
  const sums = state + place.COUNTS + (partition << 3);
  store<f64>(sums, load<f64>(sums) + 1);
  store<f64>(sums, load<f64>(sums, place.SIZES - place.COUNTS) + size, place.SIZES - place.COUNTS);
  store<u32>(record, hash);
  store<u16>(record, <u16>keyBytes, 4);
  if (isVariable) store<u32>(record, valueBytes, 6);
  const to: usize = record + head;
  copySteps(to, key, keyBytes);
  if (isVariable) copySteps(to + keyBytes, value, valueBytes);
  else store<u64>(to + keyBytes, number);
  count(state, hash, keyBytes, valueBytes, number, isVariable);
  return true;
}

function add(at: usize, what: u32): void {
  store<u64>(at, load<u64>(at) + what);
}

/** Adds an entry to the sums, as `EntryStats` has them. */
function count(state: usize, hash: u32, keyBytes: u32, valueBytes: u32, number: u64, isVariable: bool): void {
  add(state + place.KEY_BYTES, keyBytes);
  add(state + place.ALL_VALUE_BYTES, valueBytes);
  store<u32>(state, min(load<u32>(state, place.SHORTEST_KEY), keyBytes), place.SHORTEST_KEY);
  store<u32>(state, max(load<u32>(state, place.LONGEST_KEY), keyBytes), place.LONGEST_KEY);
  store<u32>(state, min(load<u32>(state, place.SHORTEST_VALUE), valueBytes), place.SHORTEST_VALUE);
  store<u32>(state, max(load<u32>(state, place.LONGEST_VALUE), valueBytes), place.LONGEST_VALUE);
  const prefixes = varintBytes(keyBytes) + (isVariable ? varintBytes(valueBytes) : 0);
  const bytes = state + place.BYTES_BY_HASH + ((hash >> place.CLASS_SHIFT) << 3);
  store<f64>(bytes, load<f64>(bytes) + (prefixes + keyBytes + valueBytes));
  if (load<u32>(state, place.IS_NARROWED) === 0) return;
  store<u64>(state, max(load<u64>(state, place.LARGEST_NUMBER), number), place.LARGEST_NUMBER);
  const entries = state + place.ENTRIES_BY_HASH + ((hash >> place.CLASS_SHIFT) << 3);
  store<f64>(entries, load<f64>(entries) + 1);
}
