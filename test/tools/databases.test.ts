// Inputs that are no text: SQLite, Parquet, binary cdb and Redis, made by other programs than ours; and what is wrong with
// them.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, describe, test } from 'node:test';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { type Key, type OpenOptions, open } from '../../src/index.js';
import { freePort } from '../support/ports.js';
import { NO_CDB, NO_REDIS, NO_SQLITE, NO_SQLITE3, SQLITE_CWD, sqlite3 } from '../support/programs.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap, type Ran } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
let count = 0;
const fresh = (ending = '.hmap') => join(folder, `${count++}${ending}`);

/** What a build made. */
async function built(
  args: readonly string[],
  cwd: { cwd?: string } = {},
  options: OpenOptions = {},
): Promise<Map<Key, unknown>> {
  const path = fresh();
  await fine(['build', ...args, path], cwd);
  return new Map(open(path, options) as Iterable<[Key, unknown]>);
}

/** Holds a build to a refusal that leaves an old output as it was, and nothing beside it. */
async function assertLeaves(args: readonly string[], message: RegExp, cwd: { cwd?: string } = {}): Promise<void> {
  const place = join(folder, `place-${count++}`);
  mkdirSync(place);
  const path = join(place, 'old.hmap');
  writeFileSync(path, 'old');
  const ran: Ran = await hmap(['build', '--force', ...args, path], cwd);
  assertRefused(ran, message);
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.deepEqual(readdirSync(place), ['old.hmap']);
}

