// Tests opening: what is refused, and how; and what a closed table still does.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { build, HmapError, open, Table, type ValueType } from '../../src/index.js';
import { runModule } from '../support/child.js';
import { hmapError, misuse } from '../support/errors.js';
import { fixturePath } from '../support/fixtures.js';
import { WORKING } from '../support/mappings.js';
import { VALUE_TYPES } from '../support/samples.js';
import { openFilesIn, temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const segmented = join(folder, 'segmented.hmap');
const bad = join(folder, 'bad.hmap');

before(async () => {
  const entries = Array.from({ length: 1000 }, (_, i) => [`key ${i}`, `value ${i}`] as const);
  await build(path, entries, { value: 'utf8' });
  await build(segmented, entries, { value: 'utf8', segmentBytes: 16_384 });
});

/** Opens what must be refused, in each way, and sees that no file stays open. */
function assertRefused(file: string, check: (error: unknown) => true): void {
  for (const mapping of ['auto', ...WORKING] as const) {
    assert.throws(() => open(file, { mapping }), check);
    assert.throws(() => open(file, { mapping, value: 'utf8', key: 'bytes', warm: 'all' }), check);
  }
  assert.deepEqual(openFilesIn(folder), []);
}

describe('files that cannot be opened', () => {
  test('a missing file', () => {
    const missing = join(folder, 'missing.hmap');
    assertRefused(
      missing,
      hmapError('ENOENT', { path: missing, message: /^cannot open .*missing\.hmap: no such file/ }),
    );
    try {
      open(missing);
    } catch (error) {
      assert.equal(((error as Error).cause as NodeJS.ErrnoException).code, 'ENOENT', 'the cause is kept');
    }
  });

  test('a path through a file', () => {
    const through = join(path, 'x');
    assertRefused(through, hmapError('ENOTDIR', { path: through }));
  });

  test('a folder', () => {
    assertRefused(folder, hmapError('EISDIR', { path: folder, message: /folder/ }));
  });

  test('a symbolic link to nothing, and one to itself', () => {
    symlinkSync('nothing', join(folder, 'dangling'));
    assertRefused(join(folder, 'dangling'), hmapError('ENOENT'));
    symlinkSync('loop', join(folder, 'loop'));
    assertRefused(join(folder, 'loop'), hmapError('ELOOP'));
  });

  test('a device', { skip: process.platform === 'win32' }, () => {
    for (const device of ['/dev/null', '/dev/zero']) {
      assertRefused(device, hmapError('HMAP_NOT_A_TABLE', { path: device }));
    }
  });

  test('a FIFO, without waiting for a writer', { skip: process.platform === 'win32' }, async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const script = 'try { hmap.open(process.argv[1]) } catch (error) { console.log(error.code, error.path) }';
    const outcome = await runModule(script, [fifo]);
    assert.deepEqual(outcome, { status: 0, signal: null, stdout: `HMAP_NOT_A_TABLE ${fifo}\n`, stderr: '' });
  });

  test('a socket', { skip: process.platform === 'win32' }, async () => {
    const socket = join(folder, 's');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      assert.throws(
        () => open(socket),
        (error) => error instanceof HmapError && /^(ENXIO|EOPNOTSUPP|HMAP_NOT_A_TABLE)$/.test(error.code),
      );
    } finally {
      server.close();
    }
  });
});

