// The page about platforms, from what was tried. Knows Markdown.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../support/root.js';
import type { Row } from './rows.js';
import type { Found } from './smoke.js';

/** A row, and what came of it. */
export interface Tried {
  readonly row: Row;
  readonly found?: Found;
  /** What is wrong, if anything is. */
  readonly wrong?: string;
}

const START = '<!-- from here on written by test/platforms/run.ts -->';

function line({ row, found, wrong }: Tried): string {
  const mapping = found === undefined ? 'none' : found.mapping;
  const published = found?.published === undefined || found.published === 'renamed' ? '' : `, ${found.published}`;
  const checks = wrong === undefined ? `${found!.passed}` : `failed: ${wrong.slice(0, 120).replaceAll(/[\n|]/g, ' ')}`;
  return `| ${row.system} | ${row.runtime} | ${row.by} | ${mapping}${published} | ${checks} |`;
}

/** The page, with its text as it stands and a new table. */
export function page(tried: readonly Tried[]): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'native-notes/platforms.md'), 'utf8');
  if (!text.includes(START)) throw new Error('the page has no mark where the table starts');
  const groups = [...new Set(tried.map(({ row }) => row.group))];
  const tables = groups.map((group) => {
    const lines = tried.filter(({ row }) => row.group === group).map(line);
    return `\n## ${group[0]!.toUpperCase()}${group.slice(1)}\n\n| system | runtime | by | mapping | checks passed |\n|---|---|---|---|---|\n${lines.join('\n')}\n`;
  });
  return `${text.slice(0, text.indexOf(START))}${START}\n${tables.join('')}`;
}
