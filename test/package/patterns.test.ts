// No regular expression of the code takes more than linear time, whatever text it meets: each is taken from the
// compiled code and tried on long texts of few kinds of characters, which is what makes nested or adjacent repeats
// slow.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { parseAst } from 'rollup/parseAst';
import { HmapError } from '../../src/index.js';
import { PACKAGE_ROOT } from '../support/root.js';

/** The bench and the demo read nothing but what they have made. */
const LEFT_OUT = /tools\/(bench|demo|examples)\//;

interface Node {
  readonly type?: string;
  readonly regex?: { readonly pattern: string; readonly flags: string };
}

function patternsOf(folder: string): { where: string; pattern: RegExp }[] {
  const found: { where: string; pattern: RegExp }[] = [];
  const root = join(PACKAGE_ROOT, 'dist', folder);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.name.endsWith('.js') || LEFT_OUT.test(path)) continue;
    const visit = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(visit);
      else if (typeof value === 'object' && value !== null) {
        const { regex } = value as Node;
        if (regex !== undefined) {
          const pattern = new RegExp(regex.pattern, regex.flags);
          found.push({ where: `${relative(root, path)}: ${pattern}`, pattern });
        }
        Object.values(value).forEach(visit);
      }
    };
    visit(parseAst(readFileSync(path, 'utf8')));
  }
  return found;
}

const LONG = 40_000;
const PIECES = [
  ' ',
  '\n',
  ' \n',
  '0',
  '0.',
  'a',
  'ab',
  'f0',
  '-',
  '_',
  '/',
  '.',
  ',',
  ':',
  '+',
  '"',
  '\u0085',
  'é',
  '\ud83d\ude00',
  'u1:',
];
/** What stands before and behind, so that a match almost comes about. */
const ENDS = ['', '!', '\n', 'x', '0', '\u0000'];
const STARTS = ['', '+', '-', 'a', '0x', '.'];

describe('regular expressions', () => {
  const all = [...patternsOf('src'), ...patternsOf('tools')];
  test('are found', () => assert.ok(all.length > 25, `${all.length}`));

  for (const { where, pattern } of all) {
    test(`in linear time: ${where}`, () => {
      for (const piece of PIECES) {
        const middle = piece.repeat(LONG / piece.length);
        for (const start of STARTS) {
          for (const end of ENDS) {
            const began = performance.now();
            `${start}${middle}${end}`.replace(pattern, '');
            const ms = performance.now() - began;
            // Linear ones take a millisecond or two; quadratic ones take seconds.
            assert.ok(ms < 500, `${ms} ms for ${JSON.stringify([start, piece, end])}`);
          }
        }
      }
    });
  }
});

test('an error that quotes a long text is made at once', () => {
  const began = performance.now();
  for (const text of [' ', '\n', ' \n ', '\t'].map((piece) => piece.repeat(LONG))) {
    const { message } = new HmapError('EINVAL', `a${text}b`);
    assert.doesNotMatch(message, /\p{Cc}/u);
  }
  assert.ok(performance.now() - began < 1000);
  assert.equal(new HmapError('EINVAL', 'one \n\n two\r\nthree\t').message, 'one two three');
});
