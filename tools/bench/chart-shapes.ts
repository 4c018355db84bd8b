// The shapes of charts, as options of ECharts: lines with their names beside them, bars in groups. Knows runs'
// machines, not their figures.

import type { Run } from './model.js';

export interface Chart {
  /** Of the SVG, without its ending. */
  readonly name: string;
  /** For readers who do not see it. */
  readonly about: string;
  /** What ECharts' `setOption` takes. */
  readonly option: object;
}

/** Of every chart, in pixels. */
export const WIDTH = 900;
export const HEIGHT = 500;
/** Of the column of names beside lines. */
const NAMES = 236;

/** A figure in a series, at its place on the x axis. */
export type Point = readonly [x: number, y: number];

export interface Line {
  readonly name: string;
  readonly color: string;
  readonly dashed?: boolean;
  readonly points: readonly Point[];
}

export interface Look {
  readonly title: string;
  readonly about: string;
  readonly run: Run;
}

export function lineChart(
  name: string,
  lines: readonly Line[],
  { title, about, run, xAxis, yAxis }: Look & { xAxis: object; yAxis: object },
): Chart | undefined {
  const shown = lines.filter(({ points }) => points.length > 0);
  if (shown.length === 0) return undefined;
  return {
    name,
    about: `${title}: ${about}`,
    option: {
      ...frame(title, about, run),
      // Names stand beside the ends of the lines, in one column: no legend has to be searched.
      grid: { left: 24, right: NAMES + 20, top: 116, bottom: 44, containLabel: true },
      xAxis: { nameLocation: 'middle', nameGap: 32, ...xAxis },
      yAxis,
      series: shown.map(({ name, color, dashed, points }) => ({
        type: 'line',
        name,
        data: points,
        symbolSize: 7,
        lineStyle: { width: 2.5, type: dashed === true ? 'dashed' : 'solid' },
        itemStyle: { color },
        endLabel: { show: true, formatter: '{a}', color, fontSize: 13 },
        labelLayout: { x: WIDTH - NAMES, align: 'left', moveOverlap: 'shiftY' },
      })),
    },
  };
}

export interface Bars {
  readonly name: string;
  readonly color: string;
  /** One a category; `undefined` if there is no figure. */
  readonly values: readonly (number | undefined)[];
}

export function barChart(
  name: string,
  bars: readonly Bars[],
  categories: readonly string[],
  { title, about, run, unit }: Look & { unit: string },
): Chart | undefined {
  const shown = bars.filter(({ values }) => values.some((each) => each !== undefined));
  const filled = categories.map((_, i) => shown.some(({ values }) => values[i] !== undefined));
  if (shown.length === 0) return undefined;
  return {
    name,
    about: `${title}: ${about}`,
    option: {
      ...frame(title, about, run),
      legend: { top: 84, left: 20, itemGap: 34, textStyle: { fontSize: 12 } },
      grid: { left: 24, right: 24, top: 142, bottom: 24, containLabel: true },
      xAxis: { type: 'category', data: categories.filter((_, i) => filled[i]) },
      yAxis: { type: 'value', name: unit, nameTextStyle: { align: 'left' } },
      series: shown.map(({ name, color, values }) => ({
        type: 'bar',
        name,
        barMaxWidth: 44,
        data: values.filter((_, i) => filled[i]).map((each) => (each === undefined ? null : round(each))),
        itemStyle: { color },
        label: { show: true, position: 'top', fontSize: 11 },
      })),
    },
  };
}

/** Title, what is shown and on which Node; a white ground, so that it reads on dark pages too. */
export function frame(title: string, about: string, { node, cpu }: Run): object {
  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif', color: '#222222' },
    title: {
      text: title,
      subtext: `${about}\nNode ${node.replace(/^v/, '')}, ${cpu}; medians`,
      left: 20,
      top: 12,
      itemGap: 6,
      textStyle: { fontSize: 18, color: '#111111' },
      subtextStyle: { fontSize: 12, color: '#555555', lineHeight: 16 },
    },
  };
}

/** 1000 as 1k, 1e6 as 1M. */
export function shortCount(count: number): string {
  if (count >= 1e6) return `${count / 1e6}M`;
  return count >= 1e3 ? `${count / 1e3}k` : String(count);
}

export function round(number: number): number {
  return Number(number.toPrecision(number >= 100 ? Math.ceil(Math.log10(number + 1)) : 3));
}
