// Measures a file: what each byte is spent on and how full the buckets are. Does not check it (that is verify).

import { checkOptions, oneOf } from '../base/options.js';
import { Pacer } from '../base/pacer.js';
import { BucketLoads } from '../format/bucket-loads.js';
import { QuietPass } from '../mapping/quiet-pass.js';
import { withFileAsync } from '../storage/open-file.js';
import { mappedSegments } from '../storage/scan.js';
import { measureSegment, summary } from './hash-stat.js';
import { keylessSummary, measureElements } from './keyless-stat.js';
import { residentBytes } from './resident.js';
import { type FullBucket, type LargeEntry, LengthSums, type TableStat } from './table-stat.js';
import { Top } from './top.js';

/** How many of the largest entries, and of the fullest buckets, are named. */
const MOST = 10;

export interface StatOptions {
  /**
   * What is compared with its checksum: each block before it is read, or the header alone, with which a damaged file
   * still shows what its records seem to be. Default `touch`.
   */
  check?: 'header' | 'touch';
  /** Called up to twenty times a second with the bytes done and the bytes there are to do. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** See the function of this name in lazy.ts. */
export async function stat(path: string, options: StatOptions = {}): Promise<TableStat> {
  checkOptions(options, ['check', 'onProgress', 'signal']);
  const check = oneOf('check', options.check ?? 'touch', ['header', 'touch']) === 'touch' ? 'touch' : 'none';
  return withFileAsync(path, async ({ fd, header }) => {
    const resident = residentBytes(fd, header);
    const largest = new Top<LargeEntry>(MOST);
    const pacer = new Pacer(options.signal, (done) => options.onProgress?.(done, header.fileBytes));
    if (header.layout !== 'hash') {
      const values = new LengthSums();
      await measureElements(fd, path, header, check, pacer, (length) => values.add(length), largest);
      return { ...keylessSummary(path, header, values.measured, largest.items), resident };
    }
    const fullest = new Top<FullBucket>(MOST);
    const sums = { loads: new BucketLoads(), keys: new LengthSums(), values: new LengthSums(), largest, fullest };
    for (const { segment, reach } of mappedSegments(fd, header, path, check, QuietPass.over(fd))) {
      await measureSegment(header, segment, sums, async (at) => {
        reach(at);
        await pacer.pause(segment.heapOffset + at);
      });
    }
    return { ...summary(path, header, sums), resident };
  });
}
