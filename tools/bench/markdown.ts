// A report of runs as Markdown: machine, targets, all figures, who is absent. Knows runs and targets; draws nothing and
// writes no file.

import type { Chart } from './chart-shapes.js';
import { FINGERPRINT_METRICS } from './fingerprints.js';
import { FORMS } from './forms.js';
import { DATASETS, type Figure, findFigure, median, type Run } from './model.js';
import { datasetName, SUBJECT_NAMES, SUBJECT_ORDER } from './names.js';
import { foundText, limitText, metText } from './target-text.js';
import { targetsOf } from './targets.js';
import { showNumber, showValue } from './units.js';

const BIG_SETS = ['big set, BigInts', 'big set, chunks'].flatMap((metric) => [metric, `${metric}, peak`]);

/** Metrics that belong together; what no group names comes last, under a heading of its own. */
const GROUPS: readonly (readonly [title: string, metrics: readonly string[]])[] = [
  ['Lookups', ['get', 'has', 'getMany', 'iterate']],
  [
    'Builds',
    ['build', 'build pairs', 'build integers', 'build columns', 'dump', 'big build', 'big build peak', ...BIG_SETS],
  ],
  ['Sizes', ['file', 'size', 'overhead', 'overhead, keys of one length']],
  ['Start', ['open', 'open, second', 'first lookup', 'first lookup, own clock']],
  ['Shared memory', ['pss', 'pss, iterated', 'pss, modules loaded']],
  [
    'Checking blocks',
    ['header', 'touch'].flatMap((check) => [`warm get, check ${check}`, `first get of a table, check ${check}`]),
  ],
  [
    'Cold files',
    ['', ', check touch'].flatMap((check) => [
      `resident after open${check}`,
      `resident after a cold get${check}`,
      `pages of a cold get${check}`,
      `faults of a cold get${check}`,
    ]),
  ],
  ['Types and layouts', [...new Set(FORMS.map(({ metric }) => metric))]],
  ['Fingerprints in place of keys', FINGERPRINT_METRICS],
  ['Verify', ['verify', 'verify checksums', 'verify hashing']],
];

const VALUES: readonly Figure['values'][] = ['u32', 'utf8-20', 'bytes-200'];
const ORDERS: readonly Figure['order'][] = ['uniform', 'zipf'];
const KEYS: readonly Figure['keys'][] = ['hit', 'miss', 'mixed'];

