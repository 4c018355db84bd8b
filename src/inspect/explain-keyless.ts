// One lookup in a list or a bit array, step by step. Knows where elements lie (native-notes/format.md, section 15); prints
// nothing.

import { HmapError } from '../base/errors.js';
import type { KeylessHeader } from '../format/header.js';
import { formOf, RUN_BITS } from '../format/keyless.js';
import { elementReader } from '../storage/elements.js';
import { type KeylessSegment, mappedKeylessSegments } from '../storage/keyless-segment.js';
import type { OpenFile } from '../storage/open-file.js';
import { type Explanation, type FoundValue, Steps } from './explanation.js';
import { Footprint } from './footprint.js';

type OpenKeyless = OpenFile & { readonly header: KeylessHeader };

/**
 * Explains the lookup of an index, or of an integer. Damage is told, not thrown.
 * @param openedIn microseconds that it took to open the file
 */
export function explainInteger({ fd, header, path }: OpenKeyless, integer: number, openedIn: number): Explanation {
  const { layout, base, length, perSegment, headerBytes, entries } = header;
  const steps = new Steps();
  steps.list.push({ name: 'open', facts: { headerBytes, entries, base, length }, microseconds: openedIn });
  const footprint = new Footprint(fd, header, path);
  let value: FoundValue | null = null;
  let found = false;
  let reason: string | null = null;
  try {
    const number = steps.take(
      'index',
      () => integer - base,
      (index) => ({ index }),
    );
    if (!Number.isSafeInteger(integer)) reason = 'it is not an integer below 2^53';
    else if (number < 0 || number >= length) reason = outside(header);
    else {
      const wanted = steps.take(
        'segment',
        () => Math.floor(number / perSegment),
        (segment) => ({ segment, of: header.segments.length, element: number % perSegment }),
      );
      const place = header.segments[wanted];
      for (const { segment } of mappedKeylessSegments(fd, header, path, 'none', undefined, (each) => each === place)) {
        const at = number % perSegment;
        if (layout === 'bits') {
          found = oneBit(segment, at, steps, footprint);
          if (!found) reason = 'its bit is 0';
        } else {
          value = element(header, segment, at, steps, footprint);
          found = true;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof HmapError) || error.code !== 'HMAP_DAMAGED') throw error;
    found = false;
    reason = error.message;
  }
  const { pages } = footprint;
  const parts = { steps: steps.list, records: [], value, pages, blocks: footprint.blocks() };
  return { path, layout, key: String(integer), found, reason, ...parts };
}

function outside({ base, length, layout }: KeylessHeader): string {
  const what = layout === 'list' ? 'the indexes of the list' : 'the integers of the bit array';
  return length === 0 ? 'the file is empty' : `${what} are ${base} to ${base + length - 1}`;
}

function oneBit(segment: KeylessSegment, at: number, steps: Steps, footprint: Footprint): boolean {
  const word = at >>> 5;
  const offset = segment.offset + segment.dataStart + 4 * word;
  footprint.touch('bits', offset, offset + 4);
  return steps.take(
    'bit',
    () => ((segment.words[word]! >>> at) & 1) === 1,
    (isOne) => ({
      word: offset,
      bit: at & 31,
      value: isOne ? 1 : 0,
      run: Math.floor(at / RUN_BITS),
      onesBeforeRun: segment.index[Math.floor(at / RUN_BITS)] ?? 0,
    }),
  );
}

function element(
  header: KeylessHeader,
  segment: KeylessSegment,
  at: number,
  steps: Steps,
  footprint: Footprint,
): FoundValue {
  const form = formOf(header);
  let [from, end] = [0, 0];
  if (form.kind === 'offsets') {
    const offsets = segment.offset + 4 * at;
    footprint.touch('offsets', offsets, offsets + 8);
    from = steps.take(
      'offsets',
      () => segment.elementStart(at),
      (start) => ({ at: offsets, from: start, to: segment.index[at + 1]!, heap: segment.offset + segment.dataStart }),
    );
    end = segment.dataStart + segment.index[at + 1]!;
    from += segment.dataStart;
  } else {
    [from, end] = steps.take(
      'bits',
      () => [Math.floor((at * form.bits) / 8), Math.ceil(((at + 1) * form.bits) / 8)] as const,
      () => ({ bitsEach: form.bits, from: at * form.bits, to: (at + 1) * form.bits }),
    );
  }
  footprint.touch('element', segment.offset + from, segment.offset + end);
  const bytes = steps.take(
    'value',
    () => Uint8Array.from(segment.buffer.bytes.subarray(from, end)),
    () => ({ offset: segment.offset + from, bytes: end - from }),
  );
  const value = { offset: segment.offset + from, end: segment.offset + end, bytes };
  return form.kind === 'fixed' ? { ...value, number: elementReader(header.valueType)(segment, at) as number } : value;
}
