// Tries thousands of damaged and hostile files, made from a seed: in each way of opening and asking an answer or an
// error of ours, never a wrong answer where blocks are checked, and always a finding of verify. HMAP_TEST_FUZZ says how
// many inputs a group has, HMAP_TEST_FUZZ_SEED which ones.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from '../../src/index.js';
import { runNode } from '../support/child.js';
import type { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import { assertComplaint, hmap, type Ran } from '../support/tools.js';
import type { Input } from './fuzz-damage.js';
import { FILES, type FuzzReport, type Group, inputOf, streamOf, type Task } from './fuzz-run.js';
import { FORMS, type Form, keyOfBytes, makeSamples, type Sample } from './fuzz-samples.js';
import { type Counts, noCounts } from './fuzz-verdict.js';
import { watch } from './watchdog.js';

const COUNT = Number(process.env.HMAP_TEST_FUZZ ?? 800);
const SEED = Number(process.env.HMAP_TEST_FUZZ_SEED ?? 1);
/** Inputs that one process tries. */
const SHARE = 20_000;
const RUN = fileURLToPath(new URL('./fuzz-run.js', import.meta.url));

/** Memory that no input may drive a process to: kilobytes that it may write to, megabytes of its heap. */
const MEMORY = 500_000;
/** V8 reserves so much room for code from Node 24 on that a useful limit would stop it. */
const LIMITABLE = process.platform === 'linux' && Number(process.versions.node.split('.')[0]) < 24;
const HEAP = 160;
/** Megabytes of buffers between two inputs. */
const BUFFERS = 100;

/**
 * What share of the inputs can be opened at all, and of the questions is answered and refused, at least; half as much
 * of each form of file.
 */
const ENOUGH: Record<Group, { opened: number; answered: number; refused: number }> = {
  mutated: { opened: 0.75, answered: 0.3, refused: 0.15 },
  truncated: { opened: 0.3, answered: 0.18, refused: 0.15 },
  spliced: { opened: 0.9, answered: 0.3, refused: 0.15 },
  hostile: { opened: 0.4, answered: 0.5, refused: 0.1 },
  texts: { opened: 0.1, answered: 0.1, refused: 0.5 },
};

const folder = temporaryFolder(nodeTest);
after(watch(120 + COUNT / 10));

/** Tries some inputs in a process of their own, which lives through all of them. */
async function fuzz(task: Task): Promise<FuzzReport> {
  const progress = join(folder, `${task.group}-${task.first}`);
  const { status, signal, stdout, stderr } = await runNode(
    [`--max-old-space-size=${HEAP}`, RUN, JSON.stringify({ ...task, progress })],
    {
      seconds: 60 + task.count / 10,
      ...(LIMITABLE && { limit: `-d ${MEMORY}` }),
    },
  );
  if (status === 0) return JSON.parse(stdout) as FuzzReport;
  const at = readFileSync(progress, 'utf8').trim();
  assert.fail(`${JSON.stringify(task)} ended at input ${at} with ${signal ?? status}: ${stderr.slice(0, 2000)}`);
}

function add(sum: Counts, counts: Counts): void {
  for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name];
}

describe('damaged files', { concurrency: availableParallelism() }, () => {
  for (const group of Object.keys(ENOUGH) as Group[]) {
    test(`${group}, ${COUNT} of them`, async (t) => {
      const sums = Object.fromEntries(FORMS.map((form) => [form, noCounts()])) as Record<Form, Counts>;
      for (let first = 0; first < COUNT; first += SHARE) {
        const task = { group, seed: SEED, first, count: Math.min(SHARE, COUNT - first) };
        const { forms, failures, seconds, buffers, heap } = await fuzz(task);
        for (const form of FORMS) add(sums[form], forms[form]);
        const [bad] = failures;
        if (bad !== undefined) {
          const again = JSON.stringify({ ...task, first: bad.input, count: 1 });
          assert.fail(`${bad.of}: ${bad.what}\n${bad.message}\nto see it again: node ${RUN} '${again}'`);
        }
        assert.ok(buffers < BUFFERS * 2 ** 20, `${buffers} bytes of buffers`);
        t.diagnostic(
          `inputs ${first} to ${first + task.count - 1}: ${seconds.toFixed(1)} s, heap ${heap >> 20} MiB, buffers ${buffers >> 20} MiB`,
        );
      }
      const all = noCounts();
      for (const [form, counts] of Object.entries(sums)) {
        t.diagnostic(`${form}: ${JSON.stringify(counts)}`);
        add(all, counts);
      }
      assert.equal(all.inputs, COUNT);
      if (COUNT < 500) return;
      assertEnough(group, 'all forms', all, 1);
      for (const [form, counts] of Object.entries(sums)) {
        // There is no text of these.
        if (group !== 'texts' || form !== 'fingerprints') assertEnough(group, form, counts, 0.5);
      }
    });
  }
});

