// The charts of a run: which figures each shows. Knows figures; the shapes of charts are beside it, and so is what
// renders them.

import { barChart, type Chart, frame, type Line, lineChart, type Point, round, shortCount } from './chart-shapes.js';
import { type Dataset, type Figure, findFigure, median, type Run, type Subject } from './model.js';
import { datasetName, entriesOf, SUBJECT_NAMES, SUBJECT_ORDER } from './names.js';

/**
 * A colour for each subject, the same in all charts (the palette of Okabe and Ito, which the colour-blind tell apart,
 * and greys).
 */
const COLORS: Readonly<Record<Subject, string>> = {
  hmap: '#d55e00',
  'hmap-js': '#f0a868',
  Map: '#0072b2',
  object: '#56b4e9',
  Array: '#7a9cc6',
  Set: '#4c78a8',
  cdb: '#222222',
  lmdb: '#009e73',
  'sqlite-memory': '#cc79a7',
  'sqlite-mmap': '#8c5a7a',
  'classic-level': '#b8860b',
  'binary-fuse-filter': '#999933',
  redis: '#a0522d',
  'redis-pipelined': '#d2956b',
  node: '#888888',
};
const SIZES = ['46k', '1M', '10M'] as const satisfies readonly Dataset[];
/** Below, what is measured is the start of Node. */
const BUILT = ['1M', '10M'] as const satisfies readonly Dataset[];
const MEBI = 2 ** 20;

/** All charts for which the run has figures. */
export function chartsOf(run: Run): Chart[] {
  return [lookups(run), sizes(run), sharedMemory(run), builds(run), firstLookups(run)].filter(
    (chart) => chart !== undefined,
  );
}

function lookups(run: Run): Chart | undefined {
  const get = { values: 'u32', keys: 'hit', order: 'uniform', unit: 'ns' } as const;
  const lines = SUBJECT_ORDER.map((subject) =>
    line(SUBJECT_NAMES[subject], COLORS[subject], sizePoints(run, { ...get, metric: 'get', subject })),
  );
  const many = sizePoints(run, { ...get, metric: 'getMany', subject: 'hmap', count: 1000 });
  lines.push({ ...line('hmap, getMany of 1,000', COLORS.hmap, many), dashed: true });
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
  return lineChart('lookups', lines, {
    title: 'Cost of a lookup, by size of the table',
    about: 'nanoseconds for a key that is there, drawn uniformly, u32 values; both scales logarithmic',
    run,
    xAxis: {
      type: 'log',
      name: 'entries',
      min: Math.min(...xs) / 1.3,
      max: Math.max(...xs) * 1.3,
      axisLabel: { formatter: (value: number) => (Number.isInteger(Math.log10(value)) ? shortCount(value) : '') },
      splitLine: { show: false },
    },
    yAxis: { type: 'log', name: 'ns', axisLabel: { formatter: shortCount } },
  });
}

function sharedMemory(run: Run): Chart | undefined {
  const pss = (subject: Subject, metric = 'pss'): Point[] =>
    [1, 2, 4, 8].flatMap((count) => {
      const figure = findFigure(run, { metric, subject, dataset: '1M', unit: 'bytes', count });
      return figure === undefined ? [] : [[count, median(figure.samples) / MEBI] as const];
    });
  const lines = [
    line('Map', COLORS.Map, pss('Map')),
    line('hmap', COLORS.hmap, pss('hmap')),
    { ...line('Node, hmap loaded, no table', COLORS.node, pss('node', 'pss, modules loaded')), dashed: true },
    line('bare Node', COLORS.node, pss('node')),
  ];
  return lineChart('shared-memory', lines, {
    title: 'Physical memory of processes that hold the same table',
    about: 'sum of their PSS in MiB, 1,000,000 entries, every page touched',
    run,
    xAxis: { type: 'value', name: 'processes', min: 0, max: 8, interval: 1, splitLine: { show: false } },
    yAxis: { type: 'value', name: 'MiB' },
  });
}