describe('files that are no tables, or not whole', () => {
  test('an empty file, and files of other kinds', () => {
    for (const [content, found] of [
      ['', ''],
      ['hello, world', '68656c6c6f2c2077'],
      ['\0'.repeat(10_000), '0000000000000000'],
    ] as const) {
      writeFileSync(bad, content);
      assertRefused(
        bad,
        hmapError('HMAP_NOT_A_TABLE', { path: bad, expected: '89484d500d0a1a0a', actual: found, offset: 0 }),
      );
    }
  });

  test('files cut short, at each 1,000th byte and at each boundary', () => {
    for (const whole of [path, segmented]) {
      const { header } = open(whole, { mapping: 'copy' });
      const cuts = new Set([
        1,
        2,
        7,
        8,
        9,
        16,
        127,
        4095,
        4096,
        header.headerBytes,
        header.checksums.offset,
        header.fileBytes - 1,
      ]);
      for (let cut = 1000; cut < header.fileBytes; cut += 1000) cuts.add(cut);
      for (const { offset, bytes } of header.segments) for (const cut of [offset, offset + bytes]) cuts.add(cut);
      cuts.add(header.index.offset);
      for (const cut of [...cuts].sort((a, b) => b - a)) {
        for (const at of [cut + 1, cut, cut - 1]) {
          if (at >= header.fileBytes || at < 1) continue;
          writeFileSync(bad, readFileSync(whole).subarray(0, at));
          const expected = at < 4096 ? 4096 : header.fileBytes;
          const check = hmapError('HMAP_TRUNCATED', { path: bad, expected, actual: at, message: /cut short/ });
          assert.throws(() => open(bad), check, `${at} bytes`);
        }
      }
    }
    truncateSync(bad, 1);
    assertRefused(bad, hmapError('HMAP_TRUNCATED'));
  });

  test('files with something after their end', () => {
    const whole = readFileSync(path);
    for (const more of [1, 8, 4096, 100_000]) {
      writeFileSync(bad, Buffer.concat([whole, Buffer.alloc(more)]));
      const data = { path: bad, expected: whole.length, actual: whole.length + more, message: /too long/ };
      assertRefused(bad, hmapError('HMAP_TOO_LONG', data));
    }
  });

  test('a damaged header', () => {
    copyFileSync(path, bad);
    const file = readFileSync(bad);
    file[70]! ^= 4;
    writeFileSync(bad, file);
    assertRefused(bad, hmapError('HMAP_HEADER_CHECKSUM', { path: bad, offset: 12 }));
  });

  test('damage after the header is not looked for: opening costs the same for each size', () => {
    const file = readFileSync(path);
    file.fill(0xff, 4096);
    writeFileSync(bad, file);
    open(bad, { warm: 'all' }).close();
  });
});

describe('options', () => {
  test('a table of other values is refused', () => {
    const types: ValueType[] = VALUE_TYPES.filter((type) => type !== 'utf8');
    for (const value of types) {
      const data = { path, expected: value, actual: 'utf8', message: new RegExp(`utf8, not ${value}`) };
      assert.throws(() => open(path, { value }), hmapError('HMAP_VALUE_TYPE', data));
    }
    assert.deepEqual(openFilesIn(folder), []);
    open(path, { value: 'utf8' }).close();
  });

  test('misuse is a TypeError that names what is wrong', () => {
    const cases: [unknown, RegExp][] = [
      [null, /^options: expected an object/],
      ['utf8', /^options: expected an object/],
      [{ valeu: 'utf8' }, /^options: 'valeu' is not known; did you mean 'value'\?/],
      [{ keys: 'bytes' }, /did you mean 'key'/],
      [
        { memory: 1 },
        /^options: 'memory' is not known; the options are value, key, fingerprint, mapping, advice, warm/,
      ],
      [{ value: 'utf-8' }, /^value: expected one of none, bytes, .*did you mean 'utf8'/],
      [{ value: 'constructor' }, /^value: /],
      [{ key: 'text' }, /^key: expected one of string, bytes/],
      [{ key: 1 }, /^key: /],
      [{ mapping: 'mmap' }, /^mapping: expected one of auto, mmap-io, windows, libc, ffi, copy/],
      [{ mapping: true }, /^mapping: /],
      [{ warm: 'bucket' }, /^warm: expected one of none, buckets, all.*did you mean 'buckets'/],
      [{ warm: true }, /^warm: /],
      ...['value', 'key', 'fingerprint', 'mapping', 'warm', 'check', 'layout', 'watch', 'onReload', 'onError'].map(
        (name): [unknown, RegExp] => [{ [name]: null }, new RegExp(`^${name}: expected .*, got null$`)],
      ),
    ];
    for (const [options, message] of cases) {
      assert.throws(() => open(path, options as object), misuse(message), JSON.stringify(options));
    }
    for (const wrong of [undefined, null, '', 1, {}, ['x']]) {
      assert.throws(() => open(wrong as string), misuse(/^path: expected a string that is not empty/));
    }
    assert.deepEqual(openFilesIn(folder), []);
  });

  test('undefined options are as if they were not there', () => {
    const options = { value: undefined, key: undefined, mapping: undefined, warm: undefined };
    const table = open(path, options as object);
    assert.equal(table.get('key 1'), 'value 1');
    table.close();
  });
});

