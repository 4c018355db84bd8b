// Figures as people read them. Knows units, not what was measured.

import type { Unit } from './model.js';

const SCALES: Partial<Record<Unit, readonly (readonly [least: number, unit: string])[]>> = {
  bytes: [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ],
  'entries a second': [
    [1e6, 'million entries a second'],
    [1e3, 'thousand entries a second'],
  ],
  'bytes a second': [
    [1e9, 'GB/s'],
    [1e6, 'MB/s'],
  ],
  ns: [
    [1e6, 'ms'],
    [1e3, 'µs'],
  ],
};

/** A value with its unit; `scale` is the value that decides on the unit, so that several values can have the same. */
export function showValue(value: number, unit: Unit | 'ratio', scale = value): string {
  const { divisor, name } = scaleOf(unit, scale);
  return name === '' ? digits(value / divisor) : `${digits(value / divisor)} ${name}`;
}

/** A value without its unit, scaled as {@link showValue} would. */
export function showNumber(value: number, unit: Unit | 'ratio', scale = value): string {
  return digits(value / scaleOf(unit, scale).divisor);
}

function scaleOf(unit: Unit | 'ratio', value: number): { divisor: number; name: string } {
  if (unit === 'ratio' || unit === 'count') return { divisor: 1, name: '' };
  const scale = SCALES[unit]?.find(([least]) => Math.abs(value) >= least);
  if (scale !== undefined) return { divisor: scale[0], name: scale[1] };
  return { divisor: 1, name: unit };
}

/** Three significant digits. */
function digits(value: number): string {
  if (value === 0) return '0';
  const whole = Math.floor(Math.log10(Math.abs(value))) + 1;
  const text = value.toFixed(Math.min(3, Math.max(0, 3 - whole)));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
