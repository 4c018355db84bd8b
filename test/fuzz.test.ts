// Tries thousands of damaged and hostile files, made from a seed: in each way of opening and asking an answer or an error of ours, never a wrong
// answer where blocks are checked, and always a finding of verify. HMAP_TEST_FUZZ tells how many inputs a group has, HMAP_TEST_FUZZ_SEED
// which ones.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from '../src/index.js';
import { runNode } from './support/child.js';
import type { Input } from './support/fuzz-damage.js';
import { FILES, type FuzzReport, type Group, inputOf, streamOf, type Task } from './support/fuzz-run.js';
import { makeSamples, type Sample } from './support/fuzz-samples.js';
import { type Counts, noCounts } from './support/fuzz-verdict.js';
import type { Random } from './support/random.js';
import { temporaryFolder } from './support/temp.js';
import { assertComplaint, hmap, type Ran } from './support/tools.js';
import { watch } from './support/watchdog.js';

const COUNT = Number(process.env.HMAP_TEST_FUZZ ?? 800);
const SEED = Number(process.env.HMAP_TEST_FUZZ_SEED ?? 1);
/** Inputs that one process tries. */
const SHARE = 20_000;
const RUN = fileURLToPath(new URL('./support/fuzz-run.js', import.meta.url));

/** Memory that no input may drive a process to: kilobytes that it may write to, megabytes of its heap. */
const MEMORY = 500_000;
/** V8 reserves so much room for code from Node 24 on that a limit that tells anything would stop it. */
const LIMITABLE = process.platform === 'linux' && Number(process.versions.node.split('.')[0]) < 24;
const HEAP = 160;
/** Megabytes of buffers between two inputs. */
const BUFFERS = 100;

/** What share of the inputs can be opened at all, and of the questions is answered and refused, at least. */
const ENOUGH: Record<Group, { opened: number; answered: number; refused: number }> = {
  mutated: { opened: 0.75, answered: 0.3, refused: 0.15 },
  truncated: { opened: 0.3, answered: 0.2, refused: 0.15 },
  spliced: { opened: 0.9, answered: 0.3, refused: 0.15 },
  hostile: { opened: 0.5, answered: 0.5, refused: 0.1 },
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
  for (const [group, { opened, answered, refused }] of Object.entries(ENOUGH) as [Group, (typeof ENOUGH)[Group]][]) {
    test(`${group}, ${COUNT} of them`, async (t) => {
      const sum = noCounts();
      for (let first = 0; first < COUNT; first += SHARE) {
        const task = { group, seed: SEED, first, count: Math.min(SHARE, COUNT - first) };
        const { counts, failures, seconds, buffers, heap } = await fuzz(task);
        add(sum, counts);
        const [bad] = failures;
        if (bad !== undefined) {
          const again = JSON.stringify({ ...task, first: bad.input, count: 1 });
          assert.fail(`${bad.of}: ${bad.what}\n${bad.message}\nto see it again: node ${RUN} '${again}'`);
        }
        assert.equal(counts.inputs, task.count);
        assert.ok(buffers < BUFFERS * 2 ** 20, `${buffers} bytes of buffers`);
        t.diagnostic(
          `inputs ${first} to ${first + task.count - 1}: ${seconds.toFixed(1)} s, heap ${heap >> 20} MiB, buffers ${buffers >> 20} MiB`,
        );
      }
      t.diagnostic(JSON.stringify(sum));
      if (COUNT < 500) return;
      // Else all of this has seen nothing but the header's own checks.
      assert.ok(sum.opened >= opened * sum.inputs, `${sum.opened} of ${sum.inputs} were opened`);
      const asked = sum.answers + sum.refusals;
      assert.ok(sum.answers >= answered * asked, `${sum.answers} of ${asked} questions were answered`);
      assert.ok(sum.refusals >= refused * asked, `${sum.refusals} of ${asked} questions were refused`);
      if (group === 'hostile') assert.ok(sum.whole >= 0.01 * sum.inputs, `${sum.whole} files are whole again`);
      if (group !== 'texts') assert.ok(sum.reloads >= 0.05 * sum.inputs, `${sum.reloads} were taken up by a reload`);
    });
  }
});

/** One that can be opened. */
function openable(group: keyof typeof FILES, samples: readonly Sample[], random: Random): [path: string, input: Input] {
  const path = join(folder, `${group}-program.hmap`);
  for (;;) {
    const input = inputOf(FILES[group], samples, random);
    writeFileSync(path, input.bytes);
    try {
      open(path, { check: 'header' }).close();
      if (!input.bytes.equals(input.of.bytes)) return [path, input];
    } catch {
      // Refused at once, as tools-errors.test.ts has it.
    }
  }
}

describe('the program with damaged files', { concurrency: availableParallelism() }, () => {
  const samples = makeSamples(folder);
  for (const group of Object.keys(FILES) as (keyof typeof FILES)[]) {
    for (let i = 0; i < Math.ceil(COUNT / 5000); i++) {
      test(`${group}, number ${i}`, async () => {
        const random = streamOf(SEED, 1_000_000_000 + i);
        const [path, { of, what }] = openable(group, await samples, random);
        const keys = [of.answers[0], of.answers.at(-1)].filter((answer) => answer !== undefined && of.strings);
        const asked = ['--json', ...keys.map((answer) => answer!.key.toString()), 'miss'];
        const runs = await Promise.all(
          [
            ['verify', path],
            ['dump', path],
            ['stat', path],
            ['get', path, ...asked],
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
        if (dumped.code === 0) assert.equal(dumped.stdout, (await hmap(['dump', of.path])).stdout);
        if (measured.code === 0) {
          const [, ...page] = measured.stdout.split('\n');
          assert.deepEqual(page, (await hmap(['stat', of.path])).stdout.split('\n').slice(1));
        }
        if (got.code !== 2) assert.equal(got.stdout, (await hmap(['get', of.path, ...asked])).stdout);
      });
    }
  }
});