describe('an open table', () => {
  test('has path, mapping, header and size, and is shown as a Table', () => {
    for (const mapping of WORKING) {
      const table = open(path, { mapping });
      assert.ok(table instanceof Table);
      assert.equal(table.path, path);
      assert.equal(table.mapping, mapping);
      assert.equal(table.size, 1000);
      assert.equal(table.closed, false);
      assert.equal(table.header.entries, 1000);
      assert.equal(String(table), '[object Table]');
      table.close();
    }
  });

  test('a relative path, and one with other letters', async (t) => {
    const inner = join(temporaryFolder(t), 'mit Leerzeichen é 漢字 %20');
    mkdirSync(inner);
    const special = join(inner, 'table #1?.hmap');
    await build(special, [['a', 1]], { value: 'u8' });
    const table = open(special);
    assert.equal(table.get('a'), 1);
    table.close();
    const before = process.cwd();
    try {
      process.chdir(inner);
      const relative = open('table #1?.hmap');
      assert.equal(relative.path, 'table #1?.hmap');
      assert.equal(relative.get('a'), 1);
      relative.close();
    } finally {
      process.chdir(before);
    }
  });
});

describe('a closed table', () => {
  /** Calls of each method that would succeed on an open table. */
  const calls: Record<string, (table: Table) => unknown> = {
    size: (table) => table.size,
    get: (table) => table.get('key 1'),
    has: (table) => table.has('key 1'),
    getMany: (table) => table.getMany(['key 1']),
    getManyViews: (table) => table.getManyViews(['key 1']),
    getManyInto: (table) => table.getManyInto(['key 1'], new Float64Array(1)),
    hasMany: (table) => table.hasMany(['key 1']),
    core: (table) => table.core,
    coreReason: (table) => table.coreReason,
    getView: (table) => table.getView('key 1'),
    field: (table) => table.field('key 1', 'level'),
    bits: (table) => table.bits('key 1', 0, 1),
    entries: (table) => table.entries(),
    keys: (table) => table.keys(),
    values: (table) => table.values(),
    [Symbol.iterator.toString()]: (table) => table[Symbol.iterator](),
    forEach: (table) => table.forEach(() => {}),
    toMap: (table) => table.toMap(),
    residentBytes: (table) => table.residentBytes(),
    reload: (table) => table.reload(),
  };
  /** Those that need values with fields. */
  const ofStructs = ['field', 'bits'];
  const structs = fixturePath('struct.hmap');
  const numbers = fixturePath('example.hmap');
  const always = [
    'constructor',
    'close',
    'closed',
    'header',
    'mapping',
    'mappingReason',
    Symbol.dispose.toString(),
    Symbol.toStringTag.toString(),
    // Its promise is rejected: prefetch.test.ts.
    'prefetch',
  ];

  /** What classes share among themselves; TypeScript does not let others call it. */
  const inner = ['snapshot', 'take', 'closedError'];

  test('each method is called here', () => {
    const classes = [Table.prototype, Object.getPrototypeOf(Table.prototype) as object];
    const all = new Set(classes.flatMap((each) => Reflect.ownKeys(each).map(String)));
    const names = [...all].filter((name) => !inner.includes(name));
    assert.deepEqual(names.filter((name) => !always.includes(name)).sort(), Object.keys(calls).sort());
  });

  for (const [name, call] of Object.entries(calls)) {
    test(`${name} throws`, () => {
      for (const mapping of WORKING) {
        const place = ofStructs.includes(name) ? structs : name === 'getManyInto' ? numbers : path;
        const table = open(place, { mapping });
        call(table);
        table.close();
        assert.throws(() => call(table), hmapError('HMAP_CLOSED', { path: place }));
      }
    });
  }

  test('arguments without sense make no difference', () => {
    const table = open(path);
    table.close();
    for (const name of [
      'get',
      'has',
      'getMany',
      'getManyViews',
      'getManyInto',
      'hasMany',
      'getView',
      'forEach',
      'toMap',
    ] as const) {
      assert.throws(() => (table[name] as (argument: unknown) => unknown)(undefined), hmapError('HMAP_CLOSED'), name);
    }
    for (const key of ['\ud800', 'x'.repeat(70_000), new Uint8Array(70_000)]) {
      assert.throws(() => table.get(key), hmapError('HMAP_CLOSED'));
      assert.throws(() => table.has(key), hmapError('HMAP_CLOSED'));
    }
    assert.throws(() => table.getMany([]), hmapError('HMAP_CLOSED'));
  });

  test('close may be called again; what does not need the file still works', () => {
    const table = open(path);
    table.close();
    table.close();
    table[Symbol.dispose]();
    assert.equal(table.closed, true);
    assert.equal(table.path, path);
    assert.equal(table.header.entries, 1000);
    assert.ok(WORKING.includes(table.mapping));
    assert.equal(String(table), '[object Table]');
    assert.match(inspect(table), /Table/);
  });

  test('an iteration that is under way ends with the next step', () => {
    for (const mapping of WORKING) {
      for (const file of [path, segmented]) {
        for (const method of ['entries', 'keys', 'values'] as const) {
          const table = open(file, { mapping });
          const steps = table[method]();
          assert.equal(steps.next().done, false);
          assert.equal(steps.next().done, false);
          table.close();
          assert.throws(() => steps.next(), hmapError('HMAP_CLOSED'), method);
          assert.deepEqual(steps.next(), { done: true, value: undefined });
        }
        const table = open(file, { mapping });
        let seen = 0;
        const closing = () => {
          seen++;
          table.close();
        };
        assert.throws(() => table.forEach(closing), hmapError('HMAP_CLOSED'));
        assert.equal(seen, 1);
      }
    }
  });

  test('an iteration that was made before but not begun ends at once', () => {
    const table = open(path);
    const steps = [table.entries(), table.keys(), table.values(), table[Symbol.iterator]()];
    table.close();
    for (const step of steps) assert.throws(() => step.next(), hmapError('HMAP_CLOSED'));
  });

  test('using closes at the end of the block, also when it throws', () => {
    let kept: Table | undefined;
    {
      using table = open(path);
      kept = table;
      assert.equal(table.get('key 7'), 'value 7');
      assert.equal(table.closed, false);
    }
    assert.equal(kept.closed, true);
    assert.throws(() => {
      using table = open(path);
      kept = table;
      throw new Error('of the block');
    }, /of the block/);
    assert.equal(kept.closed, true);
  });

  test('tables of one file are closed each by itself', () => {
    const first = open(path);
    const second = open(path);
    first.close();
    assert.equal(second.get('key 3'), 'value 3');
    second.close();
  });
});

test('errors carry what a program needs', () => {
  const error = new HmapError('HMAP_DAMAGED', 'text', { offset: 5, cause: 'why' });
  assert.ok(error instanceof Error);
  assert.deepEqual([error.name, error.code, error.offset, error.cause], ['HmapError', 'HMAP_DAMAGED', 5, 'why']);
  assert.match(String(error.stack), /^HmapError: text\n/);
  assert.equal('cause' in new HmapError('HMAP_DAMAGED', 'text'), false);
});

test('an error holds, and shows when it is printed, nothing but what it knows', () => {
  const error = new HmapError('HMAP_DAMAGED', 'text', { offset: 5 });
  assert.deepEqual(Object.keys(error).sort(), ['code', 'offset']);
  assert.doesNotMatch(inspect(error), /undefined/);
});
