// Charts as SVG, drawn when the report is made. Knows scales and shapes; does not know what the figures mean.

import { scaleBand, scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { grouped } from '../terminal/cli.js';

/** Units of the drawing: text keeps its size on a phone, since no chart is wider. */
const WIDTH = 480;
const HEIGHT = 220;
const MARGIN = { top: 12, right: 8, bottom: 34, left: 56 };

let drawn = 0;

/** A text as it may stand in HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** @param summary what somebody who does not see the chart should know */
function svg(height: number, title: string, summary: string, body: string): string {
  const id = `chart-${++drawn}`;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-title ${id}-summary"><title id="${id}-title">${escaped(title)}</title><desc id="${id}-summary">${escaped(summary)}</desc>${body}</svg>`;
}

const round = (value: number) => Math.round(100 * value) / 100;

export interface Part {
  readonly name: string;
  readonly bytes: number;
}

/** Parts of one whole, side by side, to scale; the class of each is `part-` and its name. */
export function stack(title: string, parts: readonly Part[], summary: string): string {
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const x = scaleLinear()
    .domain([0, Math.max(total, 1)])
    .range([0, WIDTH]);
  let from = 0;
  const rects = parts.map(({ name, bytes }) => {
    const [left, right] = [x(from), x(from + bytes)];
    from += bytes;
    const label = `${name}: ${grouped(bytes)} bytes`;
    return `<rect class="part-${name.replaceAll(' ', '-')}" x="${round(left)}" y="0" width="${round(right - left)}" height="36"><title>${escaped(label)}</title></rect>`;
  });
  return svg(36, title, summary, rects.join(''));
}

/** Cells in rows, the first to the upper left, each as full as its share, in [0, 1], says. */
export function heatMap(title: string, shares: readonly number[], summary: string): string {
  const columns = Math.min(32, shares.length);
  const size = WIDTH / columns;
  const rows = Math.ceil(shares.length / columns);
  const height = Math.min(size, 30);
  const cells = shares.map((share, i) => {
    const [left, top] = [(i % columns) * size, Math.floor(i / columns) * height];
    const place = `x="${round(left + 0.5)}" y="${round(top + 0.5)}" width="${round(size - 1)}" height="${round(height - 1)}"`;
    return `<rect class="cell" ${place}/><rect class="warm" ${place} fill-opacity="${share}"/>`;
  });
  return svg(round(rows * height), title, summary, cells.join(''));
}

export interface Bar {
  readonly label: string;
  readonly count: number;
}

/**
 * Bars from zero, with a scale.
 * @param expected a line of dots over the bars, one each
 */
export function bars(
  title: string,
  all: readonly Bar[],
  axes: { readonly x: string; readonly y: string },
  summary: string,
  expected?: readonly number[],
): string {
  const most = Math.max(1, ...all.map(({ count }) => count), ...(expected ?? []));
  const x = scaleBand<number>()
    .domain(all.map((_, i) => i))
    .range([MARGIN.left, WIDTH - MARGIN.right])
    .padding(0.15);
  const y = scaleLinear()
    .domain([0, most])
    .nice(4)
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
  const grid = y
    .ticks(4)
    .filter(Number.isInteger)
    .map((tick) => {
      const at = round(y(tick));
      return `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}"/><text class="tick" x="${MARGIN.left - 6}" y="${at + 4}" text-anchor="end">${short(tick)}</text>`;
    });
  const rects = all.map(({ label, count }, i) => {
    const top = y(count);
    const bottom = y(0);
    return `<rect class="bar" x="${round(x(i)!)}" y="${round(top)}" width="${round(x.bandwidth())}" height="${round(bottom - top)}"><title>${escaped(`${label}: ${grouped(count)}`)}</title></rect>`;
  });
  // Labels that have room, also in the larger letters of a phone.
  const every = Math.ceil(all.reduce((sum, { label }) => sum + 8 * label.length + 8, 0) / (WIDTH - MARGIN.left));
  const labels = all.map(({ label }, i) =>
    i % every === 0
      ? `<text class="tick" x="${round(x(i)! + x.bandwidth() / 2)}" y="${HEIGHT - MARGIN.bottom + 15}" text-anchor="middle">${escaped(label)}</text>`
      : '',
  );
  const names = `<text class="axis" x="${(WIDTH + MARGIN.left) / 2}" y="${HEIGHT - 3}" text-anchor="middle">${escaped(axes.x)}</text><text class="axis" transform="translate(11 ${(HEIGHT - MARGIN.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(axes.y)}</text>`;
  let over = '';
  if (expected !== undefined) {
    const points = expected
      .slice(0, all.length)
      .map((count, i): [number, number] => [round(x(i)! + x.bandwidth() / 2), round(y(count))]);
    const dots = points.map(([cx, cy]) => `<circle class="expected" cx="${cx}" cy="${cy}" r="2.5"/>`);
    over = `<path class="expected" d="${line()(points) ?? ''}"/>${dots.join('')}`;
  }
  return svg(HEIGHT, title, summary, [...grid, ...rects, over, ...labels, names].join(''));
}

/** A number on a scale. */
function short(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= size) return `${round(value / size)}${unit}`;
  }
  return String(value);
}
