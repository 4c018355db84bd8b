// Measures a list or a bit array: what each byte is spent on. Does not check it (that is verify).

import type { Pacer } from '../base/pacer.js';
import type { KeylessHeader } from '../format/header.js';
import { countIn, formOf } from '../format/keyless.js';
import { keylessSections } from '../format/sections.js';
import { QuietPass } from '../mapping/quiet-pass.js';
import { mappedKeylessSegments } from '../storage/keyless-segment.js';
import { type LargeEntry, type MeasuredLengths, type TableStat, tableSections } from './table-stat.js';
import type { Top } from './top.js';

/**
 * Reports the length in bytes of each element, if elements have lengths of their own; otherwise there is nothing to
 * measure.
 */
export async function measureElements(
  fd: number,
  path: string,
  header: KeylessHeader,
  check: 'none' | 'touch',
  pacer: Pacer,
  add: (length: number) => void,
  largest: Top<LargeEntry>,
): Promise<void> {
  if (formOf(header).kind !== 'offsets') return;
  for (const { segment, number, reach, stride } of mappedKeylessSegments(fd, header, path, check, QuietPass.over(fd))) {
    const { count, blocks, index } = segment;
    for (let at = 0; at < count; at++) {
      if (blocks.unchecked > 0) blocks.check(4 * at, 4 * at + 8);
      const start = segment.elementStart(at);
      const bytes = index[at + 1]! - start;
      add(bytes);
      if (bytes > largest.floor) {
        const key = String(header.base + number * header.perSegment + at);
        largest.add(bytes, { key, offset: segment.offset + start, bytes, valueBytes: bytes });
      }
      if (at % stride !== 0) continue;
      reach(at, false);
      await pacer.pause(segment.offset + 4 * at);
    }
  }
}

export function keylessSummary(
  path: string,
  header: KeylessHeader,
  measured: MeasuredLengths,
  largest: LargeEntry[],
): Omit<TableStat, 'resident'> {
  const { fileBytes, segments, entries, valueBytes, perSegment, length } = header;
  const form = formOf(header);
  const counts = segments.map((_, i) => countIn(i, perSegment, length));
  const fixed = entries === 0 ? 0 : form.bits / 8;
  return {
    path,
    header,
    entries,
    fileBytes,
    payloadBytes: valueBytes,
    overheadPerEntry: entries === 0 ? 0 : (fileBytes - valueBytes) / entries,
    sections: tableSections(keylessSections(header, form, counts, valueBytes), 0, 0, valueBytes),
    keys: { shortest: 0, longest: 0, mean: 0, histogram: [] },
    values: form.kind === 'offsets' ? measured : { shortest: fixed, longest: fixed, mean: fixed, histogram: [] },
    bucketLoads: { buckets: 0, mean: 0, longest: 0, histogram: [], expected: [] },
    largest,
    fullest: [],
  };
}
