// node dist/tools/bench/open-large.js: how long `open` takes for files of 1 to 128 GiB in processes whose heaps are
// small, large and nearly full. The files are sparse: only their headers take room. Prints a table.

import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import xxhash from 'xxhash-wasm';
import { build } from '../../src/index.js';
import { runTask } from './child.js';
import type { Answer, Task } from './open-large-child.js';
import { CACHE } from './places.js';

const GIB = 2 ** 30;
const PAGE = 4096;
const BLOCK = 65_536;
/** By name: 2 to the power of `segmentBits` segments. */
const FILES = [
  { name: '1 GiB', segmentBits: 0, segmentBytes: GIB - 8 },
  { name: '32 GiB', segmentBits: 4, segmentBytes: 2 * GIB - 8 },
  { name: '128 GiB', segmentBits: 6, segmentBytes: 2 * GIB - 8 },
];
/** Megabytes that the process has on its heap, and may have. */
const HEAPS = [
  { megabytes: 4, most: 4096 },
  { megabytes: 600, most: 4096 },
  { megabytes: 3600, most: 3900 },
];
const ROUNDS = 5;

/** A file with a whole header, and zeros after it (native-notes/format.md, sections 3 to 5 and 9). */
async function writeSparse(path: string, model: string, segmentBits: number, segmentBytes: number): Promise<void> {
  const { h32Raw, h64Raw } = await xxhash();
  const count = 2 ** segmentBits;
  const bucketBits = 10;
  const header = Buffer.alloc(Math.ceil((192 + 24 * count) / PAGE) * PAGE);
  const put = (at: number, value: number) => header.writeBigUInt64LE(BigInt(value), at);
  readFileSync(model).copy(header, 0, 0, 192);
  header.writeUInt32LE(header.length, 16);
  header.set([32, segmentBits, bucketBits], 58);
  let end = header.length;
  for (let i = 0; i < count; i++, end += segmentBytes) {
    for (const [k, value] of [end, segmentBytes, segmentBytes].entries()) put(192 + 24 * i + 8 * k, value);
  }
  const index = end;
  end += count * 2 ** (bucketBits - 5) * 136;
  let sums = 0;
  let last = 0;
  for (let sum = Math.ceil((end - header.length) / BLOCK); last === 0; sum = Math.ceil((8 * sum) / PAGE)) {
    sums += 8 * sum;
    if (8 * sum <= PAGE) last = 8 * sum;
  }
  for (const [at, value] of [
    [24, end + sums],
    [32, count * segmentBytes],
    [88, end],
    [96, sums],
    [128, index],
  ] as const)
    put(at, value);
  header.writeBigUInt64LE(h64Raw(Buffer.alloc(last)), 104);
  header.writeUInt32LE(0, 12);
  header.writeUInt32LE(h32Raw(header), 12);
  const fd = openSync(path, 'w');
  writeSync(fd, header);
  ftruncateSync(fd, end + sums);
  closeSync(fd);
}

async function measure(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const model = join(CACHE, 'open-large-model.hmap');
  await build(model, [], { value: 'none' });
  const paths: string[] = [];
  for (const { name, segmentBits, segmentBytes } of FILES) {
    const path = join(CACHE, `open-large-${name.replace(' ', '-')}.hmap`);
    await writeSparse(path, model, segmentBits, segmentBytes);
    paths.push(path);
  }
  console.log(`Node ${process.version}: milliseconds, the median of ${ROUNDS} processes (smallest to largest)\n`);
  console.log(`| heap | ${FILES.map(({ name }) => name).join(' | ')} |\n|---|${'---:|'.repeat(FILES.length)}`);
  for (const { megabytes, most } of HEAPS) {
    const answers: Answer[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const task: Task = { model, paths, megabytes };
      answers.push(await runTask<Answer>('open-large-child.js', task, [`--max-old-space-size=${most}`, '--expose-gc']));
    }
    const columns = paths.map((_, i) => {
      const ms = answers.map((answer) => answer.ms[i]!).toSorted((a, b) => a - b);
      const [smallest, median, largest] = [0, Math.floor(ROUNDS / 2), ROUNDS - 1].map((at) => ms[at]!.toFixed(1));
      return `${median} (${smallest} to ${largest})`;
    });
    console.log(`| ${megabytes} of ${most} MB | ${columns.join(' | ')} |`);
  }
  for (const path of [model, ...paths]) rmSync(path);
}

await measure();
