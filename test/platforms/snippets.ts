// Commands that the page about bundling tells people to use. Knows where they stand.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../support/root.js';

/** The lines of the block with the name, for a shell. */
export function snippet(name: string): string {
  const page = readFileSync(join(PACKAGE_ROOT, 'native-notes/bundling.md'), 'utf8');
  const [, block] = new RegExp(`<!-- test: ${name} -->\\n\\n((?: {4}.*\\n)+)`).exec(page) ?? [];
  if (block === undefined) throw new Error(`native-notes/bundling.md has no block '${name}'`);
  return block.replace(/^ {4}/gm, '');
}
