// A process that tries sparse files, one after the other, and prints a report as JSON. To see one input again, alone:
// node dist/test/hostile/sparse-run.js '{"seed":1,"first":123,"count":1}'

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AnyKey,
  HmapError,
  inspectBucket,
  inspectKey,
  type List,
  type OpenOptions,
  open,
  stat,
  type Table,
  verify,
} from '../../src/index.js';
import type { Random } from '../support/random.js';
import { streamOf } from './fuzz-run.js';
import { type SparseFile, writeSparse } from './sparse-files.js';
import { watchSteps } from './watchdog.js';

export interface SparseTask {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
}

export interface SparseReport {
  /** Files that could be opened, and what was answered and refused in them. */
  opened: number;
  answers: number;
  refusals: number;
  /** Of the largest file that was opened, and of the process's own memory. */
  largest: number;
  memory: number;
  /** Of the longest call, in milliseconds. */
  longest: number;
  failures: { input: number; what: string; message: string }[];
}

/** Milliseconds that one call may take. */
const PATIENCE = 5000;
const MEMORY = 2 ** 30;
/** What verify and stat get before they are stopped. */
const LOOK = 100;

const report: SparseReport = {
  opened: 0,
  answers: 0,
  refusals: 0,
  largest: 0,
  memory: 0,
  longest: 0,
  failures: [],
};

/** Bytes of the process that are no file's. */
function ownMemory(): number {
  if (process.platform !== 'linux') return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  return 1024 * Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
}

/** Only errors of ours, and misuse, may come out. */
function judge(error: unknown): void {
  const isAbort = error instanceof Error && error.name === 'TimeoutError';
  if (isAbort || error instanceof TypeError || error instanceof RangeError || error instanceof HmapError) {
    if (error instanceof RangeError && !/expected/.test(error.message)) throw error;
    if (error instanceof TypeError && /undefined|null|not a function/.test(error.message)) throw error;
    report.refusals++;
    return;
  }
  throw error;
}

function timed<R>(what: string, act: () => R): R | undefined {
  const start = performance.now();
  try {
    const result = act();
    report.answers++;
    return result;
  } catch (error) {
    judge(error);
    return undefined;
  } finally {
    took(what, performance.now() - start);
  }
}

async function timedAsync(what: string, act: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const start = performance.now();
  try {
    await act(AbortSignal.timeout(LOOK));
    report.answers++;
  } catch (error) {
    judge(error);
  }
  took(what, performance.now() - start);
}

function took(what: string, ms: number): void {
  report.longest = Math.max(report.longest, ms);
  if (ms > PATIENCE) throw new Error(`${what} took ${Math.round(ms)} ms`);
}

const KEYS: Record<SparseFile['keyType'], (random: Random) => AnyKey> = {
  bytes: (random) => random.text(random.pick([0, 1, 3, 16, 200])),
  u32: (random) => random.u32(),
  u64: (random) => BigInt(random.u32()) * 7_777_777_777n,
  i64: (random) => BigInt(random.u32()) * -3_333_333n,
  uuid: (random) => `${random.text(8, '0123456789abcdef')}-0000-4000-8000-${random.text(12, '0123456789abcdef')}`,
  hex: (random) => random.text(2 * random.below(20), '0123456789abcdef'),
};

/** A few steps of an iteration. */
function walk(what: string, make: () => Iterator<unknown>): void {
  const iterator = timed(what, make);
  for (let i = 0; i < 40 && iterator !== undefined; i++) {
    if (timed(what, () => iterator.next())?.done !== false) break;
  }
  iterator?.return?.();
}

async function tryFile(path: string, random: Random): Promise<string> {
  const file = writeSparse(path, random);
  const { layout, fingerprint, keyType } = file;
  for (const check of ['header', 'touch'] as const) {
    for (const warm of ['none', 'all'] as const) {
      const options = { check, warm, layout, ...(fingerprint && { fingerprint }) } as OpenOptions;
      const opened = timed('open', () => open(path, options)) as (Table & List) | undefined;
      if (opened === undefined) continue;
      report.opened++;
      report.largest = Math.max(report.largest, file.fileBytes);
      ask(opened, file, random);
      timed('reload', () => opened.reload());
      timed('close', () => opened.close());
    }
  }
  if (layout === 'hash') {
    for (let i = 0; i < 3; i++) timed('inspectKey', () => inspectKey(path, KEYS[keyType](random)));
    timed('inspectBucket', () => inspectBucket(path, random.pick([0, 31, random.u32()])));
  }
  await timedAsync('verify', (signal) => verify(path, { signal }));
  await timedAsync('stat', (signal) => stat(path, { signal }));
  return file.what;
}

function ask(opened: Table & List, { layout, keyType, base, length }: SparseFile, random: Random): void {
  if (layout === 'hash') {
    const keys = Array.from({ length: 12 }, () => KEYS[keyType](random)) as string[];
    for (const key of keys) {
      timed('get', () => opened.get(key as never));
      timed('has', () => opened.has(key as never));
      timed('getView', () => opened.getView(key as never));
    }
    timed('getMany', () => opened.getMany(keys as never));
    timed('getManyViews', () => opened.getManyViews(keys as never));
  } else {
    for (const at of [base, base + length - 1, base + length, base + random.u32()]) {
      if (layout === 'list') timed('get', () => (opened as List).get(at));
      else timed('has', () => (opened as unknown as Set<number>).has(at));
    }
  }
  if (layout === 'bits') {
    const bits = opened as unknown as { rank(x: number): number; select(k: number): number };
    for (const k of [0, 1, length - 1, random.u32()]) {
      timed('rank', () => bits.rank(base + k));
      timed('select', () => bits.select(k));
    }
  }
  for (const way of ['values', 'entries', 'keys'] as const) {
    if (way in opened) walk(way, () => (opened[way as 'values'] as () => Iterator<unknown>)());
  }
}

async function run({ seed, first, count }: SparseTask): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hmap-sparse-'));
  const dog = watchSteps(6 * (PATIENCE / 1000));
  try {
    for (let i = first; i < first + count && report.failures.length < 10; i++) {
      dog.step();
      const path = join(folder, `${i}.hmap`);
      let what = '';
      try {
        what = await tryFile(path, streamOf(seed, i));
      } catch (error) {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        report.failures.push({ input: i, what, message });
      }
      rmSync(path, { force: true });
      // What was collected gets the turn in which it is released.
      await new Promise((resolve) => setImmediate(resolve));
      const memory = ownMemory();
      report.memory = Math.max(report.memory, memory);
      if (memory > MEMORY) report.failures.push({ input: i, what, message: `${memory} bytes of memory` });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await dog.end();
  }
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

void run(JSON.parse(process.argv[2]!) as SparseTask);
