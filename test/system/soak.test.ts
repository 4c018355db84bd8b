// A writer that publishes a new version 20 times a second, under processes and threads that look up all the time: no
// error, no mixture of versions, and nothing that grows. HMAP_TEST_SOAK says for how many seconds; default 20.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from '../../src/index.js';
import { WORKING } from '../support/mappings.js';
import { temporaryFolder } from '../support/temp.js';
import { answerOf, keyOf, sizeOf } from './soak.js';
import type { Report, Task } from './soak-reader.js';

const SECONDS = Number(process.env.HMAP_TEST_SOAK ?? 20);
const PER_SECOND = 20;
const PROCESSES = 4;
const READER = fileURLToPath(new URL('./soak-reader.js', import.meta.url));

/**
 * Memory that may come and go: what has not yet been collected, and what the allocator keeps. If nothing went, it would
 * be more.
 */
const SLACK = { collected: 8 * 2 ** 20, floating: 130 * 2 ** 20 };

interface Reader {
  stop(): void;
  done: Promise<Report>;
}

function processReader(task: Task): Reader {
  const child = fork(READER, [JSON.stringify(task)], { execArgv: ['--expose-gc'] });
  const done = new Promise<Report>((resolve, reject) => {
    child.once('message', (report) => resolve(report as Report));
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`a reader ended with ${code ?? signal}`)));
  });
  return { stop: () => child.send('stop'), done };
}

function workerReader(task: Task): Reader {
  const worker = new Worker(READER, { workerData: task });
  const done = new Promise<Report>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { stop: () => worker.postMessage('stop'), done };
}

async function publish(path: string, number: number): Promise<void> {
  const keys = Array.from({ length: sizeOf(number) }, (_, i) => keyOf(i));
  await build(
    path,
    keys.map((key) => [key, answerOf(key, number)] as const),
    { value: 'bytes', memory: 2 ** 21 },
  );
}

test('versions come and go under readers', { timeout: (SECONDS + 60) * 1000 }, async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'table.hmap');
  const link = join(folder, 'link.hmap');
  await publish(path, 1);
  symlinkSync('table.hmap', link);
  const mapped = WORKING.includes('libc') ? 'libc' : 'copy';
  const readers = [
    processReader({ path, how: 'watch', mapping: mapped, check: 'touch' }),
    processReader({ path, how: 'reload', mapping: mapped, check: 'header' }),
    processReader({ path: link, how: 'watch', mapping: 'copy', check: 'touch' }),
    processReader({ path, how: 'watch', mapping: 'auto', check: 'full' }),
    workerReader({ path, how: 'watch', mapping: mapped, check: 'touch' }),
    workerReader({ path: link, how: 'reload', mapping: 'auto', check: 'full' }),
  ];
  const failed = Promise.all(readers.map(({ done }) => done)).then(
    () => undefined,
    (error: unknown) => error,
  );

  const start = performance.now();
  let published = 1;
  while (performance.now() - start < SECONDS * 1000) {
    const early = start + ((published - 1) * 1000) / PER_SECOND - performance.now();
    if (early > 0) await sleep(early);
    // Every other way that a file comes to its name: built in place, moved there, and a link that is switched.
    const number = published + 1;
    if (number % 5 === 0) {
      await publish(join(folder, 'next'), number);
      renameSync(join(folder, 'next'), path);
    } else {
      await publish(path, number);
    }
    if (number % 7 === 0) {
      symlinkSync('table.hmap', join(folder, 'next-link'));
      renameSync(join(folder, 'next-link'), link);
    }
    published = number;
  }
  for (const reader of readers) reader.stop();
  const error = await failed;
  if (error !== undefined) throw error;
  const reports = await Promise.all(readers.map(({ done }) => done));
  t.diagnostic(`${published} versions published in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  for (const [i, report] of reports.entries()) {
    t.diagnostic(
      `reader ${i}: ${report.lookups} lookups in ${report.moments} moments, ${report.reloads} reloads, ${report.versions} versions seen`,
    );
    assert.deepEqual(report.errors, [], `reader ${i}`);
    assert.ok(report.reloads >= Math.min(20, SECONDS), `reader ${i} took up ${report.reloads} versions`);
    assert.ok(report.versions > 2 && report.versions <= published);
    const { early, late } = report;
    assert.ok(late.rss - early.rss < SLACK.floating, `reader ${i}: memory from ${early.rss} to ${late.rss} bytes`);
    // Threads cannot ask for a collection here.
    const most = i < PROCESSES ? SLACK.collected : SLACK.floating;
    assert.ok(late.held - early.held < most, `reader ${i}: held from ${early.held} to ${late.held} bytes`);
    assert.ok(
      late.descriptors <= early.descriptors + 2,
      `reader ${i}: ${early.descriptors}, ${late.descriptors} files`,
    );
    assert.ok(late.mappings <= early.mappings + 8, `reader ${i}: ${early.mappings}, ${late.mappings} mappings`);
  }
  assert.deepEqual(readdirSync(folder).sort(), ['link.hmap', 'table.hmap']);
});
