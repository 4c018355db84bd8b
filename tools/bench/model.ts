// What the bench measures and how a run is written down. Knows no peer and no measurement; the rest of the bench
// imports it.

/** What holds the table. `cdb` is tinycdb in C. */
export const SUBJECTS = [
  'hmap',
  'hmap-js',
  'Map',
  'object',
  'Array',
  'Set',
  'lmdb',
  'sqlite-memory',
  'sqlite-mmap',
  'classic-level',
  'binary-fuse-filter',
  'redis',
  'redis-pipelined',
  'cdb',
  'node',
] as const;
export type Subject = (typeof SUBJECTS)[number];

/**
 * Entries of a data set; `npm-names` are the real package names of npm, `words` is what is too small to miss a cache.
 */
export const DATASETS = ['46k', '1M', '10M', '100M', 'npm-names'] as const;
export type Dataset = (typeof DATASETS)[number];

/** Values: a u32, 20 characters of ASCII, 200 bytes. */
export type Values = 'u32' | 'utf8-20' | 'bytes-200';

/** Which keys are looked up: those that are there, those that are not, or nine of the first to one of the second. */
export type Keys = 'hit' | 'miss' | 'mixed';

/** How often each key is looked up. */
export type Order = 'uniform' | 'zipf';

export type Unit =
  | 'ns'
  | 'ms'
  | 's'
  | 'bytes'
  | 'bytes an entry'
  | 'pages'
  | 'count'
  | 'entries a second'
  | 'bytes a second';

/** One thing measured, once in each of several fresh processes. */
export interface Figure {
  /** What was done: `get`, `getMany`, `has`, `iterate`, `build`, `open`, ... */
  readonly metric: string;
  readonly subject: Subject;
  readonly dataset: Dataset;
  /** If the metric does not imply them. */
  readonly values?: Values;
  readonly unit: Unit;
  /** One a trial, in the order in which they ran. */
  readonly samples: readonly number[];
  /** For lookups. */
  readonly keys?: Keys;
  readonly order?: Order;
  /** Keys of one batch, for getMany and pipelines; processes, for shared memory; lookups that a mean is of. */
  readonly count?: number;
  /** Where the figure needs a word: what else was on, or what it includes. */
  readonly note?: string;
}

/** A peer that could not take part. */
export interface Absent {
  readonly subject: Subject;
  readonly why: string;
}

/** All that one run of the bench found; what the JSON output holds. */
/** Figures that belong together: they are shown as soon as all of them are there. */
export interface Group {
  readonly name: string;
  measure(): Promise<Figure[]>;
}

export interface Run {
  readonly node: string;
  readonly v8: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Versions of the peers, by subject. */
  readonly versions: Partial<Record<Subject, string>>;
  /** The command, as it can be given again. */
  readonly command: string;
  readonly seed: number;
  /** Wall time of the run. */
  readonly seconds: number;
  readonly figures: readonly Figure[];
  readonly absent: readonly Absent[];
}

/** Files of one data set with one kind of values, as the builders made them. A peer that is absent has no path. */
export interface Files {
  readonly dataset: Dataset;
  readonly entries: number;
  readonly values: Values;
  /** The source: `key<TAB>value` lines. */
  readonly tsv: string;
  readonly tables: Partial<Record<Subject, string>>;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median, and the least and the most, for tables of turns. */
export function spread(samples: readonly number[]): string {
  return `${median(samples).toFixed(2)} (${Math.min(...samples).toFixed(2)} to ${Math.max(...samples).toFixed(2)})`;
}

/** What distinguishes a figure from the others of a run. */
export type Selector = Partial<Omit<Figure, 'samples' | 'note'>>;

/** The figure that a selector names, or `undefined` if the run has none. */
export function findFigure(run: Run, selector: Selector): Figure | undefined {
  const wanted = Object.entries(selector);
  return run.figures.find((figure) => wanted.every(([name, value]) => figure[name as keyof Figure] === value));
}
