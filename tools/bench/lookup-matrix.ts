// Which lookups are measured on which data set. Runs nothing.

import { ENTRIES } from './data.js';
import type { Dataset, Keys, Order, Subject, Values } from './model.js';
import type { Metric } from './task.js';

/** One figure of lookups to find. */
export interface Trial {
  readonly metric: Metric;
  readonly subject: Subject;
  readonly dataset: Dataset;
  readonly values: Values;
  readonly keys?: Keys;
  readonly order?: Order;
  readonly count?: number;
}

type Ask = Pick<Trial, 'metric' | 'keys' | 'order' | 'count'> & { readonly values?: Values };

const get = (keys: Keys, order: Order = 'uniform', values: Values = 'u32'): Ask => ({
  metric: 'get',
  keys,
  order,
  values,
});
const has = (keys: Keys): Ask => ({ metric: 'has', keys, order: 'uniform' });
const getMany = (count: number, keys: Keys = 'hit'): Ask => ({ metric: 'getMany', keys, order: 'uniform', count });
const iterate: Ask = { metric: 'iterate' };
/** Batches of redis and the needed one of hmap. */
const BATCH = 1000;

const EVERYTHING: readonly Ask[] = [
  get('hit'),
  get('miss'),
  get('mixed'),
  get('hit', 'zipf'),
  get('hit', 'uniform', 'utf8-20'),
  get('hit', 'uniform', 'bytes-200'),
  has('hit'),
  has('miss'),
  iterate,
];

const BATCHES: readonly Ask[] = [getMany(10), getMany(BATCH), getMany(100_000), getMany(BATCH, 'miss')];

type Plan = Partial<Record<Subject, readonly Ask[]>>;

const SMALL: Plan = {
  hmap: [...EVERYTHING, ...BATCHES],
  'hmap-js': [getMany(BATCH)],
  Map: EVERYTHING,
  object: [get('hit')],
  cdb: [get('hit'), get('miss')],
  lmdb: [get('hit')],
  'sqlite-memory': [get('hit')],
  'sqlite-mmap': [get('hit')],
  'classic-level': [get('hit')],
  redis: [get('hit'), getMany(BATCH)],
  'redis-pipelined': [{ ...get('hit'), count: BATCH }],
};

const USUAL: Plan = {
  ...SMALL,
  object: [get('hit'), get('miss')],
  lmdb: [get('hit'), get('miss'), iterate],
  'sqlite-memory': [get('hit'), get('miss'), iterate],
  'classic-level': [get('hit'), get('miss')],
};

const LARGE: Plan = {
  hmap: [
    get('hit'),
    get('miss'),
    get('mixed'),
    get('hit', 'zipf'),
    get('hit', 'uniform', 'utf8-20'),
    has('hit'),
    getMany(10),
    getMany(BATCH),
    getMany(100_000),
    iterate,
  ],
  'hmap-js': [getMany(BATCH)],
  Map: [get('hit'), get('miss'), get('hit', 'zipf')],
  object: [get('hit')],
  cdb: [get('hit'), get('miss')],
  lmdb: [get('hit')],
  'sqlite-memory': [get('hit')],
  'sqlite-mmap': [get('hit')],
  'classic-level': [get('hit')],
};

const REAL: Plan = {
  hmap: [get('hit'), get('miss'), get('hit', 'zipf'), getMany(BATCH), iterate],
  Map: [get('hit'), get('miss'), get('hit', 'zipf')],
  cdb: [get('hit'), get('miss')],
  lmdb: [get('hit')],
  'sqlite-memory': [get('hit')],
  'classic-level': [get('hit')],
};

/** Data sets in which keys are looked up, with the greatest number of keys that one pass asks for. */
const PLANS: readonly { dataset: Dataset; plan: Plan; most: number; full: boolean }[] = [
  // Each key ten times, as ten strings: one pass over 46,461 keys would be over before it is measured.
  { dataset: '46k', plan: SMALL, most: 10 * ENTRIES['46k'], full: false },
  { dataset: '1M', plan: USUAL, most: 500_000, full: false },
  { dataset: '10M', plan: LARGE, most: 1_000_000, full: true },
  { dataset: 'npm-names', plan: REAL, most: 500_000, full: true },
];

/** Redis answers so slowly that fewer keys must do. */
const REDIS_MOST = { redis: 5000, 'redis-pipelined': 20_000 };

export interface Part {
  readonly dataset: Dataset;
  readonly trials: readonly Trial[];
  /** Keys that one pass asks for. */
  readonly most: number;
}

export function planLookups(full: boolean): Part[] {
  return PLANS.filter((part) => full || !part.full).map(({ dataset, plan, most }) => ({
    dataset,
    most,
    trials: Object.entries(plan).flatMap(([subject, asks]) =>
      asks.map((ask): Trial => ({ values: 'u32', ...ask, subject: subject as Subject, dataset })),
    ),
  }));
}

/** Keys of one pass of a trial. */
export function queriesOf({ most }: Part, { subject, metric }: Trial): number {
  if (subject === 'redis' && metric === 'get') return Math.min(most, REDIS_MOST.redis);
  if (subject === 'redis' || subject === 'redis-pipelined') return Math.min(most, REDIS_MOST['redis-pipelined']);
  return most;
}

/** Subjects that take microseconds: their trials would be most of the run. */
const SLOW: readonly Subject[] = ['object', 'lmdb', 'sqlite-memory', 'sqlite-mmap', 'classic-level'];

/** Timed passes of one trial. */
export function passesOf({ subject }: Trial): number {
  return SLOW.includes(subject) ? 2 : 3;
}

/**
 * Whether a trial belongs to a round: what the targets compare does to each; the rest to every other one, or to the
 * first where it is long.
 */
export function isIn(round: number, { metric, subject, dataset, values, keys, order, count }: Trial): boolean {
  const isLarge = dataset === '10M' || dataset === 'npm-names';
  if (round === 1 || (round % 2 === 1 && !isLarge)) return true;
  if (order !== 'uniform' || values === 'bytes-200') return false;
  if (metric === 'get' && keys === 'hit') return subject === 'hmap' || values === 'u32';
  return (
    subject === 'hmap' &&
    keys !== 'mixed' &&
    (metric === 'get' || (metric === 'getMany' && count === BATCH && keys === 'hit'))
  );
}
