// A file over 4 GiB, for real. Takes minutes and 10 GB of disk, so it runs only when HMAP_TEST_LARGE names a folder for
// the files.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { build, open, verify } from '../../src/index.js';

const folder = process.env.HMAP_TEST_LARGE;
const COUNT = 45_000_000;
const VALUE_BYTES = 84;

function keyOf(i: number): string {
  return `large table key ${Math.imul(i, 0x9e3779b1) >>> 0}`;
}

function* entries(): Generator<[string, Uint8Array]> {
  const value = new Uint8Array(VALUE_BYTES);
  const view = new DataView(value.buffer);
  for (let i = 0; i < COUNT; i++) {
    view.setUint32(0, i, true);
    view.setUint32(VALUE_BYTES - 4, ~i, true);
    yield [keyOf(i), value];
  }
}

/** Looks keys up in a seeded order, checks each, and returns nanoseconds a lookup of the best round. */
function lookUp(path: string, lookups: number): number {
  using table = open(path, { value: 'bytes' });
  let wrong = 0;
  const keys: string[] = [];
  const indexes: number[] = [];
  for (let n = 0, x = 12_345; n < lookups; n++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    indexes.push(x % COUNT);
    keys.push(keyOf(x % COUNT));
  }
  let best = Number.POSITIVE_INFINITY;
  // The first round maps the pages that the others find.
  for (let round = 0; round < 4; round++) {
    const started = performance.now();
    for (let n = 0; n < lookups; n++) {
      const view = table.getView(keys[n]!);
      if (view === undefined || (view[0]! | (view[1]! << 8)) !== (indexes[n]! & 0xffff)) wrong++;
    }
    best = Math.min(best, performance.now() - started);
  }
  assert.equal(wrong, 0);
  return (best * 1e6) / lookups;
}

describe('a file over 4 GiB', { skip: folder === undefined && 'set HMAP_TEST_LARGE to a folder to run it' }, () => {
  const whole = join(folder ?? '', 'large.hmap');
  const cut = join(folder ?? '', 'large-small-segments.hmap');
  after(() => {
    for (const path of [whole, cut]) rmSync(path, { force: true });
  });

  test('builds, verifies, and is looked up in at the cost of one of small segments', async (t) => {
    const summary = await build(whole, entries(), { value: 'bytes' });
    assert.ok(summary.fileBytes > 2 ** 32);
    assert.ok(summary.segments > 1);
    const small = await build(cut, entries(), { value: 'bytes', segmentBytes: 2 ** 28 });
    assert.ok(small.segments > summary.segments);
    const { ok, findings, seconds } = await verify(whole);
    assert.ok(ok, JSON.stringify(findings));
    const costs = [0, 1].map(() => [lookUp(whole, 1_000_000), lookUp(cut, 1_000_000)]);
    const [large, cutCost] = costs[1]! as [number, number];
    t.diagnostic(
      `${summary.fileBytes} bytes in ${summary.segments} segments, built in ${summary.seconds.toFixed(1)} s ` +
        `(${(summary.spilledBytes / 2 ** 30).toFixed(1)} GiB spilled), verified in ${seconds.toFixed(1)} s; ` +
        `${large.toFixed(0)} ns a lookup, ${cutCost.toFixed(0)} ns in ${small.segments} segments`,
    );
  });
});
