// Measures a list or a bit array: what each byte is spent on. Does not judge it (that is verify).

import type { Pacer } from '../base/pacer.js';
import type { Header } from '../format/header.js';
import { countIn, formOf, indexBytes } from '../format/keyless.js';
import { mappedKeylessSegments } from '../storage/keyless-segment.js';
import type { Lengths, TableStat } from './table-stat.js';

const STRIDE = 2 ** 16;

/** Tells the length in bytes of each element that says its own; of others there is nothing to measure. */
export async function measureElements(
  fd: number,
  path: string,
  header: Header,
  pacer: Pacer,
  add: (length: number) => void,
): Promise<void> {
  if (formOf(header).kind !== 'offsets') return;
  for (const { segment } of mappedKeylessSegments(fd, header, path, 'touch')) {
    const { count, blocks, index, heap } = segment;
    for (let at = 0; at < count; at++) {
      if (blocks.unchecked > 0) blocks.checkBytes(4 * at, 4 * at + 8);
      const length = index[at + 1]! - index[at]!;
      if (length < 0 || index[at]! < 0 || index[at + 1]! > heap.size) {
        throw segment.damaged(`the offsets of element ${at} of a segment do not fit`, 4 * at);
      }
      add(length);
      if (at % STRIDE === 0) await pacer.pause(segment.offset + 4 * at);
    }
  }
}

export function keylessSummary(path: string, header: Header, measured: Lengths): TableStat {
  const { fileBytes, headerBytes, segments, checksums, entries, valueBytes, perSegment, length } = header;
  const form = formOf(header);
  const index = segments.reduce((sum, _, i) => sum + indexBytes(form, countIn(i, perSegment, length)), 0);
  const width = form.bits / 8;
  const fixed = entries === 0 ? 0 : width;
  return {
    path,
    header,
    entries,
    fileBytes,
    payloadBytes: valueBytes,
    overheadPerEntry: entries === 0 ? 0 : (fileBytes - valueBytes) / entries,
    sections: {
      header: headerBytes,
      buckets: index,
      prefixes: 0,
      keys: 0,
      values: valueBytes,
      dictionary: 0,
      checksums: checksums.bytes,
      padding: fileBytes - headerBytes - index - valueBytes - checksums.bytes,
    },
    keys: { shortest: 0, longest: 0, mean: 0 },
    values: form.kind === 'offsets' ? measured : { shortest: fixed, longest: fixed, mean: fixed },
    bucketLoads: { buckets: 0, mean: 0, longest: 0, histogram: [] },
  };
}
