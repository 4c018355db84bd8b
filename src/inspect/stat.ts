// Measures a file: what each byte is spent on and how full the buckets are. Does not check it (that is verify).

import { checkOptions } from '../base/options.js';
import { Pacer } from '../base/pacer.js';
import { BucketLoads } from '../format/bucket-loads.js';
import { QuietPass } from '../mapping/quiet-pass.js';
import { withFileAsync } from '../storage/open-file.js';
import { mappedSegments } from '../storage/scan.js';
import { measureSegment, summary } from './hash-stat.js';
import { keylessSummary, measureElements } from './keyless-stat.js';
import { LengthSums, type TableStat } from './table-stat.js';

export interface StatOptions {
  /** Called up to twenty times a second with the bytes done and the bytes there are to do. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** See the function of this name in lazy.ts. */
export async function stat(path: string, options: StatOptions = {}): Promise<TableStat> {
  checkOptions(options, ['onProgress', 'signal']);
  return withFileAsync(path, async ({ fd, header }) => {
    const pacer = new Pacer(options.signal, (done) => options.onProgress?.(done, header.fileBytes));
    if (header.layout !== 'hash') {
      const values = new LengthSums();
      await measureElements(fd, path, header, pacer, (length) => values.add(length));
      return keylessSummary(path, header, values.lengths);
    }
    const sums = { loads: new BucketLoads(), keys: new LengthSums(), values: new LengthSums() };
    for (const { segment, reach } of mappedSegments(fd, header, path, 'touch', QuietPass.over(fd))) {
      await measureSegment(header, segment, sums, async (at) => {
        reach(at);
        await pacer.pause(segment.heapOffset + at);
      });
    }
    return summary(path, header, sums);
  });
}
