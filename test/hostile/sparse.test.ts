// Tries sparse files of up to terabytes whose headers are right and whose counts are hostile, made from a seed: no call
// takes five seconds or a gibibyte, and what comes out are answers and errors of ours. HMAP_TEST_SPARSE says how many,
// HMAP_TEST_SPARSE_SEED which ones.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runNode } from '../support/child.js';
import type { SparseReport, SparseTask } from './sparse-run.js';

const COUNT = Number(process.env.HMAP_TEST_SPARSE ?? 40);
const SEED = Number(process.env.HMAP_TEST_SPARSE_SEED ?? 1);
/** Files that one process tries. */
const SHARE = 1000;
const RUN = fileURLToPath(new URL('./sparse-run.js', import.meta.url));

describe('sparse files', { skip: process.platform === 'win32' && 'files have no holes there' }, () => {
  test(`${COUNT} of them (seed ${SEED})`, async (t) => {
    for (let first = 0; first < COUNT; first += SHARE) {
      const task: SparseTask = { seed: SEED, first, count: Math.min(SHARE, COUNT - first) };
      const ran = await runNode([RUN, JSON.stringify(task)], { seconds: 120 + 4 * task.count });
      assert.equal(ran.status, 0, `${JSON.stringify(task)}: ${ran.signal} ${ran.stderr.slice(0, 2000)}`);
      const { failures, ...counts } = JSON.parse(ran.stdout) as SparseReport;
      t.diagnostic(JSON.stringify(counts));
      const [bad] = failures;
      if (bad !== undefined) {
        const again = JSON.stringify({ ...task, first: bad.input, count: 1 });
        assert.fail(`${bad.what}\n${bad.message}\nto see it again: node ${RUN} '${again}'`);
      }
      // Four ways to open each. Else all of this has seen nothing but the header's own checks.
      assert.ok(counts.opened > task.count && counts.largest > 2 ** 36, JSON.stringify(counts));
      assert.ok(counts.answers > 20 * task.count && counts.refusals > 5 * task.count, JSON.stringify(counts));
    }
  });
});
