// Counts how full buckets are, and how full they should be. Knows nothing of files.

/** The histogram's last class holds all buckets of this many records or more. */
export const LAST_LOAD = 16;

export class BucketLoads {
  /** Buckets with i records; the last with {@link LAST_LOAD} or more. */
  readonly histogram: number[] = new Array(LAST_LOAD + 1).fill(0);
  /** Most records in one bucket. */
  longest = 0;
  buckets = 0;
  records = 0;

  add(records: number): void {
    this.histogram[Math.min(records, LAST_LOAD)]!++;
    if (records > this.longest) this.longest = records;
    this.buckets++;
    this.records += records;
  }

  /** Adds the buckets of another part of the same file. */
  merge(other: Pick<BucketLoads, 'histogram' | 'longest' | 'buckets' | 'records'>): void {
    for (const [load, buckets] of other.histogram.entries()) this.histogram[load]! += buckets;
    this.longest = Math.max(this.longest, other.longest);
    this.buckets += other.buckets;
    this.records += other.records;
  }

  /** Records of a bucket on average. */
  get mean(): number {
    return this.buckets === 0 ? 0 : this.records / this.buckets;
  }

  toJSON(): { buckets: number; mean: number; longest: number; histogram: number[] } {
    return { buckets: this.buckets, mean: this.mean, longest: this.longest, histogram: this.histogram };
  }
}

/**
 * How many of so many buckets hold 0, 1, 2, ... records, and the last {@link LAST_LOAD} or more, if each record falls into
 * any of them alike: Poisson's law, https://en.wikipedia.org/wiki/Poisson_distribution.
 */
export function expectedLoads(buckets: number, mean: number): number[] {
  const expected: number[] = [];
  let share = Math.exp(-mean);
  let rest = 1;
  for (let load = 0; load < LAST_LOAD; load++) {
    expected.push(buckets * share);
    rest -= share;
    share *= mean / (load + 1);
  }
  return [...expected, buckets * Math.max(0, rest)];
}
