// Tests tables in unusual places: read-only and special files, block devices, and outputs with another name. Knows
// files, not how they are mapped.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, before, describe, test } from 'node:test';
import { readBytes } from '../../src/base/fs.js';
import { build, inspectBucket, inspectKey, open, stat, verify } from '../../src/index.js';
import { runModule } from '../support/child.js';
import { hmapError } from '../support/errors.js';
import { loopDevice, readOnlyPlace } from '../support/linux.js';
import { WORKING } from '../support/mappings.js';
import { assertIs } from '../support/model.js';
import { Random } from '../support/random.js';
import { contentOf, failure, openFilesIn, temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const windows = process.platform === 'win32' && 'files cannot be removed while they are open';

const random = new Random(11);
const model = new Map(Array.from({ length: 3000 }, (_, i) => [`key ${i}`, random.text(random.below(100))]));
const other = new Map([['other', 'entry']]);

// A header of more than one page, and several segments: each place is then asked for all that a file can have.
before(() => build(path, model, { value: 'utf8', segmentBytes: 65_536, metadata: { note: 'n'.repeat(9000) } }));

/** Holds what is at a path to the model, through each mapping, the rest of the library and the program. */
async function assertWorks(place: string): Promise<void> {
  for (const mapping of WORKING) {
    const table = open(place, { mapping });
    assert.equal(table.mapping, mapping);
    assertIs(table, model);
    table.close();
  }
  const { path: _, seconds, ...verified } = await verify(place);
  assert.ok(seconds >= 0);
  const whole = { ok: true, findings: [], total: 0, entries: model.size, fileBytes: statSync(path).size };
  assert.deepEqual(verified, whole);
  assert.deepEqual({ ...(await stat(place)), path }, await stat(path));
  assert.equal(Buffer.from(inspectKey(place, 'key 7').record!.value).toString(), model.get('key 7'));
  const [got, dumped, expected, verdict, page] = await Promise.all([
    fine(['get', place, 'key 7', 'key 2999']),
    fine(['dump', place]),
    fine(['dump', path]),
    fine(['verify', place]),
    fine(['stat', '--json', place]),
  ]);
  assert.equal(got.stdout, `${model.get('key 7')}\n${model.get('key 2999')}\n`);
  assert.ok(dumped.bytes.equals(expected.bytes), 'another dump');
  assert.match(verdict.stdout, /: ok; 3,000 entries/);
  assert.equal(JSON.parse(page.stdout).entries, model.size);
}

describe('files that cannot be written', () => {
  test('on a read-only file system', async (t) => {
    const place = join(folder, 'read-only');
    mkdirSync(place);
    const file = join(place, 'table.hmap');
    if (!readOnlyPlace(t, place, () => copyFileSync(path, file))) return;
    assert.throws(() => openSync(file, 'r+'), { code: 'EROFS' });
    await assertWorks(file);
    hmapError('EROFS', { path: file, message: /read-only/ })(
      await failure(place, () => build(file, other, { value: 'utf8' })),
    );
    assertRefused(await hmap(['build', '-', join(place, 'new.hmap'), '-f', 'tsv']), /read-only/);
  });

  test('by a user who may only read them', { skip: windows }, async (t) => {
    const place = join(folder, 'by-others');
    mkdirSync(place);
    const file = join(place, 'table.hmap');
    const secret = join(place, 'secret.hmap');
    copyFileSync(path, file);
    copyFileSync(path, secret);
    chmodSync(file, 0o444);
    chmodSync(secret, 0);
    chmodSync(place, 0o555);
    chmodSync(folder, 0o755);
    t.after(() => chmodSync(place, 0o755));
    const script = `
      import { openSync } from 'node:fs';
      const [, path, secret, ...mappings] = process.argv;
      const code = (act) => { try { act(); return 'fine' } catch (error) { return error.code } };
      // Loads all that is needed later: this user's files may be out of reach for the other one.
      await Promise.all([hmap.verify(path), hmap.stat(path)]);
      if (process.getuid() === 0) process.seteuid(65534);
      console.log(code(() => openSync(path, 'r')), code(() => openSync(path, 'r+')), code(() => openSync(path + '2', 'w')));
      for (const mapping of mappings) {
        const table = hmap.open(path, { mapping });
        console.log([...table].every(([key, value]) => table.get(key) === value), table.size);
      }
      console.log((await hmap.verify(path)).ok, (await hmap.stat(path)).entries, code(() => hmap.open(secret)));`;
    const outcome = await runModule(script, [file, secret, ...WORKING]);
    if (outcome.stdout.startsWith('EACCES')) return t.skip('the folder for temporary files is out of reach for others');
    const each = WORKING.map(() => 'true 3000\n').join('');
    const stdout = `fine EACCES EACCES\n${each}true 3000 EACCES\n`;
    assert.deepEqual(outcome, { status: 0, signal: null, stdout, stderr: '' });
  });
});

describe('other names of a file', () => {
  test('a symbolic link, relative and absolute, and a chain of both', { skip: windows }, async (t) => {
    const place = temporaryFolder(t);
    mkdirSync(join(place, 'deep', 'er'), { recursive: true });
    copyFileSync(path, join(place, 'table.hmap'));
    symlinkSync('../../table.hmap', join(place, 'deep', 'er', 'relative.hmap'));
    symlinkSync(join(place, 'deep', 'er', 'relative.hmap'), join(place, 'deep', 'absolute.hmap'));
    symlinkSync('deep/absolute.hmap', join(place, 'chain.hmap'));
    for (const name of ['deep/er/relative.hmap', 'deep/absolute.hmap']) {
      const table = open(join(place, name));
      assert.equal(table.path, join(place, name));
      assertIs(table, model);
      table.close();
    }
    await assertWorks(join(place, 'chain.hmap'));
  });

  test('a file that is replaced or deleted while it is open keeps its content', { skip: windows }, async (t) => {
    const place = temporaryFolder(t);
    const file = join(place, 'table.hmap');
    const young = join(place, 'young.hmap');
    for (const mapping of WORKING) {
      copyFileSync(path, file);
      await build(young, other, { value: 'utf8' });
      const table = open(file, { mapping });
      const steps = table.entries();
      const begun = [steps.next().value!, steps.next().value!];
      renameSync(young, file);
      assertIs(table, model);
      const next = open(file, { mapping });
      unlinkSync(file);
      assertIs(next, other);
      assertIs(table, model);
      assert.deepEqual(new Map([...begun, ...steps] as [string, unknown][]), model, 'an iteration under way');
      table.close();
      assertIs(next, other);
      next.close();
    }
  });
});

describe('what is neither a file nor a block device', { concurrency: true, skip: windows }, () => {
  const inner = temporaryFolder(nodeTest);
  const fifo = join(inner, 'fifo');
  const socket = join(inner, 'socket');
  const server = createServer();
  before(async () => {
    execFileSync('mkfifo', [fifo]);
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });
  after(() => server.close());

  // Linux and macOS refuse a socket each in its way.
  const places: [place: string, code: RegExp, message: RegExp][] = [
    [fifo, /^HMAP_NOT_A_TABLE$/, /no regular file/],
    [socket, /^(ENXIO|EOPNOTSUPP)$/, /it is a socket|on socket/],
    ['/dev/null', /^HMAP_NOT_A_TABLE$/, /no regular file/],
    ['/dev/zero', /^HMAP_NOT_A_TABLE$/, /no regular file/],
    [inner, /^EISDIR$/, /folder/],
  ];

  test('is refused by all that reads files, without waiting', async () => {
    // In a process of its own, which is killed if it waits.
    const script = `
      const calls = [
        (path) => hmap.verify(path), (path) => hmap.stat(path),
        async (path) => hmap.inspectKey(path, 'a'), async (path) => hmap.inspectBucket(path, 0),
      ];
      for (const path of process.argv.slice(1)) {
        for (const call of calls) {
          await call(path).then(console.log, ({ name, code, message, path: named }) => {
            console.log(JSON.stringify([name, code, message, named]));
          });
        }
      }`;
    const { stdout, ...outcome } = await runModule(
      script,
      places.map(([place]) => place),
    );
    assert.deepEqual(outcome, { status: 0, signal: null, stderr: '' });
    const told = stdout.trim().split('\n');
    assert.equal(told.length, 4 * places.length);
    for (const [i, line] of told.entries()) {
      const [place, code, message] = places[Math.floor(i / 4)]!;
      const [name, found, text, named] = JSON.parse(line);
      assert.deepEqual([name, named], ['HmapError', place]);
      assert.match(found, code);
      assert.match(text, message);
    }
  });

  for (const [i, [place, , message]] of places.entries()) {
    // All read files in one way; a FIFO, on which any other way would wait, is tried with each command.
    const commands = [['verify'], ['get'], ['dump'], ['stat'], ['dump', '--header'], ['dump', '--key', 'a']];
    for (const args of i === 0 ? commands : [commands[0]!, commands[i]!]) {
      const name = place.startsWith('/dev/') ? place : ['a FIFO', 'a socket', '', '', 'a folder'][i];
      test(`hmap ${args.join(' ')}: ${name}`, async () => {
        assertRefused(await hmap([...args, place, ...(args[0] === 'get' ? ['a'] : [])]), message);
      });
    }
  }
});

describe('a block device', () => {
  let images = 0;

  /** A device that holds the first bytes of the table, and what follows them. */
  function deviceOf(t: nodeTest.TestContext, bytes: number, behind = 0): string | undefined {
    const image = join(folder, `image-${images++}`);
    const whole = readFileSync(path).subarray(0, bytes);
    writeFileSync(image, Buffer.concat([whole, Buffer.alloc(behind, 0xff)]));
    return loopDevice(t, image);
  }

  const held = (device: string) => openFilesIn(device).filter((target) => target === device).length;

  test('that is longer than the table works in every way', async (t) => {
    const { size } = statSync(path);
    const device = deviceOf(t, size, 2 ** 20 - (size % 2 ** 20) + 2 ** 20);
    if (device === undefined) return;
    await assertWorks(device);
    const bucket = inspectBucket(device, 3);
    assert.deepEqual(bucket, inspectBucket(path, 3));
    assert.equal(held(device), 1, 'only what this test holds');
  });

  test('that is exactly as long as the table in blocks of 512 works', async (t) => {
    const { size } = statSync(path);
    const device = deviceOf(t, size, 512 - (size % 512));
    if (device === undefined) return;
    for (const mapping of WORKING) {
      const table = open(device, { mapping, warm: 'all' });
      assertIs(table, model);
      table.close();
    }
    assert.equal((await verify(device)).ok, true);
  });

  test('that is shorter than its header says is refused, by a page, a block or anywhere', async (t) => {
    const { header } = open(path, { mapping: 'copy' });
    assert.equal(header.headerBytes, 12_288);
    assert.ok(header.fileBytes % 512 > 0);
    const cuts: [bytes: number, needed: number][] = [
      [512, 4096],
      [4096, header.headerBytes],
      [header.headerBytes - 512, header.headerBytes],
      [header.headerBytes, header.fileBytes],
      [header.segments[1]!.offset - (header.segments[1]!.offset % 512), header.fileBytes],
      [header.checksums.offset - (header.checksums.offset % 512), header.fileBytes],
      [header.fileBytes - (header.fileBytes % 512), header.fileBytes],
    ];
    for (const [bytes, needed] of cuts) {
      const device = deviceOf(t, bytes);
      if (device === undefined) return;
      const told = hmapError('HMAP_TRUNCATED', { path: device, expected: needed, actual: bytes, message: /cut short/ });
      for (const mapping of ['auto', ...WORKING] as const) assert.throws(() => open(device, { mapping }), told);
      const { ok, findings } = await verify(device);
      assert.deepEqual(
        [ok, findings.map(({ code, section, offset }) => ({ code, section, offset }))],
        [false, [{ code: 'HMAP_TRUNCATED', section: 'file', offset: bytes }]],
      );
      await assert.rejects(stat(device), told);
      assert.throws(() => inspectKey(device, 'key 1'), told);
      assert.equal(held(device), 1, 'only what this test holds');
    }
  });

  test('without a table: not a table', async (t) => {
    const device = deviceOf(t, 0, 0);
    if (device === undefined) return;
    const zeros = join(folder, 'zeros');
    writeFileSync(zeros, Buffer.alloc(2 ** 16));
    for (const none of [device, loopDevice(t, zeros)!]) {
      for (const mapping of ['auto', ...WORKING] as const) {
        assert.throws(() => open(none, { mapping }), hmapError('HMAP_NOT_A_TABLE', { path: none }));
      }
      assert.equal((await verify(none)).findings[0]?.code, 'HMAP_NOT_A_TABLE');
      assertRefused(await hmap(['get', none, 'a']), /not an hmap file|empty/);
    }
  });
});

describe('an output that is there already', { skip: windows }, () => {
  const text = Array.from(model, ([key, value]) => `${key}\t${value}\n`).join('');

  /** Runs a build over a file, and holds the old file, by its descriptor, to what it was. */
  async function assertUntouched<T>(file: string, act: () => Promise<T>): Promise<T> {
    const fd = openSync(file, 'r');
    try {
      const seen = () => {
        const { ino, size, mtimeMs, mode } = fstatSync(fd);
        return { ino, size, mtimeMs, mode, bytes: readBytes(fd, 0, size).toString('base64') };
      };
      const old = seen();
      const result = await act();
      assert.ok(JSON.stringify(seen()) === JSON.stringify(old), 'the old file was written to');
      return result;
    } finally {
      closeSync(fd);
    }
  }

  const ways: [name: string, make: (file: string, folder: string) => Promise<unknown>][] = [
    ['the library', (file) => build(file, model, { value: 'utf8' })],
    ['the library, with a temporary file', (file) => build(file, model, { value: 'utf8', memory: 2 ** 20 })],
    ['the program', (file, cwd) => fine(['build', '--force', '-f', 'tsv', '-', file], { cwd, input: text })],
  ];
  for (const [name, make] of ways) {
    test(`is not written to by ${name}`, async (t) => {
      const place = temporaryFolder(t);
      const names = ['table.hmap', 'link.hmap', 'hard.hmap', 'second.hmap'].map((file) => join(place, file));
      const [file, link, hard, second] = names as [string, string, string, string];
      symlinkSync('table.hmap', link);
      for (const output of [file, link, hard]) {
        await build(file, other, { value: 'utf8' });
        linkSync(file, second);
        if (output === hard) linkSync(file, hard);
        const old = statSync(file, { bigint: true });
        await assertUntouched(file, () => make(output, place));
        const table = open(output);
        assertIs(table, model);
        table.close();
        const kept = statSync(second, { bigint: true });
        assert.deepEqual([kept.ino, kept.size, kept.mtimeNs], [old.ino, old.size, old.mtimeNs]);
        const still = open(second);
        assertIs(still, other);
        still.close();
        assert.ok(lstatSync(link).isSymbolicLink());
        assert.equal(statSync(file).ino === Number(old.ino), output === hard, 'only the name that was given is new');
        unlinkSync(second);
      }
    });
  }

  test('may be what the entries come from', async (t) => {
    const file = join(temporaryFolder(t), 'table.hmap');
    copyFileSync(path, file);
    for (const mapping of WORKING) {
      const table = open(file, { value: 'utf8', mapping });
      await assertUntouched(file, () => build(file, table, { value: 'utf8', seed: 5 }));
      assertIs(table, model, table.header.hash.seed);
      table.close();
      const young = open(file, { mapping });
      assertIs(young, model, 5);
      young.close();
    }
  });

  test('may be the input of the program, by any of its names', async (t) => {
    const place = temporaryFolder(t);
    const named = (name: string) => join(place, name);
    await fine(['build', '-f', 'tsv', '-', named('expected.hmap')], { input: text });
    const expected = readFileSync(named('expected.hmap'));
    symlinkSync('in.tsv', named('link.tsv'));
    for (const [input, output] of [
      ['in.tsv', 'in.tsv'],
      ['link.tsv', 'in.tsv'],
      ['in.tsv', 'link.tsv'],
      ['in.tsv', `../${basename(place)}/in.tsv`],
    ] as const) {
      writeFileSync(named('in.tsv'), text);
      linkSync(named('in.tsv'), named('second.tsv'));
      await assertUntouched(named('in.tsv'), () => fine(['build', '--force', input, output], { cwd: place }));
      assert.ok(readFileSync(named('in.tsv')).equals(expected), `${input} to ${output}`);
      assert.equal(readFileSync(named('second.tsv'), 'utf8'), text);
      unlinkSync(named('second.tsv'));
    }
  });

  test('that is the input stays as it is when the build is refused', async (t) => {
    const place = temporaryFolder(t);
    for (const [flags, content, message] of [
      [[], text, /^hmap: in\.tsv exists already/],
      [['--force'], `${text}no tab`, /in\.tsv/],
      [['--force'], `${text}key 1\ttwice\n`, /key 1/],
      [['--force', '--value', 'u8'], text, /line 1: .*expected u8/],
    ] as const) {
      writeFileSync(join(place, 'in.tsv'), content);
      const before = contentOf(place);
      const ran = await assertUntouched(join(place, 'in.tsv'), () =>
        hmap(['build', ...flags, 'in.tsv', 'in.tsv'], { cwd: place }),
      );
      assertRefused(ran, message);
      assert.deepEqual(contentOf(place), before);
    }
  });
});
