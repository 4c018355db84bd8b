// Tables of plain columns for terminals. Knows nothing of what is in them.

import Table from 'cli-table3';

const PLAIN = {
  chars: {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  },
  style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
};

/** A table of plain columns, the first to the left and the others to the right. */
export function textTable(head: string[], rows: string[][]): string {
  const table = new Table({ ...PLAIN, head, colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')) });
  table.push(...rows);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
