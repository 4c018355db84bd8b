// Builds by several threads: the same bytes as by one, the same errors, and nothing lost when a thread fails.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ByteBuffer } from '../../src/base/bytes.js';
import { threadsFor, WorkerThread } from '../../src/base/workers.js';
import { withBuilder } from '../../src/build/build.js';
import type { BuildOptions, BuildSummary } from '../../src/build/common/options.js';
import { EntryStats, shapeOfEntries } from '../../src/build/hash/entry-stats.js';
import type { RecordSink } from '../../src/build/hash/ingest.js';
import { layOut } from '../../src/build/hash/spans.js';
import { bucketCount } from '../../src/format/index-lines.js';
import { build, type Entry, verify } from '../../src/index.js';
import { cutLines, Source } from '../../tools/input/source.js';
import { hmapError } from '../support/errors.js';
import { buildInParts, type InputPart } from '../support/parallel-build.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temp.js';
import { hmap } from '../support/tools.js';

const MIB = 2 ** 20;
const SPANS = new URL('../../src/build/hash/span-worker.js', import.meta.url);

type Pair = Entry<'bytes'>;

/** Entries with values of many lengths, some of them large enough to lie in the spill file by themselves. */
function entriesOf(count: number, random: Random, most = 60): Pair[] {
  return Array.from({ length: count }, (_, i) => {
    const length = i % 500 === 3 ? 70_000 : random.below(most);
    return [`${i}-${random.text(random.between(0, 20))}`, new Uint8Array(length).fill(i)];
  });
}

function add(sink: RecordSink, entries: Iterable<Pair>): void {
  for (const [key, value] of entries) {
    const k = new ByteBuffer(Buffer.from(key as string));
    const v = new ByteBuffer(value);
    sink.add(k, 0, k.size, v, 0, v.size);
  }
}

/** Spans that other threads were asked for and wrote. */
let written = 0;

class CountingThread extends WorkerThread {
  override async ask<T>(work: unknown): Promise<T | undefined> {
    const answer = await super.ask<T>(work);
    if (answer !== undefined) written++;
    return answer;
  }
}

/** Builds by one thread or with several, and gives the file's bytes. */
async function built(
  path: string,
  entries: readonly Pair[],
  options: Partial<BuildOptions>,
  scripts: URL[] = [],
): Promise<{ bytes: Buffer; summary: Omit<BuildSummary, 'seconds'> }> {
  const all = { value: 'bytes', memory: MIB, ...options } as const;
  const { seconds: _, ...summary } = await withBuilder(path, all, async (builder) => {
    for (const script of scripts) builder.addThread(new CountingThread(script.href, undefined));
    add(builder, entries);
  });
  return { bytes: readFileSync(path), summary };
}