describe('SQLite', { skip: NO_SQLITE || NO_SQLITE3 }, () => {
  const database = () => {
    const path = fresh('.db');
    sqlite3(
      path,
      `create table cities (id integer primary key, name text, size real, raw blob, big integer, note);
       insert into cities values (1, 'Berlin', 3.5, x'00ff', 9223372036854775807, null), (2, 'Paris', 2, x'', -5, 'x');
       create table pairs (k text, v integer);
       insert into pairs values ('a', 1), ('b', 2);
       create table documents (k text primary key, doc json text);
       insert into documents values ('a', '{"n": 12345678901234567890}');`,
    );
    return path;
  };
  const own = SQLITE_CWD;

  test('a table, by its columns', async () => {
    const path = database();
    const of = (table: string, ...args: string[]) => built([...args, '--table', table, path], own);
    assert.deepEqual(
      await of('pairs'),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
    assert.deepEqual(
      await of('pairs', '-v', 'u8'),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
    assert.deepEqual(
      await of('pairs', '--key-column', 'v'),
      new Map([
        ['1', 'a'],
        ['2', 'b'],
      ]),
    );
    assert.deepEqual(
      await of('cities', '--key-column', 'id', '--value-column', 'name', '-v', 'utf8'),
      new Map([
        ['1', 'Berlin'],
        ['2', 'Paris'],
      ]),
    );
    assert.deepEqual(
      await of('cities', '--key-column', 'name', '--value-column', 'size', '-v', 'f64'),
      new Map([
        ['Berlin', 3.5],
        ['Paris', 2],
      ]),
    );
    assert.deepEqual(
      await of('cities', '--key-column', 'name', '--value-columns', 'size,note'),
      new Map([
        ['Berlin', { size: 3.5, note: null }],
        ['Paris', { size: 2, note: 'x' }],
      ]),
    );
    assert.deepEqual(
      await of('cities', '-v', 'none', '--key-column', 'name'),
      new Map([
        ['Berlin', true],
        ['Paris', true],
      ]),
    );
    assert.deepEqual(
      await of('cities', '--key-column', 'name', '--value-column', 'big', '-v', 'i64'),
      new Map([
        ['Berlin', 2n ** 63n - 1n],
        ['Paris', -5n],
      ]),
    );
    const bytes = await of('cities', '--key-column', 'name', '--value-column', 'raw', '-v', 'bytes');
    assert.deepEqual([...(bytes.get('Berlin') as Uint8Array)], [0, 255]);
    assert.deepEqual(
      await of('cities', '--key-column', 'name', '--value-column', 'note', '--missing', 'skip'),
      new Map([['Paris', 'x']]),
    );
    const text = await of('documents', '-v', 'json');
    assert.equal(
      JSON.stringify(text.get('a')),
      '{"n":12345678901234567000}',
      'as JavaScript reads the digits that are there',
    );
  });

  test('a query, typed keys, and the only table of a database', async () => {
    const path = database();
    const query = 'select id * 2, upper(name) from cities order by id';
    assert.deepEqual(
      await built(['--query', query, path], own),
      new Map([
        ['2', 'BERLIN'],
        ['4', 'PARIS'],
      ]),
    );
    const numbers = await built(['-k', 'u32', '--query', query, path], own, { key: 'u32' });
    assert.deepEqual(
      numbers,
      new Map([
        [2, 'BERLIN'],
        [4, 'PARIS'],
      ]),
    );
    const single = fresh('.sqlite');
    sqlite3(single, "create table t (k, v); insert into t values ('x', 'y');");
    assert.deepEqual(await built([single], own), new Map([['x', 'y']]));
    // Also where neither its name nor anybody says what it is.
    const bare = fresh('');
    writeFileSync(bare, readFileSync(single));
    assert.deepEqual(await built([bare], own), new Map([['x', 'y']]));
  });

  test('columns of one name, generated ones, JSON that is none, text that is not UTF-8', async () => {
    const path = fresh('.db');
    sqlite3(
      path,
      `create table a (id, n); insert into a values (1, 'x'); create table b (id, n); insert into b values (2, 'x');
       create table g (k text, v int, w int generated always as (v * 2)); insert into g (k, v) values ('a', 4);
       create table j (id text, doc json); insert into j values ('a', '1,"x":2');
       create table u (k text, v text); insert into u values (cast(x'ff61' as text), 't');
       create table f (id text, active int); insert into f values ('a', 1), ('b', null);`,
    );
    const query = (sql: string, ...args: string[]) => built([...args, '--query', sql, path], own);
    assert.deepEqual(await query('select a.id, b.id from a join b on a.n = b.n'), new Map([['1', 2]]));
    const join = 'select * from a join b on a.n = b.n';
    assert.deepEqual(await query(join, '--key-column', '1', '--value-column', '4'), new Map([['1', 'x']]));
    await assertLeaves(
      ['--key-column', '1', '--value-column', '*', '--query', join, path],
      /two columns are called 'id'/,
      own,
    );
    const generated = await built(['--table', 'g', '--key-column', 'k', '--value-column', 'w', path], own);
    assert.deepEqual(generated, new Map([['a', 8]]));
    await assertLeaves(
      ['--table', 'j', '--key-column', 'id', '--value-column', '*', path],
      /line 1: expected JSON/,
      own,
    );
    await assertLeaves(['--table', 'u', path], /line 1: text that is not UTF-8/, own);
    const fields = ['--table', 'f', '--key-column', 'id', '-v', 'struct(active:bool)', '--missing', 'skip'];
    assert.deepEqual(await built([...fields, path], own), new Map([['a', { active: true }]]));
  });

  test('a dry run', async () => {
    const ran = await fine(['build', '--dry-run', '--table', 'pairs', database()], own);
    assert.match(ran.stdout, /read as sqlite, the table pairs: key = `k`, value = `v`\ncolumns: k, v\n/);
  });

  test('what is wrong is named', async () => {
    const path = database();
    await assertLeaves([path], /--table: choose a table, or --query; the tables are cities, pairs, documents/, own);
    await assertLeaves(['--table', 'citeis', path], /no table 'citeis'; did you mean 'cities'/, own);
    await assertLeaves(['--table', 'cities', path], /--key-column: choose the columns/, own);
    await assertLeaves(
      ['--table', 'cities', '--key-column', 'nmae', path],
      /no column 'nmae'; did you mean 'name'/,
      own,
    );
    await assertLeaves(['--query', 'select 1, 2 from absent', path], /SQLite: no such table: absent/, own);
    await assertLeaves(
      ['--query', 'drop table cities', path],
      /^hmap: --query: this gives no rows; expected a select/,
      own,
    );
    await assertLeaves(
      ['--table', 'cities', '--key-column', 'name', '--value-column', 'note', '-v', 'u8', path],
      /line 1: .*"Berlin".*--missing/,
      own,
    );
    await assertLeaves(
      ['--table', 'cities', '--key-column', 'name', '--value-column', 'raw', path],
      /--value bytes/,
      own,
    );
    const cut = fresh('.db');
    writeFileSync(cut, readFileSync(path).subarray(0, 5000));
    await assertLeaves(['--table', 'pairs', cut], /SQLite: /, own);
    const wrong = fresh('.db');
    writeFileSync(wrong, 'no database\n'.repeat(100));
    await assertLeaves([wrong], /SQLite: .*not a database/, own);
    assertRefused(await hmap(['build', '--format', 'sqlite', '-', fresh()], { input: '', ...own }), /not from stdin/);
    assert.ok(sqlite3(path, 'select count(*) from cities').startsWith('2'));
  });
});

test('without a library for SQLite the message says what to install', {
  skip: NO_SQLITE === false && 'there is one',
}, async () => {
  const path = fresh('.db');
  writeFileSync(path, 'SQLite format 3\0');
  await assertLeaves(
    [path],
    /needs the package better-sqlite3, which is not installed here: npm install better-sqlite3/,
  );
});

describe('Parquet', () => {
  const file = (options: Partial<Parameters<typeof parquetWriteBuffer>[0]> = {}) => {
    const path = fresh('.parquet');
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'id', data: [1n, 2n, 2n ** 62n], type: 'INT64' },
        { name: 'name', data: ['Berlin', 'Paris', 'Rom€'], type: 'STRING' },
        { name: 'size', data: [3.5, 2, 2.8], type: 'DOUBLE' },
        { name: 'note', data: ['x', null, 'z'], type: 'STRING', nullable: true },
        { name: 'raw', data: [Buffer.of(0, 255), Buffer.of(), Buffer.of(7)], type: 'BYTE_ARRAY' },
      ],
      ...options,
    } as Parameters<typeof parquetWriteBuffer>[0]);
    writeFileSync(path, Buffer.from(bytes));
    return path;
  };

  test('its columns, packed or not, in one row group or many', async () => {
    for (const options of [{}, { codec: 'UNCOMPRESSED' as const }, { rowGroupSize: 1 }]) {
      const path = file(options);
      const of = (...args: string[]) => built([...args, path]);
      assert.deepEqual(
        await of('--key-column', 'name', '--value-column', 'size', '-v', 'f64'),
        new Map([
          ['Berlin', 3.5],
          ['Paris', 2],
          ['Rom€', 2.8],
        ]),
      );
      assert.deepEqual(
        await of('--key-column', 'name', '--value-column', 'id', '-v', 'u64'),
        new Map([
          ['Berlin', 1n],
          ['Paris', 2n],
          ['Rom€', 2n ** 62n],
        ]),
      );
      assert.deepEqual(
        await of('--key-column', 'id', '--value-columns', 'name,note'),
        new Map(
          Object.entries({
            1: { name: 'Berlin', note: 'x' },
            2: { name: 'Paris', note: null },
            '4611686018427387904': { name: 'Rom€', note: 'z' },
          }),
        ),
      );
      const bytes = await of('--key-column', 'name', '--value-column', 'raw', '-v', 'bytes');
      assert.deepEqual([...(bytes.get('Berlin') as Uint8Array)], [0, 255]);
      assert.deepEqual(
        await of('--key-column', 'name', '--value-column', 'note', '-v', 'utf8', '--missing', '=none'),
        new Map([
          ['Berlin', 'x'],
          ['Paris', 'none'],
          ['Rom€', 'z'],
        ]),
      );
    }
  });

  test('what is wrong is named', async () => {
    const path = file();
    await assertLeaves([path], /--key-column: choose the columns.*id, name, size, note, raw/);
    await assertLeaves(['--key-column', 'nmae', path], /no column 'nmae'; did you mean 'name'/);
    await assertLeaves(['--key-column', 'name', '--value-column', 'size', '-v', 'u8', path], /line 1: .*"Berlin".*u8/);
    const bytes = readFileSync(path);
    for (const cut of [bytes.length - 1, bytes.length - 100, 40]) {
      const short = fresh('.parquet');
      writeFileSync(short, bytes.subarray(0, cut));
      await assertLeaves(['--key-column', 'name', '--value-column', 'size', short], /not a whole Parquet file/);
    }
    const wrong = fresh('.parquet');
    writeFileSync(wrong, 'no such thing\n'.repeat(20));
    await assertLeaves([wrong], /not a whole Parquet file/);
    assertRefused(await hmap(['build', '--format', 'parquet', '-', fresh()], { input: '' }), /not from stdin/);
  });
});

