// Makes one record of all that have the same key: its value is the JSON array of theirs, in the order in which they came.
// Knows staged records; does not know where they go.

import { ByteBuffer } from '../../base/bytes.js';
import { HmapError } from '../../base/errors.js';
import { keyForError, showKey } from '../../codec/key-text.js';
import { MAX_TEXT_BYTES } from '../../format/constants.js';
import type { SpillFile } from '../common/spill-file.js';
import type { Sorted } from './segment-writer.js';
import type { Sorter } from './sorter.js';
import { headBytes, largeValuePosition, POSITION, STAGED, type StagedLayout, stagedSize } from './staged-record.js';

const OPEN = 0x5b;
const CLOSE = 0x5d;
const COMMA = 0x2c;

export interface Collected extends Sorted {
  readonly buffer: ByteBuffer;
  readonly count: number;
}

/** The error for more than one value can hold. */
export function tooMuchCollected(staged: StagedLayout, key: Uint8Array, bytes: number): HmapError {
  const shown = showKey(staged.keyType, key);
  const message = `the values of key ${shown} take ${bytes} bytes or more as one JSON array; the maximum is ${MAX_TEXT_BYTES}`;
  const data = { expected: MAX_TEXT_BYTES, actual: bytes, key: keyForError(staged.keyType, key) };
  return new HmapError('HMAP_VALUE_TOO_LONG', message, data);
}

/**
 * One record for each key, in memory of its own: about as much as the records take, and two bytes for each.
 * @param buffer the partition's staged records, which are sorted
 * @param spill has values that are too large to be staged, and gets those that become so
 */
export function collect(
  sorter: Sorter,
  buffer: ByteBuffer,
  count: number,
  staged: StagedLayout,
  spill: SpillFile,
): Collected {
  const { positions, hashes, order } = sorter;
  const { bytes, view } = buffer;
  const head = headBytes(staged);
  const valueBytesOf = (at: number) => view.getUint32(at + STAGED.valueBytes, true);
  const size = order.subarray(0, count).reduce((sum, index) => sum + stagedSize(staged, view, positions[index]!), 0);
  const into = new ByteBuffer(size + 2 * count);
  const merged = { positions: new Int32Array(count), hashes: new Int32Array(count), order: new Int32Array(count) };
  let kept = 0;
  let used = 0;
  for (let first = 0; first < count; ) {
    let end = first + 1;
    while (end < count && sorter.compare(order[first]!, order[end]!) === 0) end++;
    const at = positions[order[first]!]!;
    const keyEnd = at + head + view.getUint16(at + STAGED.keyBytes, true);
    let total = 1;
    for (let i = first; i < end; i++) total += 1 + valueBytesOf(positions[order[i]!]!);
    if (total > MAX_TEXT_BYTES) throw tooMuchCollected(staged, bytes.subarray(at + head, keyEnd), total);
    bytes.copy(into.bytes, used, at, keyEnd);
    into.view.setUint32(used + STAGED.valueBytes, total, true);
    merged.positions[kept] = used;
    merged.hashes[kept] = hashes[order[first]!]!;
    merged.order[kept] = kept;
    kept++;
    used += keyEnd - at;
    const isLarge = total >= staged.largeValue;
    const value = isLarge ? Buffer.allocUnsafe(total) : into.bytes.subarray(used, used + total);
    let to = 0;
    for (let i = first; i < end; i++) {
      value[to++] = i === first ? OPEN : COMMA;
      const from = positions[order[i]!]!;
      const valueAt = from + head + view.getUint16(from + STAGED.keyBytes, true);
      const length = valueBytesOf(from);
      if (length >= staged.largeValue) spill.read(largeValuePosition(view, valueAt), value.subarray(to, to + length));
      else bytes.copy(value, to, valueAt, valueAt + length);
      to += length;
    }
    value[to] = CLOSE;
    if (isLarge) into.view.setBigUint64(used, BigInt(spill.append(value)), true);
    used += isLarge ? POSITION : total;
    first = end;
  }
  return { buffer: into, count: kept, ...merged };
}
