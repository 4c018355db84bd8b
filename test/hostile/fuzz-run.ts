// A process that tries damaged files of one group, one after the other, and prints a report as JSON. To see one input
// again, alone: node dist/test/support/fuzz-run.js '{"group":"hostile","seed":1,"first":123,"count":1}'

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '../support/random.js';
import { Trial } from './fuzz-checks.js';
import { type Input, type MakeInput, mutated, spliced, truncated } from './fuzz-damage.js';
import { hostile } from './fuzz-hostile.js';
import { type Form, makeSamples, type Sample } from './fuzz-samples.js';
import { textOf, tryText } from './fuzz-texts.js';
import type { Counts } from './fuzz-verdict.js';
import { watchSteps } from './watchdog.js';

export const FILES = { mutated, truncated, spliced, hostile } as const satisfies Record<string, MakeInput>;
export type Group = keyof typeof FILES | 'texts';

export interface Task {
  group: Group;
  seed: number;
  /** Inputs are numbered; each follows from seed and number alone. */
  first: number;
  count: number;
  /** A file that always says which input is being tried, in case this process does not survive. */
  progress?: string;
}

export interface FuzzReport {
  /** By the form of the file that was damaged. */
  forms: Record<Form, Counts>;
  /** What was not as it must be, a few of them. */
  failures: { input: number; of: string; what: string; message: string }[];
  seconds: number;
  /** The most bytes of buffers, and of the JavaScript heap, between two inputs. */
  buffers: number;
  heap: number;
}

/** Seconds that one input may take. */
const PATIENCE = 20;
const MOST_FAILURES = 10;

/** Each number has a stream of its own; neighbours must not be alike. */
export function streamOf(seed: number, input: number): Random {
  return new Random(Math.imul(seed, 0x9e37_79b1) ^ Math.imul(input + 1, 0x85eb_ca6b));
}

export function inputOf(make: MakeInput, samples: readonly Sample[], random: Random): Input {
  const input = make(samples, random);
  // A few are left that are as they were; they must be found whole.
  return input.bytes.equals(input.of.bytes) ? make(samples, random) : input;
}

async function run({ group, seed, first, count, progress }: Task): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), 'hmap-fuzz-'));
  const fd = progress === undefined ? undefined : openSync(progress, 'w');
  const dog = watchSteps(PATIENCE);
  // Where an error comes from is costly to know, and of interest for a single input alone.
  if (count > 1) Error.stackTraceLimit = 0;
  try {
    const samples = await makeSamples(folder);
    const trial = new Trial(folder, samples, group !== 'hostile');
    const report: FuzzReport = { forms: trial.forms, failures: [], seconds: 0, buffers: 0, heap: 0 };
    const start = performance.now();
    for (let i = first; i < first + count && report.failures.length < MOST_FAILURES; i++) {
      if (fd !== undefined) writeSync(fd, `${i}\n`.padStart(16), 0);
      dog.step();
      const random = streamOf(seed, i);
      const text = group === 'texts' ? await textOf(samples, random) : undefined;
      const input = group === 'texts' ? text! : inputOf(FILES[group], samples, random);
      try {
        if (text === undefined) await trial.run(input, random);
        else await tryText(folder, text, random, trial.forms[text.of.form]);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        report.failures.push({ input: i, of: input.of.name, what: input.what, message });
      }
      if (i % 64 > 0) continue;
      // What was collected gets the turn in which it is released.
      await new Promise((resolve) => setImmediate(resolve));
      const { arrayBuffers, heapUsed } = process.memoryUsage();
      report.buffers = Math.max(report.buffers, arrayBuffers);
      report.heap = Math.max(report.heap, heapUsed);
    }
    report.seconds = (performance.now() - start) / 1000;
    return report;
  } finally {
    if (fd !== undefined) closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
    await dog.end();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  void run(JSON.parse(process.argv[2]!) as Task).then((report) => process.stdout.write(`${JSON.stringify(report)}\n`));
}
