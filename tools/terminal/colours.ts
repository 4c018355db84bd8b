// Colours of a page on a terminal; in a pipe, and where the user wants none, pages are plain. Knows bars and headings;
// does not know what they show.

import { styleText } from 'node:util';

/** Whether stdout shows colours: see https://no-color.org. */
export function hasColours(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** Whoever calls has asked {@link hasColours}; Node's own answer would be that of another stream, or of a later call. */
const UNASKED = { validateStream: false };
const styled = (style: 'bold' | 'cyan', text: string) => styleText(style, text, UNASKED);

/** A page of paragraphs and tables: the first line and the heads of tables bold, bars in colour. */
export function coloured(page: string): string {
  const lines = page.split('\n');
  return lines
    .map((line, i) => {
      const isHead = i === 0 || (lines[i - 1] === '' && lines[i + 1] !== '' && / {2}/.test(line) && !/█/.test(line));
      return isHead && line !== '' ? styled('bold', line) : line.replace(/[█▏▎▍▌▋▊▉]+/g, (bar) => styled('cyan', bar));
    })
    .join('\n');
}
