// What the figures are compared with. Knows the targets and where their figures are; does not measure and does not
// print.

import { type Dataset, type Figure, findFigure, median, type Run, type Selector, type Unit } from './model.js';

/** A target and what a run has found. */
export interface Target {
  readonly what: string;
  /** What `found` and `limit` are in; `ratio` is that of the medians of two figures. */
  readonly unit: Unit | 'ratio';
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  /** `undefined` if the run has not all figures that it takes. */
  readonly found: number | undefined;
  /** `undefined` if nothing was found. */
  readonly met: boolean | undefined;
  /** The figures themselves; empty where nothing was found. */
  readonly detail: readonly Part[];
}

/** A figure that a target rests on. */
export interface Part {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
}

/** A figure that a target looks up in the run, and what to call it. */
interface Source {
  readonly name: string;
  readonly selector: Selector;
}

interface Rule {
  readonly what: string;
  readonly unit: Unit | 'ratio';
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  readonly sources: readonly Source[];
  /** From the medians of the sources, in their order, to what is compared with the limit. */
  readonly of: (...medians: number[]) => number;
}

const MEMORY_LIMIT = 512 * 2 ** 20;
const COLD_RESIDENT = 64 * 2 ** 10;
/**
 * How far a time may differ between two sizes and still count as the same: less cannot be distinguished from the
 * clock's noise.
 */
const SAME = 1.1;

const first = (value: number) => value;
const ratio = (a: number, b: number) => a / b;
const difference = (a: number, b: number) => a - b;

function lookup(subject: Figure['subject'], dataset: Dataset, more: Selector = {}): Source {
  const selector: Selector = {
    metric: 'get',
    subject,
    dataset,
    values: 'u32',
    keys: 'hit',
    order: 'uniform',
    unit: 'ns',
    ...more,
  };
  return { name: subject, selector };
}

function named(name: string, source: Source): Source {
  return { ...source, name };
}

function figure(subject: Figure['subject'], metric: string, dataset: Dataset, more: Selector = {}): Source {
  return { name: subject, selector: { metric, subject, dataset, ...more } };
}

function atMost(what: string, limit: number, unit: Rule['unit'], of: Rule['of'], ...sources: Source[]): Rule {
  return { what, unit, bound: 'at most', limit, sources, of };
}

function atLeast(what: string, limit: number, unit: Rule['unit'], source: Source): Rule {
  return { what, unit, bound: 'at least', limit, sources: [source], of: first };
}

const LARGE = ['1M', '10M'] as const;
const ALL = ['46k', ...LARGE] as const;

function lookupRules(isOld: boolean): Rule[] {
  const hit = (dataset: Dataset) => lookup('hmap', dataset);
  const many = named('getMany', lookup('hmap', '10M', { metric: 'getMany', count: 1000 }));
  return [
    ...ALL.map((size) =>
      atMost(
        `get hit, against Map.get, ${size}`,
        size === '46k' ? 0.85 : 0.4,
        'ratio',
        ratio,
        hit(size),
        lookup('Map', size),
      ),
    ),
    ...LARGE.map((size) =>
      atMost(`get hit, against tinycdb's cdb_find, ${size}`, 1.15, 'ratio', ratio, hit(size), lookup('cdb', size)),
    ),
    ...ALL.map((size) =>
      atMost(
        `get miss, against get hit, ${size}`,
        1,
        'ratio',
        ratio,
        named('miss', lookup('hmap', size, { keys: 'miss' })),
        named('hit', hit(size)),
      ),
    ),
    atMost('getMany of 1,000, against get, 10M', isOld ? 0.27 : 0.25, 'ratio', ratio, many, named('get', hit('10M'))),
    atMost(
      "getMany of 1,000, against tinycdb's cdb_find, 10M",
      isOld ? 0.28 : 0.27,
      'ratio',
      ratio,
      many,
      lookup('cdb', '10M'),
    ),
    ...PEERS.flatMap(([subject, name, limit]) =>
      ALL.map((size) =>
        atMost(`get hit, against ${name}, ${size}`, limit, 'ratio', ratio, hit(size), lookup(subject, size)),
      ),
    ),
    ...ALL.map((size) =>
      atMost(
        `get hit of 20 ASCII characters, over the u32, ${size}`,
        60,
        'ns',
        difference,
        named('utf8', lookup('hmap', size, { values: 'utf8-20' })),
        named('u32', hit(size)),
      ),
    ),
  ];
}

const PEERS = [
  ['lmdb', 'LMDB', 0.25],
  ['sqlite-memory', 'SQLite in memory', 0.25],
  ['classic-level', 'classic-level', 0.15],
] as const;