describe('the second half of a build, by several threads', () => {
  test('gives the bytes and the summary that one thread gives', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(1);
    for (const [count, most, options] of [
      [0, 60, {}],
      [1, 60, {}],
      [500, 60, {}],
      [5000, 60, {}],
      [20_000, 40, {}],
      [20_000, 200, { segmentBytes: 2 * MIB, memory: 8 * MIB }],
      [20_000, 200, { segmentBytes: MIB / 2, memory: 8 * MIB }],
      [3000, 1, { memory: 8 * MIB, seed: 99 }],
    ] as const) {
      const entries = entriesOf(count, random, most);
      const one = await built(join(folder, 'one.hmap'), entries, options);
      for (const helpers of [1, 3]) {
        const path = join(folder, 'many.hmap');
        written = 0;
        const many = await built(path, entries, options, new Array(helpers).fill(SPANS));
        const what = `${count} entries, ${JSON.stringify(options)}, ${helpers} helpers`;
        assert.ok(many.bytes.equals(one.bytes), what);
        assert.deepEqual({ ...many.summary, path: '' }, { ...one.summary, path: '' }, what);
        assert.deepEqual((await verify(path)).findings, [], what);
        assert.equal(written, count < 500 ? 0 : helpers, what);
      }
    }
  });

  test('keys and values of one length each lose their prefixes', async (t) => {
    const folder = temporaryFolder(t);
    const entries = Array.from({ length: 5000 }, (_, i): Pair => [String(10_000 + i), new Uint8Array(200).fill(i)]);
    const one = await built(join(folder, 'one.hmap'), entries, {});
    const two = await built(join(folder, 'two.hmap'), entries, {}, [SPANS]);
    assert.ok(two.bytes.equals(one.bytes));
  });

  test('is done without a helper that cannot load, or that ends', async (t) => {
    const folder = temporaryFolder(t);
    const entries = entriesOf(5000, new Random(2));
    const one = await built(join(folder, 'one.hmap'), entries, {});
    const ending = join(folder, 'ending.mjs');
    writeFileSync(
      ending,
      `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit(3));`,
    );
    const silent = join(folder, 'failing.mjs');
    writeFileSync(
      silent,
      `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => parentPort.postMessage(undefined));`,
    );
    for (const script of [join(folder, 'missing.mjs'), ending, silent]) {
      const two = await built(join(folder, 'two.hmap'), entries, {}, [new URL(`file://${script}`)]);
      assert.ok(two.bytes.equals(one.bytes), script);
    }
  });

  test('is asked for by the library itself once there is much to do', async (t) => {
    const memory = 64 * MIB;
    if (threadsFor(memory) < 2) return t.skip('one processor');
    const folder = temporaryFolder(t);
    // Enough entries for as many buckets as there are partitions, and enough bytes for a second thread.
    const entries = Array.from({ length: 2200 }, (_, i): Pair => [`key ${i}`, new Uint8Array(40_000).fill(i)]);
    let started = 0;
    const onWorker = () => started++;
    process.on('worker', onWorker);
    t.after(() => process.off('worker', onWorker));
    await build(join(folder, 'one.hmap'), entries, { value: 'bytes', memory: memory / 2 });
    assert.equal(started, 0);
    await build(join(folder, 'two.hmap'), entries, { value: 'bytes', memory });
    assert.equal(started, 1);
    assert.ok(readFileSync(join(folder, 'two.hmap')).equals(readFileSync(join(folder, 'one.hmap'))));
    await build(join(folder, 'two.hmap'), entries, { value: 'bytes', memory, duplicates: 'last' });
    assert.equal(started, 1, 'entries may be dropped: one thread');
  });

  test('finds a key that occurs twice, wherever it is, and names the one that one thread names', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(3);
    const entries = entriesOf(5000, random);
    for (let round = 0; round < 8; round++) {
      const twice = [...entries, ...Array.from({ length: 1 + (round % 3) }, () => random.pick(entries))];
      let expected: unknown;
      await assert.rejects(built(join(folder, 'one.hmap'), twice, {}), (error: Error) => {
        expected = error.message;
        return hmapError('HMAP_DUPLICATE_KEY')(error);
      });
      await assert.rejects(built(join(folder, 'two.hmap'), twice, {}, [SPANS]), { message: expected as string });
    }
  });

  test('entries that are dropped are dropped, in the order of the input', async (t) => {
    const folder = temporaryFolder(t);
    const entries = entriesOf(2000, new Random(4));
    const twice = [...entries, ...entries.map(([key]): Pair => [key, new Uint8Array(3)])];
    for (const duplicates of ['first', 'last'] as const) {
      const one = await built(join(folder, 'one.hmap'), twice, { duplicates });
      const two = await built(join(folder, 'two.hmap'), twice, { duplicates }, [SPANS]);
      assert.equal(two.summary.duplicates, 2000);
      assert.ok(two.bytes.equals(one.bytes));
    }
  });
});

