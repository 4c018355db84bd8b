// The options of `hmap build`, and builds that are stopped or fail: the output is whole, or what it was.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BuildSummary, open } from '../../src/index.js';
import type { FormatName } from '../../tools/formats/format.js';
import { hmapError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { contentOf, failure, temporaryFolder } from '../support/temp.js';
import {
  assertRefused,
  assertSameFile,
  buildFrom,
  fine,
  hmap,
  libraryFile,
  piecesOf,
  start,
} from '../support/tools.js';
import { folder, fresh, MIB, textFile } from './build-cases.js';

describe('options', { concurrency: true }, () => {
  test('--duplicates: refused by default, naming the key; or the first, or the last', async () => {
    const input = 'a\t1\nb\t2\na\t3\na\t4\n';
    const run = (path: string, ...options: string[]) =>
      hmap(['build', '-f', 'tsv', '-v', 'u8', ...options, '-', path, '--json'], { input });
    const refused = fresh();
    for (const options of [[], ['--duplicates', 'error']]) {
      assertRefused(await run(refused, ...options), /^hmap: .*"a"/);
      assert.equal(existsSync(refused), false);
    }
    for (const [policy, kept] of [
      ['first', 1],
      ['last', 4],
    ] as const) {
      const path = fresh();
      const ran = await run(path, '-d', policy);
      const summary: BuildSummary = JSON.parse(ran.stdout);
      assert.deepEqual([summary.entries, summary.duplicates], [2, 2]);
      const entries = [['a', kept] as const, ['b', 2] as const];
      assertSameFile(path, await libraryFile(folder, entries, { value: 'u8' }), policy);
    }
  });

  test('--memory 1M: the entries are spilled, and the file is the same', async () => {
    const random = new Random(2);
    const lines = Array.from({ length: 60_000 }, (_, i) => `key number ${i}\t${random.text(random.below(12))}\n`);
    const [tight, wide] = [fresh(), fresh()];
    const input = textFile('.tsv', lines.join(''));
    const shuffled = textFile('.tsv', random.shuffled(lines).join(''));
    const spilled: BuildSummary = JSON.parse((await fine(['build', '--memory', '1M', '--json', input, tight])).stdout);
    const whole: BuildSummary = JSON.parse((await fine(['build', '-m', '0.25GiB', '--json', shuffled, wide])).stdout);
    assert.ok(spilled.spilledBytes > MIB, `${spilled.spilledBytes} bytes were spilled`);
    assert.equal(whole.spilledBytes, 0);
    assertSameFile(tight, readFileSync(wide));
    assert.equal(open(tight).size, 60_000);
  });

  test('--seed, in decimal and in hexadecimal', async () => {
    const entries = [['a', '1'] as const, ['b', '2'] as const];
    const cases: [string, number][] = [
      ['4294967295', 0xffff_ffff],
      ['0xCAFEf00d', 0xcafe_f00d],
    ];
    for (const [text, seed] of cases) {
      const path = fresh();
      await fine(['build', '-f', 'tsv', '--seed', text, '-', path], { input: 'a\t1\nb\t2\n' });
      assertSameFile(path, await libraryFile(folder, entries, { value: 'utf8', seed }), text);
    }
  });

  test('--meta is in the header', async () => {
    const path = fresh();
    const metadata = { name: 'x=y', empty: '', 'ä b': '€', ['__proto__']: '1' };
    const options = Object.entries(metadata).flatMap(([name, text]) => ['--meta', `${name}=${text}`]);
    await fine(['build', '-f', 'lines', '--meta', 'name=before', ...options, '-', path], { input: 'a\n' });
    assert.deepEqual(open(path).header.metadata, metadata);
    const { metadata: printed } = JSON.parse((await fine(['dump', '--header', path])).stdout);
    assert.deepEqual(printed, metadata);
    assertSameFile(path, await libraryFile(folder, [['a', true]], { value: 'none', metadata }));
  });

  test('an output that is there is refused, and replaced with --force', async (t) => {
    const place = temporaryFolder(t);
    const path = join(place, 'table.hmap');
    await fine(['build', '-f', 'lines', '-', path], { input: 'old\n' });
    const before = contentOf(place);
    assertRefused(await hmap(['build', '-f', 'lines', '-', path], { input: 'new\n' }), /table\.hmap exists/);
    assert.deepEqual(contentOf(place), before);
    assertRefused(await hmap(['build', '-f', 'tsv', '--force', '-', path], { input: 'new\n' }), /line 1/);
    assert.deepEqual(contentOf(place), before, 'the old file outlives a build that fails');
    await fine(['build', '-f', 'lines', '--force', '-', path], { input: 'new\n' });
    assertSameFile(path, await libraryFile(folder, [['new', true]], { value: 'none' }));
    assert.deepEqual(readdirSync(place), ['table.hmap']);
  });

  test('--json prints the summary, and nothing for people', async () => {
    const path = fresh();
    const ran = await fine(['build', '-f', 'tsv', '--json', '-', path], { input: 'a\tbc\nd\tefg\n' });
    assert.equal(ran.stderr, '');
    assert.match(ran.stdout, /^[^\n]+\n$/, 'one line');
    const { seconds, ...summary }: BuildSummary & { readAs: string; leftOut: number } = JSON.parse(ran.stdout);
    assert.ok(seconds > 0 && seconds < 20);
    assert.deepEqual(summary, {
      path,
      layout: 'hash',
      entries: 2,
      duplicates: 0,
      valueType: 'utf8',
      fileBytes: readFileSync(path).length,
      payloadBytes: 7,
      seed: 0,
      sections: { header: 4096, buckets: 40, heap: 9, dictionary: 0, fingerprints: 0, checksums: 8, padding: 7 },
      segments: 1,
      bucketLoads: { buckets: 32, mean: 2 / 32, longest: 1, histogram: [30, 2, ...new Array(15).fill(0)] },
      spilledBytes: 0,
      synced: true,
      published: 'renamed',
      readAs: 'tsv: key = column 1, value = column 2',
      leftOut: 0,
    });
  });

  test('what is dropped is reported', async () => {
    const ran = await fine(['build', '-f', 'lines', '-d', 'last', '-', fresh()], { input: 'a\na\na\n' });
    assert.match(ran.stderr, /: 1 .+ \(2 .+ dropped\)/);
  });
});

describe('a build that is stopped', { concurrency: true }, () => {
  /** Waits until the build has made its temporary file. */
  async function begun(place: string, except: number): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (readdirSync(place).length <= except) {
      assert.ok(performance.now() < deadline, 'the build has not begun');
      await sleep(10);
    }
  }

  const cases: [
    signal: 'SIGHUP' | 'SIGINT' | 'SIGTERM',
    code: number,
    format: FormatName,
    line: string,
    how: 'idle' | 'busy',
  ][] = [
    ['SIGINT', 130, 'tsv', 'a\t1\n', 'idle'],
    ['SIGTERM', 143, 'csv', 'a,1\n', 'idle'],
    ['SIGTERM', 143, 'cdb', '+1,1:a->1\n', 'idle'],
    ['SIGINT', 130, 'jsonl', '{"key":"a","value":1}\n', 'idle'],
    ['SIGTERM', 143, 'tsv', 'a\t1\n', 'busy'],
    ['SIGHUP', 129, 'tsv', 'a\t1\n', 'idle'],
    ['SIGHUP', 129, 'csv', 'a,1\n', 'busy'],
    ['SIGINT', 130, 'csv', 'a,1\n', 'busy'],
  ];
  for (const [signal, code, format, line, how] of cases) {
    test(`${signal} while it reads ${format} from a stdin that stays open, ${how}`, async (t) => {
      const place = temporaryFolder(t);
      const path = join(place, 'table.hmap');
      const old = how === 'busy' ? 1 : 0;
      if (old > 0) writeFileSync(path, 'the old file');
      const before = contentOf(place);
      const { child, ended } = start(['build', '-f', format, '--force', '--memory', '1M', '-', path]);
      let over = false;
      void ended.then(() => {
        over = true;
      });
      const lines = Buffer.from(line.repeat(how === 'idle' ? 1 : 10_000));
      child.stdin!.write(lines);
      await begun(place, old);
      const feeding = (async () => {
        while (how === 'busy' && !over) {
          child.stdin!.write(lines);
          await sleep(5);
        }
      })();
      await sleep(50);
      child.kill(signal);
      // Long enough for a machine under load, and far from the time after which a process is given up.
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      const ran = await ended;
      clearTimeout(late);
      await feeding;
      assert.notEqual(ran.signal, 'SIGKILL', 'the build continues after the signal');
      assert.deepEqual([ran.code, ran.signal], [code, null], ran.stderr);
      assert.match(ran.stderr, /^hmap: [^\n]+\n$/);
      assert.equal(ran.stdout, '');
      assert.deepEqual(contentOf(place), before, 'nothing is left after, nothing is lost');
    });
  }

  test('a malformed line ends it though more input may come', async (t) => {
    const place = temporaryFolder(t);
    for (const [format, text, ...options] of [
      ['tsv', 'no tab\n'],
      // Whose delimiter the first lines do not have to tell.
      ['csv', 'one\ncolumn\n', '--delimiter', ','],
      ['csv', 'a,"b"c\nmore,rows\n', '--delimiter', ','],
      ['jsonl', 'no JSON\n'],
      ['cdb', 'no record\n'],
    ] as const) {
      const { child, ended } = start(['build', '-f', format, ...options, '-', join(place, 'table.hmap')]);
      child.stdin!.write(text);
      assertRefused(await ended, /^hmap: stdin: line 1: /);
      assert.deepEqual(readdirSync(place), []);
    }
  });
});

test('a build that fails after spilling leaves nothing', async (t) => {
  const place = temporaryFolder(t);
  const good = Array.from({ length: 30_000 }, (_, i) => `a rather long key of the entry ${i}\t${i}\n`).join('');
  const error = await failure(place, () =>
    buildFrom(join(place, 'x.hmap'), 'tsv', piecesOf(Buffer.from(`${good}bad\n`), MIB), { value: 'u32' }),
  );
  hmapError('HMAP_INPUT', { line: 30_001 })(error);
  const ran = await hmap(['build', '-f', 'tsv', '-v', 'u32', '-m', '1M', '-', join(place, 'x.hmap')], {
    input: `${good}bad\n`,
  });
  assertRefused(ran, /^hmap: stdin: line 30001: /);
  assert.deepEqual(readdirSync(place), []);
});