function buildRules(isOld: boolean): Rule[] {
  const build = (subject: 'hmap' | 'cdb', size: Dataset) =>
    figure(subject, 'build', size, { values: 'u32', unit: 's' });
  const pairs = (subject: 'hmap' | 'Map', size: Dataset) => figure(subject, 'build pairs', size, { unit: 's' });
  return [
    ...LARGE.map((size) =>
      atMost(
        `build from TSV, against cdb -c -m, ${size}`,
        size === '10M' ? 0.7 : isOld ? 1.8 : 1.5,
        'ratio',
        ratio,
        build('hmap', size),
        build('cdb', size),
      ),
    ),
    ...LARGE.map((size) =>
      atMost(
        `build from pairs in memory, against filling a Map, ${size}`,
        1,
        'ratio',
        ratio,
        pairs('hmap', size),
        pairs('Map', size),
      ),
    ),
    atMost(
      'build from columns, against pairs from a generator, 10M',
      0.3,
      'ratio',
      ratio,
      named('columns', figure('hmap', 'build columns', '10M', { unit: 's' })),
      named('pairs', figure('hmap', 'build integers', '10M', { unit: 's' })),
    ),
    atMost(
      'peak memory of a build within 256 MiB, 100M',
      MEMORY_LIMIT,
      'bytes',
      first,
      figure('hmap', 'big build peak', '100M', { unit: 'bytes' }),
    ),
  ];
}

function sizeRules(): Rule[] {
  const unit = 'bytes an entry';
  const over = (size: Dataset, metric = 'overhead') => figure('hmap', metric, size, { values: 'u32', unit });
  return [
    ...[...ALL, 'npm-names' as const].map((size) => atMost(`file over payload, ${size}`, 3, unit, first, over(size))),
    atMost('file over payload, keys of one length, 1M', 2, unit, first, over('1M', 'overhead, keys of one length')),
  ];
}

function startRules(): Rule[] {
  const open = (size: Dataset, metric: string) => named(size, figure('hmap', metric, size, { unit: 'ms' }));
  const start = (subject: Figure['subject']) => figure(subject, 'first lookup', '1M', { unit: 'ms' });
  return [
    ...OPENS.flatMap(([metric, name]) => [
      ...ALL.map((size) => atMost(`${name}, ${size}`, 1, 'ms', first, open(size, metric))),
      atMost(`${name}, 10M against 1M`, SAME, 'ratio', ratio, open('10M', metric), open('1M', metric)),
    ]),
    atMost(
      'process start to first lookup, against JSON into a Map, 1M',
      0.05,
      'ratio',
      ratio,
      start('hmap'),
      start('Map'),
    ),
  ];
}

const OPENS = [
  ['open', 'open after the imports, first in the process'],
  ['open, second', 'open after the imports, second in the process'],
] as const;

function memoryRules(): Rule[] {
  const pss = (subject: Figure['subject'], metric = 'pss') =>
    figure(subject, metric, '1M', { unit: 'bytes', count: 8 });
  const file = named('file', figure('hmap', 'file', '1M', { values: 'u32', unit: 'bytes' }));
  const against = (readers: number, fileBytes: number, floor: number) => readers / (fileBytes + floor);
  return [
    atMost(
      'PSS of 8 readers, against file + 8 bare processes, 1M',
      1.05,
      'ratio',
      against,
      pss('hmap'),
      file,
      pss('node'),
    ),
    atMost(
      'PSS of 8 readers, against file + 8 processes with the same modules, 1M',
      1.05,
      'ratio',
      against,
      pss('hmap'),
      file,
      named('node, modules loaded', pss('node', 'pss, modules loaded')),
    ),
    ...LARGE.flatMap((size) => [
      atMost(
        `data pages that a cold get reads, check header, ${size}`,
        3,
        'pages',
        first,
        figure('hmap', 'pages of a cold get', size, { count: 1 }),
      ),
      atMost(
        `resident after a cold get, check header, ${size}`,
        COLD_RESIDENT,
        'bytes',
        first,
        figure('hmap', 'resident after a cold get', size, { unit: 'bytes' }),
      ),
    ]),
  ];
}

function verifyRules(): Rule[] {
  return [
    ...ALL.map((size) =>
      atLeast(
        `verify: checksums, ${size}`,
        1e9,
        'bytes a second',
        figure('hmap', 'verify checksums', size, { unit: 'bytes a second' }),
      ),
    ),
    // In a smaller table most of the time goes into the start.
    ...LARGE.map((size) =>
      atLeast(`verify: all rules, ${size}`, 6e7, 'entries a second', figure('hmap', 'verify', size)),
    ),
  ];
}

function checkRules(): Rule[] {
  const warm = (size: Dataset, check: string) =>
    named(check, figure('hmap', `warm get, check ${check}`, size, { unit: 'ns' }));
  return ALL.map((size) =>
    atMost(
      `warm get, check touch against check header, ${size}`,
      1.05,
      'ratio',
      ratio,
      warm(size, 'touch'),
      warm(size, 'header'),
    ),
  );
}

function judge(run: Run, { sources, of, ...rule }: Rule): Target {
  const detail: Part[] = [];
  for (const { name, selector } of sources) {
    const found = findFigure(run, selector);
    if (found === undefined) return { ...rule, found: undefined, met: undefined, detail: [] };
    detail.push({ name, value: median(found.samples), unit: found.unit });
  }
  const found = of(...detail.map(({ value }) => value));
  const met = rule.bound === 'at most' ? found <= rule.limit : found >= rule.limit;
  return { ...rule, found, met, detail };
}

/** Every target, in a fixed order, whether the run has its figures or not. */
export function targetsOf(run: Run): Target[] {
  const isOld = /^v?20\./.test(run.node);
  const rules = [
    ...lookupRules(isOld),
    ...buildRules(isOld),
    ...sizeRules(),
    ...startRules(),
    ...memoryRules(),
    ...verifyRules(),
    ...checkRules(),
  ];
  return rules.map((rule) => judge(run, rule));
}