describe('binary cdb', { skip: NO_CDB }, () => {
  const file = (entries: readonly (readonly [string, string])[]) => {
    const path = fresh('.cdb');
    const text = entries.map(([key, value]) => `+${key.length},${value.length}:${key}->${value}\n`).join('');
    execFileSync('cdb', ['-c', path], { input: `${text}\n` });
    return path;
  };

  test('its keys and data, from a file and from a stream', async () => {
    const entries = Array.from({ length: 3000 }, (_, i) => [`key ${i}`, 'x'.repeat(i % 700)] as const);
    for (const of of [entries, [], [['', '']] as const]) {
      const path = file(of);
      const expected = new Map(of.map(([key, value]) => [key, Buffer.from(value)]));
      const found = (map: Map<Key, unknown>) =>
        new Map([...map].map(([key, value]) => [key, Buffer.from(value as Uint8Array)]));
      assert.deepEqual(found(await built([path])), expected);
      const stream = fresh();
      await fine(['build', '--format', 'cdb-binary', '-', stream], { input: readFileSync(path) });
      assert.deepEqual(found(new Map(open(stream) as Iterable<[Key, unknown]>)), expected);
    }
    assert.deepEqual(await built(['-v', 'u16', file([['a', '7']])]), new Map([['a', 7]]));
  });

  test('what is wrong is named', async () => {
    const bytes = readFileSync(
      file([
        ['a', 'one'],
        ['b', 'two'],
      ]),
    );
    const broken = (change: (copy: Buffer) => Buffer) => {
      const path = fresh('.cdb');
      writeFileSync(path, change(Buffer.from(bytes)));
      return ['--format', 'cdb-binary', path];
    };
    const word = (value: number, at: number) => (copy: Buffer) => {
      copy.writeUInt32LE(value, at);
      return copy;
    };
    await assertLeaves(
      broken((copy) => copy.subarray(0, 100)),
      /not a cdb/,
    );
    await assertLeaves(
      broken((copy) => copy.subarray(0, copy.length - 1)),
      /cut short/,
    );
    await assertLeaves(
      broken((copy) => copy.subarray(0, 2053)),
      /cut short/,
    );
    await assertLeaves(broken(word(7, 12)), /not a cdb/);
    await assertLeaves(broken(word(2 ** 31, 2048)), /line 1: .*tables/);
    await assertLeaves(broken(word(4, 2052)), /line 2: .*tables/);
  });
});

