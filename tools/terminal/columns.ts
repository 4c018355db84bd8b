// Tables of plain columns and paragraphs, as wide as the terminal. Knows nothing of what is in them.

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

/**
 * Characters in a line: of the terminal, or as the environment variable COLUMNS says; without end in a pipe, where
 * programs read lines.
 */
export function pageWidth(): number {
  const columns = process.stdout.columns || Number(process.env.COLUMNS);
  return columns > 0 ? columns : Number.POSITIVE_INFINITY;
}

/**
 * {@link textTable} in at most `width` characters, if it can be: of the columns named in `spare`, the first go until the
 * others fit.
 */
export function fittedTable(head: string[], rows: string[][], width: number, spare: readonly string[]): string {
  for (let dropped = 0; ; dropped++) {
    const without = spare.slice(0, dropped);
    const isKept = (_: string, column: number) => !without.includes(head[column]!);
    const table = textTable(
      head.filter(isKept),
      rows.map((row) => row.filter(isKept)),
    );
    const isFitting = Math.max(...table.split('\n').map((line) => line.length)) <= width;
    if (!isFitting && dropped < spare.length) continue;
    return without.length === 0 ? table : `${table}\n${wrapped(`(too narrow for: ${without.join(', ')})`, width)}`;
  }
}

/**
 * A paragraph in lines of at most `width` characters, longer words aside; all but the first begin with the indent. It
 * keeps its spaces, but for those at which a line ends.
 */
export function wrapped(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  let spaces = '';
  for (const part of text.match(/ +|[^ ]+/g) ?? []) {
    if (part.startsWith(' ')) {
      spaces = part;
      continue;
    }
    if (line === '' || line.length + spaces.length + part.length <= width) {
      line += spaces + part;
    } else {
      lines.push(line);
      line = indent + part;
    }
    spaces = '';
  }
  return [...lines, line].join('\n');
}