describe('a helper that is stopped', () => {
  test('keeps the process alive until it has ended, though its answer comes late', async (t) => {
    const folder = temporaryFolder(t);
    const chatty = join(folder, 'chatty.mjs');
    writeFileSync(
      chatty,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', () => { for (let i = 0; i < 1000; i++) parentPort.postMessage(i); });`,
    );
    const main = join(folder, 'main.mjs');
    writeFileSync(
      main,
      `import { WorkerThread } from ${JSON.stringify(new URL('../../src/base/workers.js', import.meta.url).href)};
       for (let round = 0; round < 10; round++) {
         const thread = new WorkerThread(new URL(${JSON.stringify(pathToFileURL(chatty).href)}));
         await thread.ask(1);
         thread.ask(2);
         await thread.stop();
       }
       console.log('ended');`,
    );
    assert.equal(execFileSync(process.execPath, [main], { encoding: 'utf8' }), 'ended\n');
  });

  test('and one that waits for work keep no process alive', async (t) => {
    const main = join(temporaryFolder(t), 'main.mjs');
    writeFileSync(
      main,
      `import { WorkerThread } from ${JSON.stringify(new URL('../../src/base/workers.js', import.meta.url).href)};
       new WorkerThread(new URL(${JSON.stringify(SPANS.href)}));`,
    );
    execFileSync(process.execPath, [main], { timeout: 20_000 });
  });
});

describe('a file laid out before it is written', () => {
  test('is cut into spans of about one size at the borders of partitions, without gap or overlap', () => {
    const random = new Random(5);
    for (const segmentLimit of [2 ** 31 - 1, 2 ** 19, 2 ** 17]) {
      const stats = new EntryStats('u32');
      const counts = new Float64Array(64);
      for (let i = 0; i < 20_000; i++) {
        const hash = random.u32();
        stats.add(hash | 0, random.between(1, 200), 4);
        counts[hash >>> 26]!++;
      }
      const plan = shapeOfEntries(stats, 'u32', segmentLimit);
      for (const parts of [1, 2, 3, 4, 64]) {
        const layout = layOut(plan, stats, 'u32', counts, 4096, parts);
        if (plan.segmentBits > 6) {
          assert.equal(layout, undefined);
          continue;
        }
        const { spans, segments } = layout!;
        assert.equal(spans[0]!.first, 0);
        assert.equal(spans.at(-1)!.end, 64);
        assert.equal(spans.at(-1)!.endBucket, 2 ** plan.segmentBits * bucketCount(plan));
        for (const [i, span] of spans.entries()) {
          assert.ok(span.first < span.end);
          if (i > 0) assert.equal(span.first, spans[i - 1]!.end);
          if (i > 0) assert.equal(span.start.bucket, spans[i - 1]!.endBucket);
        }
        assert.ok(spans.length <= parts && spans.length >= Math.min(parts, 60));
        assert.equal(
          segments.reduce((sum, { entries }) => sum + entries, 0),
          20_000,
        );
      }
    }
  });
});

describe('the first half of a build, by several threads', () => {
  const inParts = (path: string, parts: readonly (readonly Pair[])[], options: Partial<BuildOptions>) =>
    buildInParts(path, parts as readonly InputPart[], { value: 'bytes', ...options }, 0);

  test('gives the bytes that one thread gives, in memory and with a spill file, and keeps the order of the input', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(6);
    for (const count of [10, 3000, 30_000]) {
      const entries = entriesOf(count, random);
      // Every key again, with another value, in each later part.
      const thirds = [0, 1, 2].map((part) =>
        entries.map(([key, value]): Pair => [key, Uint8Array.of(part, value.length)]),
      );
      for (const duplicates of ['first', 'last'] as const) {
        for (const parts of [thirds.slice(0, 2), thirds]) {
          const one = await built(join(folder, 'one.hmap'), parts.flat(), { duplicates });
          await inParts(join(folder, 'lanes.hmap'), parts, { duplicates });
          assert.ok(
            readFileSync(join(folder, 'lanes.hmap')).equals(one.bytes),
            `${count} ${duplicates} ${parts.length}`,
          );
        }
      }
    }
  });

  test('leaves no part of the input out when only one lane has spilled', async (t) => {
    const folder = temporaryFolder(t);
    const random = new Random(7);
    const few = entriesOf(10, random);
    const many = entriesOf(30_000, random).map(([key, value]): Pair => [`m${key as string}`, value]);
    for (const parts of [
      [few, many],
      [many, few],
    ]) {
      const one = await built(join(folder, 'one.hmap'), parts.flat(), {});
      await inParts(join(folder, 'lanes.hmap'), parts, {});
      assert.ok(readFileSync(join(folder, 'lanes.hmap')).equals(one.bytes));
    }
  });
});