/** @param folder of the charts, as the text names it */
export function reportText(runs: readonly Run[], charts: readonly Chart[], folder: string): string {
  return [
    '## Runs',
    runsTable(runs),
    '## Targets',
    'Found: the ratio (or the figure itself), then the medians that it is of. A run without a figure says so.',
    targetsTable(runs),
    ...(charts.length === 0 ? [] : ['## Charts']),
    ...charts.map(({ name, about }) => `![${about}](${folder}/${name}.svg)`),
    '## Figures',
    'Median (least to most) of the trials, each in a process of its own.',
    ...GROUPS.flatMap(([title, metrics]) => figuresTable(runs, title, (metric) => metrics.includes(metric))),
    ...figuresTable(runs, 'Others', (metric) => !GROUPS.some(([, metrics]) => metrics.includes(metric))),
    '## Absent',
    absentText(runs),
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

/** What heads a column of a run. */
function nameOf(run: Run): string {
  return `Node ${run.node.replace(/^v/, '')}`;
}

function runsTable(runs: readonly Run[]): string {
  const rows: [string, (run: Run) => string][] = [
    ['processor', ({ cpu, cores }) => `${cpu}, ${cores} cores`],
    ['memory', ({ memoryBytes }) => showValue(memoryBytes, 'bytes')],
    ['system', ({ system }) => system],
    ['V8', ({ v8 }) => v8],
    ['command', ({ command }) => `\`${command}\``],
    ['seed', ({ seed }) => String(seed)],
    ['took', ({ seconds }) => `${(seconds / 60).toFixed(1)} minutes`],
    ['versions', ({ versions }) => [...new Set(Object.values(versions))].join('; ')],
  ];
  return table(
    ['', ...runs.map(nameOf)],
    rows.map(([name, cell]) => [name, ...runs.map(cell)]),
  );
}

function emphasized(met: string): string {
  return met === 'missed' ? `**${met}**` : met;
}

function targetsTable(runs: readonly Run[]): string {
  const targets = runs.map(targetsOf);
  const rows = targets[0]!.map((first, i) => {
    const limits = [...new Set(targets.map((each) => limitText(each[i]!)))];
    const found = targets.flatMap((each) => [foundText(each[i]!), emphasized(metText(each[i]!))]);
    return [first.what, limits.join(' / '), ...found];
  });
  return table(['what', 'target', ...runs.flatMap((run) => [nameOf(run), 'met'])], rows);
}

function figuresTable(runs: readonly Run[], title: string, takes: (metric: string) => boolean): string[] {
  const figures = runs.flatMap((run) => run.figures.filter(({ metric }) => takes(metric)));
  if (figures.length === 0) return [];
  const distinct = new Map(figures.map((figure) => [JSON.stringify(identity(figure)), figure]));
  const rows = [...distinct.values()]
    .sort(inOrder)
    .map((figure) => [
      figure.metric,
      SUBJECT_NAMES[figure.subject],
      datasetName(figure.dataset),
      detailsOf(figure),
      ...runs.map((run) => spreadText(findFigure(run, identity(figure)))),
      figure.note ?? '',
    ]);
  return [`### ${title}`, table(['what', 'subject', 'entries', 'of', ...runs.map(nameOf), 'note'], rows)];
}

/**
 * Figures that are compared with one another stand together: the same lookups, in the same data, of one subject after
 * the other.
 */
function inOrder(a: Figure, b: Figure): number {
  for (const rank of RANKS) {
    const difference = rank(a) - rank(b);
    if (difference !== 0) return difference;
  }
  return 0;
}

const METRICS = GROUPS.flatMap(([, metrics]) => metrics);
const RANKS: readonly ((figure: Figure) => number)[] = [
  ({ metric }) => METRICS.indexOf(metric),
  ({ values }) => VALUES.indexOf(values),
  ({ order }) => ORDERS.indexOf(order),
  ({ keys }) => KEYS.indexOf(keys),
  ({ dataset }) => DATASETS.indexOf(dataset),
  ({ subject }) => SUBJECT_ORDER.indexOf(subject),
  ({ count }) => count ?? 0,
];

/** What a figure is of; runs of several Nodes have the same. */
function identity({ samples: _samples, note: _note, ...rest }: Figure): Omit<Figure, 'samples' | 'note'> {
  return rest;
}

function detailsOf({ values, keys, order, count, metric }: Figure): string {
  const several = count === undefined ? undefined : `${COUNTED[metric] ?? 'count'}: ${count.toLocaleString('en-US')}`;
  return [values, keys, order, several].filter((detail) => detail !== undefined).join(', ');
}

/** What the count of a figure counts. */
const COUNTED: Readonly<Record<string, string>> = {
  pss: 'processes',
  'pss, iterated': 'processes',
  'pss, modules loaded': 'processes',
  getMany: 'keys at once',
  'pages of a cold get': 'lookups',
  'faults of a cold get': 'lookups',
  'pages of a cold get, check touch': 'lookups',
  'faults of a cold get, check touch': 'lookups',
};

function spreadText(figure: Figure | undefined): string {
  if (figure === undefined) return '-';
  const { samples, unit } = figure;
  const middle = median(samples);
  if (samples.length === 1) return showValue(middle, unit);
  const ends = [Math.min(...samples), Math.max(...samples)].map((end) => showNumber(end, unit, middle));
  return ends[0] === ends[1] ? showValue(middle, unit) : `${showValue(middle, unit)} (${ends.join(' to ')})`;
}

function absentText(runs: readonly Run[]): string {
  const rows = runs.flatMap((run) =>
    run.absent.map(({ subject, why }) => `- ${nameOf(run)}: ${SUBJECT_NAMES[subject]}: ${why}`),
  );
  return rows.length === 0 ? 'All peers took part in all runs.' : rows.join('\n');
}
