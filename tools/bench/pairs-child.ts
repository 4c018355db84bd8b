// One trial of building from memory: an array of pairs with fresh strings becomes a file or a Map. Once, and without a
// warm-up, as a program does it.

import { build, open } from 'hmap';
import { readDecimal, readLines } from './lines.js';

declare const gc: () => void;

export interface PairsTask {
  readonly subject: 'hmap' | 'Map';
  readonly tsv: string;
  readonly output: string;
}

async function main(): Promise<void> {
  const { subject, tsv, output } = JSON.parse(process.argv[2]!) as PairsTask;
  const pairs: [string, number][] = [];
  readLines(tsv, (bytes, start, keyEnd, end) => {
    pairs.push([bytes.toString('latin1', start, keyEnd), readDecimal(bytes, keyEnd + 1, end)]);
  });
  gc();
  const start = performance.now();
  let table: ReadonlyMap<string, number>;
  if (subject === 'hmap') {
    await build(output, pairs, { value: 'u32' });
    table = open(output, { value: 'u32' });
  } else {
    const map = new Map<string, number>();
    for (const [key, value] of pairs) map.set(key, value);
    table = map;
  }
  const seconds = (performance.now() - start) / 1000;
  if (table.size !== pairs.length) throw new Error(`${table.size} entries of ${pairs.length}`);
  for (let i = 0; i < pairs.length; i += 997) {
    const [key, value] = pairs[i]!;
    if (table.get(key) !== value) throw new Error(`the key ${key} gave ${table.get(key)}, not ${value}`);
  }
  console.log(JSON.stringify({ seconds }));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