describe('Redis', { skip: NO_REDIS }, () => {
  const socket = join(folder, 'redis.sock');
  let stop: (() => void) | undefined;
  after(() => stop?.());

  const start = async () => {
    const port = await freePort();
    const server = spawn(
      'redis-server',
      ['--port', String(port), '--save', '', '--dir', folder, '--unixsocket', socket],
      { stdio: 'ignore' },
    );
    stop = () => server.kill('SIGKILL');
    while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20));
    return {
      port,
      cli: (args: string[], input?: string) =>
        execFileSync('redis-cli', ['-s', socket, ...args], { input, encoding: 'utf8' }),
    };
  };

  test('its strings, and those of a dump that was piped in', async () => {
    const { port, cli } = await start();
    const address = `redis://user:secret@127.0.0.1:${port}`;
    const open = `redis://127.0.0.1:${port}`;
    assert.deepEqual(await built(['-v', 'utf8', open]), new Map());
    const text = fresh('.tsv');
    writeFileSync(text, Array.from({ length: 5000 }, (_, i) => `key ${i}\t${i}\n`).join(''));
    const path = fresh();
    await fine(['build', '-v', 'u32', text, path]);
    const dump = await fine(['dump', '--format', 'resp', path]);
    assert.match(cli(['--pipe'], dump.stdout), /errors: 0, replies: 5000/);
    cli(['lpush', 'list', 'x']);
    const again = fresh();
    await fine(['build', '-v', 'u32', open, again]);
    assert.ok(readFileSync(path).equals(readFileSync(again)));
    assert.equal((await built(['-v', 'none', open])).size, 5000);
    // A password is told to nobody.
    const refused = await hmap(['build', address, fresh()]);
    assertRefused(refused, /redis:\/\/127/);
    assert.ok(!refused.stderr.includes('secret'));
    await assertLeaves(['-v', 'u8', open], /line \d+: .*u8/);
    stop?.();
    await assertLeaves([open], /the server does not answer/);
  });

  test('a server that ends in between', async () => {
    const server: Server = createServer((connection) => {
      connection.on('error', () => {});
      // It greets, promises more, and hangs up.
      let requests = 0;
      connection.on('data', (bytes) => {
        if (/SCAN/i.test(bytes.toString()) && requests++ === 1) connection.destroy();
        else if (/SCAN/i.test(bytes.toString())) connection.write('*2\r\n$1\r\n7\r\n*1\r\n$1\r\na\r\n');
        else if (/MGET/i.test(bytes.toString())) connection.write('*1\r\n$1\r\nx\r\n');
        // Several commands may come at once; each wants an answer.
        else connection.write('+OK\r\n'.repeat(bytes.toString().match(/^\*\d+\r$/gm)!.length));
      });
    });
    // A test that fails must not wait for it.
    server.unref();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await assertLeaves([`redis://127.0.0.1:${port}`], /the server does not answer, or no more/);
    server.close();
  });
});

describe('text with a NUL in SQLite', { skip: NO_SQLITE || NO_SQLITE3 }, () => {
  test('is whole, or refused where Node would cut it', async () => {
    const path = fresh('.db');
    sqlite3(path, "create table t (k text, v text); insert into t values ('a' || char(0) || 'b', 'x'), ('a', 'y');");
    if (process.versions.node.startsWith('22.')) {
      await assertLeaves([path], /a NUL in it/, SQLITE_CWD);
      const query = 'select cast(k as blob) k, v from t';
      assert.equal((await built(['--query', query, path], SQLITE_CWD)).get('a\0b'), 'x');
    } else assert.equal((await built([path], SQLITE_CWD)).get('a\0b'), 'x');
  });
});
