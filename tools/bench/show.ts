// A run as tables on a terminal. Knows no measurement; targets are checked elsewhere.

import { humanBytes } from '../terminal/cli.js';
import { textTable } from '../terminal/columns.js';
import { DATASETS, type Figure, median, type Run, type Unit } from './model.js';
import { foundText, limitText, metText } from './target-text.js';
import { type Target, targetsOf } from './targets.js';

const LOOKUPS = ['get', 'has', 'getMany', 'iterate'];

/** What a part of a run has measured. */
export function figuresText(figures: readonly Figure[]): string {
  const lookups = figures.filter(({ metric }) => LOOKUPS.includes(metric));
  const builds = figures.filter(({ metric }) => metric === 'build' || metric === 'build pairs');
  const others = figures.filter((figure) => !lookups.includes(figure) && !builds.includes(figure));
  const parts = [
    ...DATASETS.flatMap((dataset) =>
      section(
        `Lookups, ${dataset}`,
        lookups.filter((figure) => figure.dataset === dataset),
      ),
    ),
    ...section('Builds', builds),
    ...section('Memory, start, the rest', others),
  ];
  return parts.map((part) => `\n${part}\n`).join('');
}

/** What is known when all is measured. */
export function endText(run: Run): string {
  const parts = [
    `\nNode ${run.node} (V8 ${run.v8}) on ${run.cpu}, ${run.cores} cores, ${humanBytes(run.memoryBytes)}, ${run.system}`,
    `seed ${run.seed}, ${run.seconds.toFixed(0)} s`,
    ...targets(targetsOf(run)),
    ...absent(run),
  ];
  return `${parts.join('\n\n')}\n`;
}

function section(title: string, figures: readonly Figure[]): string[] {
  if (figures.length === 0) return [];
  const names = [...new Set(figures.map(nameOf))];
  const rows = names.flatMap((name) => {
    const group = figures.filter((figure) => nameOf(figure) === name);
    const ours = group.find(({ subject }) => subject === 'hmap');
    return group.map((figure) => {
      const { subject, samples, unit } = figure;
      const middle = median(samples);
      const ratio = ours === undefined || ours === figure ? '' : `${(median(ours.samples) / middle).toFixed(2)}`;
      const [least, most] = [Math.min(...samples), Math.max(...samples)];
      return [name, subject, show(middle, unit), show(least, unit), show(most, unit), String(samples.length), ratio];
    });
  });
  return [`${title}\n${textTable(['what', 'subject', 'median', 'least', 'most', 'trials', 'hmap / this'], rows)}`];
}

/** What a figure has in common with those that it is compared with. */
function nameOf({ metric, dataset, values, keys, order, count, unit }: Figure): string {
  const inTitle = LOOKUPS.includes(metric);
  const words = [
    metric,
    keys,
    order,
    values,
    count === undefined ? undefined : `by ${count}`,
    inTitle ? undefined : dataset,
  ];
  return words.filter((word) => word !== undefined && word !== unit).join(' ');
}

function show(value: number, unit: Unit): string {
  if (unit === 'bytes') return humanBytes(value);
  if (unit === 'bytes a second') return `${humanBytes(value)}/s`;
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 3;
  return `${value.toFixed(digits)} ${unit}`;
}

function targets(found: readonly Target[]): string[] {
  if (found.length === 0) return [];
  const rows = found.map((target) => [target.what, limitText(target), foundText(target), metText(target)]);
  return [`Targets\n${textTable(['target', 'limit', 'found', ''], rows)}`];
}

function absent(run: Run): string[] {
  if (run.absent.length === 0) return [];
  return [`Absent\n${run.absent.map(({ subject, why }) => `  ${subject}: ${why}`).join('\n')}`];
}
