// Progress, and builds that are stopped: by a signal, by their input or by an error; nothing is left after.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { build, type HmapError, open } from '../../src/index.js';
import { runModule } from '../support/child.js';
import { hmapError } from '../support/errors.js';
import { temporaryFolder } from '../support/temp.js';
import { assertFails, buildAny, MIB, scratchPath, shared, slowly } from './build-cases.js';

describe('builds that are stopped', () => {
  const stopped = new Error('stopped');
  const is = (expected: unknown) => (error: unknown) => assert.equal(error, expected);

  test('a signal that is aborted already: nothing is read', async (t) => {
    const entries = {
      [Symbol.iterator](): Iterator<never> {
        return assert.fail('must not be read');
      },
    };
    await assertFails(
      t,
      (path) => build(path, entries, { value: 'u8', signal: AbortSignal.abort(stopped) }),
      is(stopped),
    );
    const check = (error: unknown) => assert.equal((error as Error).name, 'AbortError');
    await assertFails(t, (path) => build(path, entries, { value: 'u8', signal: AbortSignal.abort() }), check);
    await assertFails(
      t,
      (path) => build(path, entries, { value: 'u8', signal: AbortSignal.abort('text') }),
      is('text'),
    );
  });

  for (const kind of ['sync', 'async'] as const) {
    test(`a signal that is aborted while entries are read, ${kind}`, async (t) => {
      const act = async (path: string) => {
        const controller = new AbortController();
        let read = 0;
        let ended = false;
        const entries = function* () {
          try {
            for (; read < 200_000; read++) {
              if (read === 3000) controller.abort(stopped);
              yield [`key ${read}`, 'x'.repeat(500)] as const;
            }
          } finally {
            ended = true;
          }
        };
        const input = kind === 'sync' ? entries() : slowly(entries());
        try {
          await build(path, input, { value: 'utf8', memory: MIB, signal: controller.signal });
        } finally {
          assert.ok(read >= 3000 && read < 6000, `${read} entries were read`);
          // An async one may be told a little later: nobody can wait for a source that does not answer.
          for (let i = 0; i < 100 && !ended && kind === 'async'; i++)
            await new Promise((resolve) => setTimeout(resolve, 5));
          assert.ok(ended, 'the iterator is reported that it is over');
        }
      };
      await assertFails(t, act, is(stopped));
    });
  }

  test('a signal that is aborted by a timer while entries are read', async (t) => {
    const entries = function* () {
      const end = performance.now() + 5000;
      for (let i = 0; performance.now() < end; i++) yield [`key ${i}`, 1] as const;
    };
    const check = (error: unknown) => assert.equal((error as Error).name, 'TimeoutError');
    await assertFails(t, (path) => build(path, entries(), { value: 'u8', signal: AbortSignal.timeout(120) }), check);
  });

  test('a signal that is aborted when all entries are read', async (t) => {
    const act = (path: string) => {
      const controller = new AbortController();
      const entries = function* () {
        for (let i = 0; i < 100; i++) yield [`key ${i}`, 1] as const;
        controller.abort(stopped);
      };
      return build(path, entries(), { value: 'u8', signal: controller.signal });
    };
    await assertFails(t, act, is(stopped));
  });

  test('a signal that is aborted while an async input waits', { timeout: 10_000 }, async (t) => {
    const act = async (path: string) => {
      const controller = new AbortController();
      let release = () => {};
      const entries = async function* () {
        yield ['a', 1] as const;
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      };
      setTimeout(() => controller.abort(stopped), 20);
      const late = setTimeout(() => release(), 1000);
      const started = performance.now();
      try {
        await build(path, entries(), { value: 'u8', signal: controller.signal });
      } finally {
        clearTimeout(late);
        release();
        assert.ok(performance.now() - started < 900, 'the build must not wait for its input');
      }
    };
    await assertFails(t, act, is(stopped));
  });

  test('an async input is at its end when the build is refused, with a signal as without', async (t) => {
    for (const signal of [undefined, new AbortController().signal]) {
      let open = 0;
      const entries = async function* () {
        open++;
        try {
          yield ['a', 1];
          yield ['bad', 256];
          yield ['c', 1];
        } finally {
          await new Promise((resolve) => setTimeout(resolve, 5));
          open--;
        }
      };
      const act = (path: string) => {
        const options = signal === undefined ? { value: 'u8' } : { value: 'u8', signal };
        return buildAny(path, entries(), options).finally(() => assert.equal(open, 0, 'the input is still open'));
      };
      await assertFails(t, act, hmapError('HMAP_VALUE_RANGE', { key: 'bad' }));
    }
  });

  test('an async input with a signal takes no memory for each entry', async (t) => {
    const folder = temporaryFolder(t);
    const watching = `
      const [, path] = process.argv;
      const used = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
        return process.memoryUsage().heapUsed / 2 ** 20;
      };
      let before, after;
      const entries = async function* () {
        for (let i = 0; i < 120_000; i++) {
          if (i === 20_000) before = await used();
          yield ['key ' + i, 1];
        }
        after = await used();
      };
      const { signal } = new AbortController();
      await hmap.build(path, entries(), { value: 'u8', memory: 2 ** 20, signal });
      console.log(after - before < 8 ? 'flat' : 'grown by ' + (after - before) + ' MiB');`;
    const outcome = await runModule(watching, [join(folder, 'out.hmap')], { flags: ['--expose-gc'] });
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: 'flat\n', stderr: '' });
  });

  test('an async input that gives results, not promises of them, with a signal and without', async (t) => {
    const path = join(temporaryFolder(t), 'table.hmap');
    for (const signal of [undefined, new AbortController().signal]) {
      const values: IteratorResult<unknown>[] = ['a', 'b'].map((key) => ({ done: false, value: [key, 1] }));
      const next = () => values.shift() ?? { done: true, value: undefined };
      const entries = { [Symbol.asyncIterator]: () => ({ next }) };
      assert.equal((await buildAny(path, entries, { value: 'u8', signal })).entries, 2);
    }
  });

  test('inputs that throw: the error is handed on as it is', async (t) => {
    const thrown: unknown[] = [stopped, 'text', undefined, new TypeError('of the input'), null];
    for (const error of thrown) {
      for (const after of error === stopped ? [0, 1, 1023, 1024, 5000] : [1]) {
        const entries = function* () {
          for (let i = 0; i < after; i++) yield [`key ${i}`, 'x'.repeat(300)] as const;
          throw error;
        };
        await assertFails(t, (path) => build(path, entries(), { value: 'utf8', memory: MIB }), is(error));
        if (after < 2) await assertFails(t, (path) => build(path, slowly(entries()), { value: 'utf8' }), is(error));
      }
    }
  });

  test("inputs that fail in a file of their own: not the output's fault", async (t) => {
    let thrown: unknown;
    const entries = function* () {
      yield ['a', 'b'] as const;
      try {
        readFileSync(join(shared, 'no such input'));
      } catch (error) {
        thrown = error;
        throw error;
      }
    };
    await assertFails(
      t,
      (path) => build(path, entries(), { value: 'utf8' }),
      (error) => {
        assert.equal((error as HmapError).code, 'ENOENT');
        assert.equal(error, thrown, `the input's own error, not: ${(error as Error).message}`);
      },
    );
  });

  test('a table that is closed as input', async (t) => {
    const closed = hmapError('HMAP_CLOSED', { path: scratchPath });
    const act = async (path: string) => {
      await buildAny(
        scratchPath,
        [
          ['a', 1],
          ['b', 2],
        ],
        { value: 'u8' },
      );
      const table = open(scratchPath, { value: 'u8' });
      const entries = function* () {
        for (const entry of table) {
          yield entry;
          table.close();
        }
      };
      await buildAny(path, entries(), { value: 'u8' }).finally(() => assert.ok(table.closed));
    };
    await assertFails(t, act, closed);
    const table = open(scratchPath);
    table.close();
    await assertFails(t, (path) => buildAny(path, table, { value: 'u8' }), closed);
  });

  const posix = process.platform !== 'win32';
  const script = `
    const [, path, memory] = process.argv;
    const entries = function* () {
      for (let i = 0; i < 5000; i++) yield ['key ' + i, 'x'.repeat(300)];
    };
    try {
      await hmap.build(path, entries(), { value: 'utf8', memory: Number(memory) });
      console.log('built');
    } catch (error) {
      console.log(error.name, error.code, /^cannot write/.test(error.message));
    }`;

  for (const [what, memory] of [
    ['the file', 64 * MIB],
    ['the temporary file', MIB],
  ] as const) {
    test(`${what} cannot be written to its end`, { skip: !posix }, async (t) => {
      await assertFails(
        t,
        async (path) => {
          const outcome = await runModule(script, [path, `${memory}`], { limit: '-f 200' });
          throw outcome.stdout + outcome.stderr;
        },
        (told) => assert.equal(told, 'HmapError EFBIG true\n'),
        ['old.hmap'],
      );
    });
  }

  test('memory that is not there', { skip: process.platform !== 'linux' }, async (t) => {
    const folder = temporaryFolder(t);
    const outcome = await runModule(script, [join(folder, 'out.hmap'), `${2 ** 31}`], { limit: '-v 1800000' });
    // Where node itself needs less than here, the build may succeed.
    const expected = outcome.stdout === 'built\n' ? ['out.hmap'] : [];
    assert.deepEqual(readdirSync(folder), expected, JSON.stringify(outcome));
  });

  test('a progress callback that throws', async (t) => {
    const entries = function* () {
      for (let i = 0; i < 3000; i++) {
        if (i === 1000) for (const end = performance.now() + 60; performance.now() < end; );
        yield [`key ${i}`, 1] as const;
      }
    };
    let called = 0;
    const onProgress = () => {
      called++;
      throw stopped;
    };
    await assertFails(t, (path) => build(path, entries(), { value: 'u8', onProgress }), is(stopped));
    assert.equal(called, 2);
  });
});