describe('a file of lines', () => {
  // Twice what a part must have, and more.
  const size = 66 * MIB;

  test('is cut at line ends, never before what would be taken for a byte order mark', (t) => {
    const path = join(temporaryFolder(t), 'lines.txt');
    const line = `${'x'.repeat(98)}\n`;
    const text = Buffer.from(line.repeat(Math.ceil(size / line.length)));
    // Every second line begins as a byte order mark.
    for (let at = 0; at < text.length; at += 2 * line.length) text.set([0xef, 0xbb, 0xbf], at);
    writeFileSync(path, text);
    const cutsOf = (parts: number) => {
      const source = new Source(path);
      const cuts = cutLines(source.shared!, parts, true);
      for (const cut of cutLines(source.shared!, parts, false).slice(1, -1)) {
        assert.ok(cut < cuts[1]! && cut % (2 * line.length) === line.length);
      }
      source.close();
      return cuts;
    };
    const cuts = cutsOf(2);
    assert.equal(cuts.length, 3);
    assert.equal(cuts[1]! % (2 * line.length), line.length);
    assert.deepEqual(cutsOf(1), [0, text.length]);
    writeFileSync(path, Buffer.alloc(size, 'x'));
    assert.deepEqual(cutsOf(2), [0, size], 'no line end far and wide');
    writeFileSync(path, text.subarray(0, MIB));
    assert.deepEqual(cutsOf(2), [0, MIB], 'too small');
  });

  test('that several threads read gives the file that a pipe gives, and the same line in an error', async (t) => {
    if (threadsFor(256 * MIB) < 2) return t.skip('one processor');
    const folder = temporaryFolder(t);
    const padding = '.'.repeat(100);
    const lines = Array.from({ length: 500_000 }, (_, i) => `key number ${i} of many in this file${padding}\t${i}`);
    const good = `${lines.join('\r\n')}`;
    assert.ok(good.length > size);
    writeFileSync(join(folder, 'good.tsv'), good);
    const command = ['build', '--force', '--value', 'u32'];
    const [threads, pipe] = await Promise.all([
      hmap([...command, '--json', 'good.tsv', 'threads.hmap'], { cwd: folder }),
      hmap([...command, '--format', 'tsv', '-', 'pipe.hmap'], { cwd: folder, input: good }),
    ]);
    assert.deepEqual([threads.code, pipe.code], [0, 0], threads.stderr + pipe.stderr);
    assert.equal(JSON.parse(threads.stdout).entries, 500_000);
    assert.ok(readFileSync(join(folder, 'threads.hmap')).equals(readFileSync(join(folder, 'pipe.hmap'))));

    lines[490_000] = 'key\tno number';
    writeFileSync(join(folder, 'bad.tsv'), lines.join('\n'));
    const bad = await hmap([...command, 'bad.tsv', 'threads.hmap'], { cwd: folder });
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /line 490001: /);

    lines[490_000] = lines[3]!;
    writeFileSync(join(folder, 'twice.tsv'), lines.join('\n'));
    const twice = await hmap([...command, 'twice.tsv', 'threads.hmap'], { cwd: folder });
    assert.equal(twice.code, 2);
    assert.match(twice.stderr, /"key number 3 of many in this file.*occurs more than once/);
    lines[490_000] = lines[3]!.replace(/\d+$/, '77');
    writeFileSync(join(folder, 'twice.tsv'), lines.join('\n'));
    for (const [policy, value] of [
      ['first', '3'],
      ['last', '77'],
    ] as const) {
      await hmap([...command, '--duplicates', policy, 'twice.tsv', 'threads.hmap'], { cwd: folder });
      const got = await hmap(['get', 'threads.hmap', `key number 3 of many in this file${padding}`], { cwd: folder });
      assert.equal(got.stdout, `${value}\n`);
    }
  });
});