/** Else all of this has seen nothing but the header's own checks. */
function assertEnough(group: Group, form: string, sum: Counts, factor: number): void {
  const shares = { ...ENOUGH[group], whole: group === 'hostile' ? 0.01 : 0, reloads: group === 'texts' ? 0 : 0.05 };
  const asked = sum.answers + sum.refusals;
  const least = (share: number, of: number, counted: number, what: string) =>
    assert.ok(counted >= factor * share * of, `${form}: ${counted} of ${of} ${what}`);
  assert.ok(sum.inputs >= (COUNT * factor) / FORMS.length, `${form}: ${sum.inputs} inputs`);
  least(shares.opened, sum.inputs, sum.opened, 'inputs were opened');
  least(shares.answered, asked, sum.answers, 'questions were answered');
  least(shares.refused, asked, sum.refusals, 'questions were refused');
  least(shares.whole, sum.inputs, sum.whole, 'inputs are whole again');
  least(shares.reloads, sum.inputs, sum.reloads, 'inputs were taken up by a reload');
}

/** One of a form that can be opened. */
function openable(group: keyof typeof FILES, samples: readonly Sample[], random: Random, path: string): Input {
  for (;;) {
    const input = inputOf(FILES[group], samples, random);
    writeFileSync(path, input.bytes);
    try {
      const layout = (['hash', 'list', 'bits'] as const)[input.bytes[63]!];
      const fingerprint = layout === 'hash' && (input.bytes[20]! & 32) !== 0;
      open(path, { check: 'header', layout, fingerprint } as never).close();
      if (!input.bytes.equals(input.of.bytes)) return input;
    } catch {
      // Refused at once, as tools/errors.test.ts has it.
    }
  }
}

/** Keys as the program takes them: two that are there, and one that is not, where they are text. */
function keysFor(of: Sample): string[] {
  if (of.layout !== 'hash') {
    const there = of.layout === 'list' ? [of.base, of.base + of.length - 1] : of.values.slice(0, 2);
    return [...there, of.base + of.length].map(String);
  }
  if (!of.strings) return ['miss'];
  const there = [of.answers[0], of.answers.at(-1)].filter((answer) => answer !== undefined).map(({ key }) => key);
  const keys = [...there, of.keyType === 'bytes' ? Buffer.from('miss') : of.absent[0]!];
  // An argument ends at a zero byte.
  return keys.map((key) => String(keyOfBytes(of.keyType, key))).filter((key) => !key.includes('\0'));
}

describe('the program with damaged files', { concurrency: availableParallelism() }, () => {
  const all = makeSamples(folder);
  for (const group of Object.keys(FILES) as (keyof typeof FILES)[]) {
    for (const [number, form] of FORMS.entries()) {
      for (let i = 0; i < Math.ceil(COUNT / 5000); i++) {
        test(`${group}, ${form}, number ${i}`, async () => {
          const random = streamOf(SEED, 1_000_000_000 + FORMS.length * i + number);
          const path = join(folder, `${group}-${form}-${i}-program.hmap`);
          const samples = (await all).filter((sample) => sample.form === form);
          await assertProgram(group, openable(group, samples, random, path), path);
        });
      }
    }
  }
});

async function assertProgram(group: Group, { of, what }: Input, path: string): Promise<void> {
  const asked = ['--json', '--', of.path, ...keysFor(of)];
  const wholes = async (args: string[]) => (await hmap(args)).stdout;
  const runs = await Promise.all(
    [
      ['verify', '--no-find-bit', path],
      ['dump', path],
      ['stat', path],
      ['get', ...asked.with(2, path)],
      ['dump', '--header', path],
    ].map((args) => hmap(args)),
  );
  const [verified, dumped, measured, got] = runs as [Ran, Ran, Ran, Ran];
  for (const { signal, code, stderr } of runs) {
    assert.equal(signal, null, `${of.name}, ${what}: ${stderr}`);
    if (code === 2) assertComplaint(stderr, /^hmap: /);
  }
  assert.doesNotMatch(verified.stdout, /[^\P{Cc}\n]/u, 'control characters');
  if (group === 'hostile') {
    assert.ok(verified.code === 0 || verified.code === 1);
    return;
  }
  assert.equal(verified.code, 1, `${of.name}, ${what}: ${verified.stdout}`);
  // Blocks are checked: what is answered is right.
  if (dumped.code === 0) assert.equal(dumped.stdout, await wholes(['dump', of.path]));
  if (measured.code === 0) {
    const [, ...page] = measured.stdout.split('\n');
    assert.deepEqual(page, (await wholes(['stat', of.path])).split('\n').slice(1));
  }
  if (got.code !== 2) assert.equal(got.stdout, await wholes(['get', ...asked]));
}