function sizes(run: Run): Chart | undefined {
  const datasets = [...SIZES, 'npm-names'] as const;
  const bars = SUBJECT_ORDER.map((subject) => ({
    name: SUBJECT_NAMES[subject],
    color: COLORS[subject],
    values: datasets.map((dataset) => value(run, { metric: 'size', subject, dataset, unit: 'bytes an entry' })),
  }));
  return barChart('sizes', bars, datasets.map(categoryName), {
    title: 'Size of the file',
    about: 'bytes an entry, keys and u32 values included',
    run,
    unit: 'bytes an entry',
  });
}

function builds(run: Run): Chart | undefined {
  const nanoseconds = (metric: string, subject: Subject) =>
    BUILT.map((dataset) => {
      const seconds = value(run, { metric, subject, dataset, values: 'u32', unit: 's' });
      return seconds === undefined ? undefined : (1e9 * seconds) / entriesOf(dataset)!;
    });
  const bars = [
    { name: 'hmap build, from TSV', color: COLORS.hmap, values: nanoseconds('build', 'hmap') },
    { name: 'cdb -c -m, in C', color: COLORS.cdb, values: nanoseconds('build', 'cdb') },
    { name: 'hmap, from pairs in memory', color: '#f0a36b', values: nanoseconds('build pairs', 'hmap') },
    { name: 'Map, filled from pairs in memory', color: COLORS.Map, values: nanoseconds('build pairs', 'Map') },
  ];
  return barChart('builds', bars, BUILT.map(categoryName), {
    title: 'Building a table',
    about: 'nanoseconds an entry, u32 values; from TSV: the whole process',
    run,
    unit: 'ns an entry',
  });
}

function firstLookups(run: Run): Chart | undefined {
  const found = SUBJECT_ORDER.flatMap((subject) => {
    const ms = value(run, { metric: 'first lookup', subject, dataset: '1M', unit: 'ms' });
    return ms === undefined ? [] : [{ subject, ms }];
  }).sort((a, b) => b.ms - a.ms);
  if (found.length === 0) return undefined;
  const names: Partial<Record<Subject, string>> = { Map: 'Map, from JSON', node: 'bare Node, no lookup' };
  return {
    name: 'first-lookup',
    about: found.map(({ subject, ms }) => `${names[subject] ?? SUBJECT_NAMES[subject]} ${round(ms)} ms`).join(', '),
    option: {
      ...frame(
        'From the start of the process to its first lookup',
        'milliseconds, 1,000,000 entries; files in the page cache',
        run,
      ),
      grid: { left: 24, right: 70, top: 92, bottom: 24, containLabel: true },
      xAxis: { type: 'value', name: 'ms', axisLabel: { formatter: shortCount } },
      yAxis: { type: 'category', data: found.map(({ subject }) => names[subject] ?? SUBJECT_NAMES[subject]) },
      series: [
        {
          type: 'bar',
          barMaxWidth: 34,
          label: { show: true, position: 'right', formatter: ({ value: ms }: { value: number }) => String(round(ms)) },
          data: found.map(({ subject, ms }) => ({ value: ms, itemStyle: { color: COLORS[subject] } })),
        },
      ],
    },
  };
}

function sizePoints(run: Run, selector: Partial<Figure>): Point[] {
  return SIZES.flatMap((dataset) => {
    const y = value(run, { ...selector, dataset });
    return y === undefined ? [] : [[entriesOf(dataset)!, y] as const];
  });
}

function value(run: Run, selector: Parameters<typeof findFigure>[1]): number | undefined {
  const figure = findFigure(run, selector);
  return figure === undefined ? undefined : median(figure.samples);
}

function line(name: string, color: string, points: readonly Point[]): Line {
  return { name, color, points };
}

function categoryName(dataset: Dataset): string {
  return entriesOf(dataset) === undefined ? datasetName(dataset) : `${datasetName(dataset)} entries`;
}
