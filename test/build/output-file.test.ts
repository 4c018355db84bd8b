// Where the file appears: in one step, through links, with the access rights of the file that it replaces.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { build, open } from '../../src/index.js';
import { hmapError } from '../support/errors.js';
import { WORKING } from '../support/mappings.js';
import { assertIs } from '../support/model.js';
import { Random } from '../support/random.js';
import { EXTREMES, VALUE_TYPES } from '../support/samples.js';
import { contentOf, failure, temporaryFolder } from '../support/temp.js';
import { assertSame, bytesOf, MIB, scratchPath, slowly, textsOf } from './build-cases.js';

describe('the output', () => {
  const entries: [string, number][] = [
    ['a', 1],
    ['b', 2],
  ];
  const linux = process.platform === 'linux';

  test('an existing file is replaced, or kept with overwrite: false', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    await build(path, entries, { value: 'u8', overwrite: false });
    const old = readFileSync(path);
    const unread = {
      [Symbol.iterator](): Iterator<never> {
        return assert.fail('must not be read');
      },
    };
    const refused = await failure(folder, () => build(path, unread, { value: 'u8', overwrite: false }));
    hmapError('HMAP_OUTPUT_EXISTS', { path })(refused);
    await build(path, [['c', 3]], { value: 'u8', overwrite: true });
    assert.notDeepEqual(readFileSync(path), old);
    writeFileSync(path, 'no table at all');
    await build(path, entries, { value: 'u8' });
    assertSame(readFileSync(path), old, 'replaced');
    assert.deepEqual(readdirSync(folder), ['out.hmap']);
  });

  test('with overwrite: false a file that appears during the build is kept', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    const late = function* () {
      yield* entries;
      writeFileSync(path, 'came in between');
    };
    await assert.rejects(
      build(path, late(), { value: 'u8', overwrite: false }),
      hmapError('HMAP_OUTPUT_EXISTS', { path }),
    );
    assert.equal(readFileSync(path, 'utf8'), 'came in between');
    assert.deepEqual(readdirSync(folder), ['out.hmap']);
  });

  test('several builds of one path at once: each succeeds, one stays', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    await Promise.all([1, 2, 3, 4].map((n) => build(path, slowly(new Map([['n', n]])), { value: 'u8' })));
    const table = open(path, { value: 'u8' });
    assert.ok([1, 2, 3, 4].includes(table.get('n')!));
    table.close();
    assert.deepEqual(readdirSync(folder), ['out.hmap']);
    const once = await Promise.allSettled(
      [1, 2, 3].map((n) =>
        build(join(folder, 'new.hmap'), slowly(new Map([['n', n]])), { value: 'u8', overwrite: false }),
      ),
    );
    assert.deepEqual(once.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
    assert.deepEqual(readdirSync(folder), ['new.hmap', 'out.hmap']);
  });

  test('places where no file can be made', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('loop', join(folder, 'loop'));
    const places: [string, 'EISDIR' | 'ENOENT' | 'ENOTDIR' | 'ELOOP'][] = [
      ['folder', 'EISDIR'],
      ['missing/out.hmap', 'ENOENT'],
      ['missing/deeper/out.hmap', 'ENOENT'],
      ['file/out.hmap', 'ENOTDIR'],
      ['loop', 'ELOOP'],
      ['loop/out.hmap', 'ELOOP'],
      ['new/', 'EISDIR'],
      ['new/.', 'EISDIR'],
      ['folder/', 'EISDIR'],
      ['folder/.', 'EISDIR'],
      ['file/', 'ENOTDIR'],
    ];
    for (const [name, code] of places) {
      // Not joined: that would take a dot from the end.
      const path = `${folder}/${name}`;
      const check = (error: unknown) => {
        hmapError(code, { path })(error);
        assert.match((error as Error).message, new RegExp(`^cannot write .*${name}: `));
      };
      check(await failure(folder, () => build(path, entries, { value: 'u8' })));
    }
  });

  test('a FIFO is not waited for', { skip: process.platform === 'win32' }, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    hmapError('EINVAL', { path })(await failure(folder, () => build(path, entries, { value: 'u8' })));
  });

  test('a folder that may not be written to', {
    skip: !process.getuid || process.getuid() === 0 ? 'needs a user who is not root' : false,
  }, async (t) => {
    const folder = temporaryFolder(t);
    const inner = join(folder, 'inner');
    mkdirSync(inner, { mode: 0o555 });
    const path = join(inner, 'out.hmap');
    hmapError('EACCES', { path })(await failure(folder, () => build(path, entries, { value: 'u8' })));
  });

  test('a symbolic link stays, and what it points to is replaced', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'real'));
    const target = join(folder, 'real', 'table.hmap');
    const link = join(folder, 'link.hmap');
    writeFileSync(target, 'old');
    symlinkSync('real/table.hmap', link);
    const summary = await build(link, entries, { value: 'u8' });
    assert.equal(readlinkSync(link), 'real/table.hmap');
    assert.equal(summary.path, target);
    const table = open(link);
    assert.equal(table.get('b'), 2);
    table.close();
    assert.deepEqual(readdirSync(folder).sort(), ['link.hmap', 'real']);
    assert.deepEqual(readdirSync(join(folder, 'real')), ['table.hmap']);
    const error = await failure(folder, () => build(link, entries, { value: 'u8', overwrite: false }));
    hmapError('HMAP_OUTPUT_EXISTS', { path: link })(error);
  });

  test('a symbolic link to a file that is not there yet stays, too', async (t) => {
    const folder = temporaryFolder(t);
    const link = join(folder, 'link.hmap');
    symlinkSync('target.hmap', link);
    await build(link, entries, { value: 'u8' });
    assert.ok(lstatSync(link).isSymbolicLink(), 'the link was replaced by the file');
    assert.deepEqual(readdirSync(folder).sort(), ['link.hmap', 'target.hmap']);
  });

  test('a symbolic link is followed from where it really lies', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'real', 'inner'), { recursive: true });
    symlinkSync('real/inner', join(folder, 'alias'));
    symlinkSync('../table.hmap', join(folder, 'real', 'inner', 'link.hmap'));
    for (const value of [1, 2]) {
      await build(join(folder, 'alias', 'link.hmap'), [['value', value]], { value: 'u8' });
      const names = ['alias', 'real', 'real/inner', 'real/inner/link.hmap', 'real/table.hmap'];
      assert.deepEqual(Object.keys(contentOf(folder)).sort(), names);
      const table = open(join(folder, 'real', 'table.hmap'));
      assert.equal(table.get('value'), value);
      table.close();
    }
  });

  test('the temporary file lies beside the output, where the path really leads', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'real', 'inner'), { recursive: true });
    symlinkSync('real/inner', join(folder, 'alias'));
    const seen = function* () {
      const temporary = Object.keys(contentOf(folder)).filter((name) => name.endsWith('.tmp'));
      assert.equal(temporary.length, 1);
      assert.match(temporary[0]!, /^real\/\.out\.hmap/);
      yield* entries;
    };
    await build(`${folder}/alias/../out.hmap`, seen(), { value: 'u8' });
    assert.ok(existsSync(join(folder, 'real', 'out.hmap')));
  });

  test('a relative path means what it meant when the build began', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'inner'));
    const before = process.cwd();
    const leaving = function* () {
      yield ['a', 1] as const;
      process.chdir('inner');
      yield ['b', 2] as const;
    };
    try {
      process.chdir(folder);
      await build('out.hmap', leaving(), { value: 'u8' });
    } finally {
      process.chdir(before);
    }
    assert.deepEqual(Object.keys(contentOf(folder)).sort(), ['inner', 'out.hmap']);
  });

  test('the mode of the old file is kept; a new one has what the umask leaves', {
    skip: process.platform === 'win32',
  }, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    await build(path, entries, { value: 'u8' });
    assert.equal(statSync(path).mode & 0o7777, 0o666 & ~process.umask());
    for (const mode of [0o600, 0o640, 0o444, 0o664]) {
      chmodSync(path, mode);
      await build(path, [['mode', mode]], { value: 'u16' });
      assert.equal(statSync(path).mode & 0o7777, mode);
    }
  });

  test('names of the full length that a file system takes', { skip: !linux }, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'n'.repeat(255));
    await build(
      path,
      Array.from({ length: 5000 }, (_, i) => [`key ${i}`, 'x'.repeat(300)] as const),
      { value: 'utf8', memory: MIB },
    );
    assert.equal(readdirSync(folder).length, 1);
    assert.ok(existsSync(path));
  });

  test('readers that have the old file open keep it', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    const old = textsOf(2000, new Random(1), 40);
    const young = textsOf(1000, new Random(2), 40);
    for (const mapping of WORKING) {
      await build(path, old, { value: 'utf8' });
      const reader = open(path, { mapping });
      const steps = reader.entries();
      const started = [steps.next().value, steps.next().value] as [string, unknown][];
      await build(path, young, { value: 'utf8' });
      assertIs(reader, old);
      assert.deepEqual(new Map([...started, ...(steps as Iterable<[string, unknown]>)]), old);
      const next = open(path, { mapping });
      assertIs(next, young);
      reader.close();
      assertIs(next, young);
      next.close();
    }
    assert.deepEqual(Object.keys(contentOf(folder)), ['out.hmap']);
  });

  test('a file holds no time stamp and no name', async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ['one.hmap', 'two.hmap']) await build(join(folder, name), entries, { value: 'u8' });
    assertSame(readFileSync(join(folder, 'one.hmap')), readFileSync(join(folder, 'two.hmap')), 'another name');
  });

  test('each type at its edges comes out the same in a second build from the table', async () => {
    for (const type of VALUE_TYPES) {
      const model = EXTREMES[type].map((value, i) => [`${i}`, value] as const);
      const expected = await bytesOf(model, { value: type });
      const table = open(scratchPath, { mapping: 'copy' });
      assertSame(await bytesOf(table, { value: type }), expected, type);
      table.close();
    }
  });
});
