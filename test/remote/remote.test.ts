// Tests of `hmap/remote`: a table on a web server answers as the file does, with few requests, and never wrongly, whatever the
// server does.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BuildOptions, build, open, type Table } from '../../src/index.js';
import { openUrl, type RemoteTable, type UrlOptions } from '../../src/remote/open-url.js';
import { hmapError, misuse } from '../support/errors.js';
import { type FileServer, serveFile } from '../support/file-server.js';
import { Random } from '../support/random.js';
import { buildShard } from '../support/shards.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const at = (name: string) => join(folder, `${name}.hmap`);
type AnyTable = Table<unknown, string | number | bigint>;
type Case = readonly [options: Partial<BuildOptions>, entries: readonly (readonly [key: unknown, value: unknown])[]];

const texts = (count: number, value: (i: number) => unknown) =>
  Array.from({ length: count }, (_, i) => [`key ${i}`, value(i)] as const);

const CASES: Record<string, Case> = {
  numbers: [{ value: 'u32' }, texts(20_000, (i) => i)],
  texts: [{ value: 'utf8' }, texts(5000, (i) => 'välue '.repeat(i % 20))],
  'large values': [{ value: 'bytes' }, texts(40, (i) => new Uint8Array(i * 9000).fill(i))],
  json: [{ value: 'json' }, texts(1000, (i) => ({ i, list: [i] }))],
  integers: [{ value: 'uint' as never }, texts(1000, (i) => i % 300)],
  'distinct strings': [{ value: 'enum' }, texts(3000, (i) => `value ${i % 40 === 0 ? i : i % 5}`)],
  'one distinct string': [{ value: 'enum' }, texts(300, () => 'same')],
  structs: [
    { value: 'struct(on:bool,level:u20,ratio:f32)' as never },
    texts(2000, (i) => ({ on: i % 2 === 0, level: i, ratio: i / 2 })),
  ],
  'u64 keys': [{ key: 'u64', value: 'i64' }, Array.from({ length: 3000 }, (_, i) => [BigInt(i) ** 4n, BigInt(-i)])],
  'u32 keys, a set': [{ key: 'u32', value: 'none' }, Array.from({ length: 3000 }, (_, i) => [7 * i, true])],
  uuids: [
    { key: 'uuid', value: 'u8' },
    Array.from({ length: 500 }, (_, i) => [`01234567-89ab-cdef-0123-${String(i).padStart(12, '0')}`, i % 256]),
  ],
  'several segments': [{ value: 'utf8', segmentBytes: 4096 }, texts(9000, (i) => 'v'.repeat(i % 30))],
  'a long header': [{ value: 'u8', metadata: { note: 'x'.repeat(30_000) } }, texts(100, (i) => i)],
  nothing: [{ value: 'utf8' }, []],
};

const OTHERS: Record<string, unknown[]> = {
  u64: [5n, 2n ** 64n - 1n, -1],
  u32: [1, 2 ** 32 - 1, -1, 1.5],
  uuid: ['01234567-89ab-cdef-0123-999999999999', 'none'],
};

describe('a table on a web server answers as its file does', () => {
  for (const [name, [options, entries]] of Object.entries(CASES)) {
    test(name, async () => {
      const path = at(name);
      await build(path, entries as never, options as BuildOptions<'u32'>);
      using file = open(path) as AnyTable;
      await using server = await serveFile(path);
      for (const check of ['touch', 'header'] as const) {
        using table = (await openUrl(server.url, { check })) as RemoteTable<unknown, never>;
        assert.deepEqual(table.header, file.header);
        assert.equal(table.size, file.size);
        const others = OTHERS[file.header.keyType] ?? ['', 'no key', '\ud800', new Uint8Array(4)];
        const some = new Random(3).shuffled(entries.map(([key]) => key)).slice(0, 300);
        const keys = [...some, ...others] as never[];
        assert.deepEqual(await table.getMany(keys), file.getMany(keys));
        assert.deepEqual(
          await table.hasMany(keys),
          Array.from(file.hasMany(keys), (has) => has === 1),
        );
        for (const key of keys.slice(0, 40)) {
          assert.deepEqual(await table.get(key), file.get(key));
          assert.equal(await table.has(key), file.has(key));
        }
        await assert.rejects(table.get({} as never), misuse(/^key: expected/));
        await assert.rejects(table.getMany('keys' as never), misuse(/^keys: expected/));
      }
    });
  }

  test('fingerprints, with long ones', async () => {
    const path = at('fingerprints');
    const entries = texts(30_000, (i) => i) as [string, number][];
    const { fingerprint } = await build(path, entries, { value: 'u32', fingerprint: 8 });
    assert.ok(fingerprint!.long > 100);
    await using server = await serveFile(path);
    await assert.rejects(openUrl(server.url), hmapError('HMAP_FINGERPRINT'));
    using file = open(path, { fingerprint: true });
    using table = await openUrl(server.url, { fingerprint: true, value: 'u32' });
    const keys = [
      ...entries.map(([key]) => key).slice(0, 3000),
      ...Array.from({ length: 500 }, (_, i) => `other ${i}`),
    ];
    assert.deepEqual(await table.getMany(keys), file.getMany(keys));
  });

  test('a shard, which does not have the keys of others', async () => {
    const path = at('shard');
    const pairs = texts(500, (i) => i) as [string, number][];
    await buildShard(path, pairs, { value: 'u32' }, { index: 1, bits: 1 });
    await using server = await serveFile(path);
    using file = open(path);
    using table = await openUrl(server.url);
    const keys = pairs.map(([key]) => key);
    assert.deepEqual(await table.getMany(keys), file.getMany(keys));
  });

  test('of the types that were asked for, or not at all', async () => {
    const path = at('typed');
    await build(path, [['a', 1]], { value: 'u16' });
    await using server = await serveFile(path);
    const value: number | undefined = await (await openUrl(server.url, { value: 'u16' })).get('a');
    assert.equal(value, 1);
    assert.equal(await (await openUrl(new URL(server.url), { value: 'uint', key: 'string' })).get('a'), 1);
    await assert.rejects(openUrl(server.url, { value: 'u32' }), hmapError('HMAP_VALUE_TYPE'));
    await assert.rejects(openUrl(server.url, { value: { struct: { a: 'bool' } } }), hmapError('HMAP_VALUE_TYPE'));
    await assert.rejects(openUrl(server.url, { key: 'u32' }), hmapError('HMAP_KEY_TYPE'));
    await assert.rejects(openUrl(server.url, { fingerprint: true }), hmapError('HMAP_FINGERPRINT'));
    for (const [options, message] of [
      [{ check: 'full' }, /^check: /],
      [{ cacheBytes: 5 }, /^cacheBytes: /],
      [{ retries: -1 }, /^retries: /],
      [{ timeot: 5 }, /did you mean 'timeout'/],
      [{ fetch: 5 }, /^fetch: /],
      [{ value: 'u33' }, /^value: /],
    ] as const) {
      await assert.rejects(openUrl(server.url, options as UrlOptions), misuse(message));
    }
    await assert.rejects(openUrl('' as string), misuse(/^url: /));
    await build(at('list'), [1, 2], { layout: 'list', value: 'u7' });
    server.replace(at('list'));
    await assert.rejects(openUrl(server.url), hmapError('HMAP_LAYOUT'));
  });
});

/** A table of about 30 MB, so of hundreds of blocks. */
async function large(): Promise<string> {
  const path = at('large');
  const entries = texts(300_000, (i) => `value ${'v'.repeat(i % 150)}`) as [string, string][];
  await build(path, entries, { value: 'utf8' });
  return path;
}

const sent = (server: FileServer) => server.asked.reduce((sum, { from, end }) => sum + end - from, 0);

describe('what a lookup costs', () => {
  let path: string;
  test('with check: header, 3 requests cold, then 2, or 1; at most 8 KiB', async () => {
    path = await large();
    await using server = await serveFile(path);
    using table = await openUrl(server.url, { check: 'header', value: 'utf8' });
    assert.ok(await table.has('key 7'));
    assert.equal(server.asked.length, 3);
    assert.equal(table.traffic.requests, 3);
    assert.equal(sent(server), table.traffic.bytes);
    let most = 0;
    for (let i = 0; i < 200; i++) {
      const before = { requests: server.asked.length, bytes: sent(server) };
      assert.equal((await table.get(`key ${i * 1499}`))?.length, 6 + ((i * 1499) % 150));
      assert.ok(server.asked.length - before.requests <= 2);
      most = Math.max(most, sent(server) - before.bytes);
    }
    assert.ok(most <= 8192, `${most} bytes`);
    const before = server.asked.length;
    await table.get('key 1499');
    assert.equal(server.asked.length, before, 'what was read is kept');
  });

  test('with check: touch, at most 5 requests cold, 2 warm on average, two blocks at most', async () => {
    await using server = await serveFile(path);
    using table = await openUrl(server.url, { value: 'utf8' });
    assert.ok(await table.get('key 7'));
    assert.ok(server.asked.length <= 5, `${server.asked.length} requests`);
    // Of the index only, so that each lookup brings a block of records.
    const before = { requests: server.asked.length, bytes: sent(server) };
    const lookups = 300;
    for (let i = 0; i < lookups; i++) assert.ok(await table.has(`key ${i * 997}`));
    assert.ok((server.asked.length - before.requests) / lookups <= 2);
    assert.ok((sent(server) - before.bytes) / lookups <= 2 * 65_536);
  });

  test('many keys come side by side, no more at a time than allowed, and neighbours together', async () => {
    await using server = await serveFile(path, { delay: 2 });
    using table = await openUrl(server.url, { concurrency: 4, cacheBytes: 2 ** 26 });
    const keys = Array.from({ length: 2000 }, (_, i) => `key ${i}`);
    const [values, again] = await Promise.all([table.getMany(keys), table.getMany(keys)]);
    assert.deepEqual(values, again);
    assert.ok(values.every((value) => value !== undefined));
    assert.ok(server.most() <= 4 && server.most() > 1);
    assert.ok(server.asked.some(({ from, end }) => end - from > 65_536));
    assert.ok(sent(server) < 1.2 * table.header.fileBytes, 'no block comes twice');
  });

  test('the cache keeps what was used last, within its size', async () => {
    await using server = await serveFile(path);
    using table = await openUrl(server.url, { cacheBytes: 262_144 });
    const ask = async (key: string) => {
      const before = server.asked.length;
      await table.get(key);
      return server.asked.length - before;
    };
    await ask('key 1');
    assert.equal(await ask('key 1'), 0);
    for (let i = 1000; i < 1020; i++) await ask(`key ${i * 31}`);
    assert.ok((await ask('key 1')) > 0);
  });
});

const quick = { retries: 2, timeout: 100 } as const;

describe('a server that misbehaves', () => {
  const path = at('numbers');
  const whole = () => readFileSync(path);

  test('for a while, is asked again', async () => {
    await using server = await serveFile(path);
    using table = await openUrl(server.url, { ...quick, check: 'header' });
    using impatient = await openUrl(server.url, { ...quick, retries: 0, check: 'header' });
    const faults: Record<string, Parameters<FileServer['misbehave']>[0]> = {
      503: (_, response) => response.writeHead(503, { 'retry-after': '0' }).end(),
      429: (_, response) => response.writeHead(429, { 'retry-after': new Date().toUTCString() }).end(),
      500: (_, response) => response.writeHead(500).end('oops'),
      'a cut body': ({ from, end }, response) => {
        const range = `bytes ${from}-${end - 1}/${whole().length}`;
        response.writeHead(206, { 'content-range': range, 'content-length': end - from });
        response.write(whole().subarray(from, end - 1));
        setTimeout(() => response.destroy(), 5);
      },
      'a body that is too short': ({ from, end }, response) =>
        response
          .writeHead(206, { 'content-range': `bytes ${from}-${end - 1}/${whole().length}` })
          .end(whole().subarray(from, end - 1)),
      'a closed connection': (_, response) => response.destroy(),
      'no answer': () => {},
    };
    for (const [i, [name, fault]] of Object.entries(faults).entries()) {
      const start = server.asked.length;
      server.misbehave((request, response, good) =>
        server.asked.length - start <= 2 ? fault!(request, response, good) : good(),
      );
      assert.equal(await table.get(`key ${1000 + 997 * i}`), 1000 + 997 * i, name);
      server.misbehave(fault);
      await assert.rejects(impatient.get(`key ${1500 + 997 * i}`), hmapError('HMAP_HTTP'), name);
      server.misbehave(undefined);
    }
  });

  test('for good, is an error at once', async () => {
    await using server = await serveFile(path);
    const { url } = server;
    for (const [fault, code] of [
      [(_, response) => response.writeHead(404).end(), 'HMAP_HTTP'],
      [(_, response) => response.writeHead(403).end(), 'HMAP_HTTP'],
      [
        ({ from, end }, response) =>
          response
            .writeHead(206, { 'content-range': `bytes ${from + 1}-${end}/${whole().length}` })
            .end(whole().subarray(from + 1, end + 1)),
        'HMAP_HTTP',
      ],
      [(_, response) => response.writeHead(200, { 'content-encoding': 'br' }).end('x'), 'HMAP_HTTP'],
      [
        (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-7/8' }).end('no table'),
        'HMAP_NOT_A_TABLE',
      ],
      [(_, response) => response.writeHead(416, { 'content-range': 'bytes */0' }).end(), 'HMAP_TRUNCATED'],
      [(_, response) => response.writeHead(200).end(Buffer.alloc(2 ** 20)), 'HMAP_NO_RANGES'],
      [(_, response) => response.writeHead(200, { 'content-length': 2 ** 33 }).write('x'), 'HMAP_NO_RANGES'],
    ] as const satisfies [Parameters<FileServer['misbehave']>[0], string][]) {
      server.asked.length = 0;
      server.misbehave(fault as Parameters<FileServer['misbehave']>[0]);
      await assert.rejects(openUrl(url, { ...quick, cacheBytes: 2 ** 18 }), hmapError(code));
      assert.equal(server.asked.length, 1, code);
    }
    await assert.rejects(openUrl('http://127.0.0.1:9/none', { retries: 0 }), hmapError('HMAP_HTTP'));
  });

  test('that gives no parts is read whole, if the file is small', async () => {
    await using server = await serveFile(path);
    server.misbehave((_, response) => response.writeHead(200).end(whole()));
    using table = await openUrl(server.url);
    assert.equal(await table.get('key 77'), 77);
    assert.equal(await table.get('key 19999'), 19_999);
    assert.equal(server.asked.length, 1);
  });

  test('that names no version needs checked blocks', async () => {
    await using server = await serveFile(path, { version: 'none' });
    await assert.rejects(openUrl(server.url, { check: 'header' }), hmapError('HMAP_HTTP'));
    using table = await openUrl(server.url);
    assert.equal(await table.get('key 77'), 77);
  });

  test('damage in blocks, in their sums and in the index is found', async () => {
    const bytes = whole();
    const { header } = open(path);
    for (const place of [header.headerBytes + 70_000, header.index.offset + 30, header.checksums.offset + 9]) {
      const damaged = Buffer.from(bytes);
      damaged[place]! ^= 1;
      writeFileSync(at('damaged'), damaged);
      await using server = await serveFile(at('damaged'));
      using table = await openUrl(server.url);
      const keys = texts(20_000, () => 0).map(([key]) => key);
      await assert.rejects(table.getMany(keys), hmapError('HMAP_DAMAGED'));
    }
  });
});

describe('a file that is replaced', () => {
  for (const version of ['etag', 'modified', 'none'] as const) {
    test(`is an error, or a reload, never a mix: ${version}`, async () => {
      const [a, b] = [at('a'), at('b')];
      const entries = (n: number) => texts(20_000, (i) => 2 * i + n) as [string, number][];
      await build(a, entries(0), { value: 'u32' });
      await build(b, entries(1), { value: 'u32' });
      await using server = await serveFile(a, { version });
      using strict = await openUrl(server.url, { value: 'u32' });
      using following = await openUrl(server.url, { value: 'u32', onReplaced: 'reload' });
      for (const table of [strict, following]) assert.equal(await table.get('key 1'), 2);
      server.replace(b);
      await assert.rejects(strict.getMany(['key 19000', 'key 500', 'key 7000']), hmapError('HMAP_REPLACED'));
      const keys = Array.from({ length: 4000 }, (_, i) => `key ${5 * i}`);
      const values = await following.getMany(keys);
      assert.deepEqual(
        values,
        keys.map((_, i) => 10 * i + 1),
      );
      assert.equal(await strict.reload(), true);
      assert.equal(await strict.reload(), false);
      assert.equal(await strict.get('key 1'), 3);
      // Another type of values is no newer version.
      await build(at('c'), texts(100, () => 'x') as never, { value: 'utf8' });
      server.replace(at('c'));
      await assert.rejects(strict.reload(), hmapError('HMAP_VALUE_TYPE'));
      assert.equal(await strict.get('key 1'), 3);
    });
  }

  test('by a shorter one', async () => {
    await using server = await serveFile(at('a'), { version: 'none' });
    using table = await openUrl(server.url);
    await build(at('short'), [['a', 1]], { value: 'u32' });
    server.replace(at('short'));
    await assert.rejects(table.get('key 7'), hmapError('HMAP_REPLACED'));
  });
});

describe('signals, and closing', () => {
  test('a lookup that is given up stops its request; another one that waits for the same goes on', async () => {
    await using server = await serveFile(at('numbers'), { delay: 30 });
    using table = await openUrl(server.url);
    const stop = new AbortController();
    const [first, second] = [table.get('key 5', { signal: stop.signal }), table.get('key 5')];
    setTimeout(() => stop.abort(new Error('enough')), 10);
    await assert.rejects(first, /enough/);
    assert.equal(await second, 5);
    await assert.rejects(table.get('key 6', { signal: AbortSignal.abort(new Error('never')) }), /never/);
    let closed = false;
    server.misbehave((_, response) =>
      response.once('close', () => {
        closed = true;
      }),
    );
    const alone = new AbortController();
    using other = await openUrl(server.url, { signal: AbortSignal.timeout(50), retries: 0 }).catch(() => table);
    const waiting = other.get('key 19000', { signal: alone.signal });
    waiting.catch(() => {});
    await sleep(60);
    alone.abort(new Error('gone'));
    await assert.rejects(waiting, /gone|19000|5/);
    await sleep(20);
    assert.ok(closed, 'the request was stopped');
    await assert.rejects(openUrl(server.url, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
    table.close();
    assert.equal(table.closed, true);
    await assert.rejects(table.get('key 1'), hmapError('HMAP_CLOSED'));
  });

  test('what is left of a lookup that fails is not asked for; nor does one signal have many listeners', async () => {
    await using server = await serveFile(at('large'), { delay: 1 });
    using table = await openUrl(server.url, { retries: 0, concurrency: 2 });
    let warned = false;
    const onWarning = () => {
      warned = true;
    };
    process.once('warning', onWarning);
    const keys = Array.from({ length: 400 }, (_, i) => `key ${i * 700}`);
    await table.getMany(keys, { signal: new AbortController().signal });
    await sleep(5);
    process.removeListener('warning', onWarning);
    assert.ok(!warned);
    using other = await openUrl(server.url, { retries: 0, concurrency: 2 });
    server.misbehave((_, response) => response.writeHead(503).end());
    const before = server.asked.length;
    await assert.rejects(other.getMany(keys), hmapError('HMAP_HTTP'));
    await sleep(50);
    assert.ok(server.asked.length - before <= 4, `${server.asked.length - before} requests`);
  });

  test('many keys in any order move no part of the file twice, with a cache much smaller than it', async () => {
    await using server = await serveFile(at('large'));
    using table = await openUrl(server.url, { cacheBytes: 2 ** 20 });
    const keys = new Random(9).shuffled(Array.from({ length: 20_000 }, (_, i) => `key ${i}`));
    const values = await table.getMany(keys);
    assert.ok(values.every((value) => value !== undefined));
    assert.ok(table.traffic.bytes < 1.5 * table.header.fileBytes, `${table.traffic.bytes} bytes`);
  });

  test('a server that turns to whole files in between sends one', async () => {
    await using server = await serveFile(at('large'), { delay: 1 });
    const whole = readFileSync(at('large'));
    using table = await openUrl(server.url, { cacheBytes: 2 ** 26, check: 'header' });
    server.misbehave((_, response) => response.writeHead(200, { 'content-length': whole.length }).end(whole));
    const values = await table.getMany(Array.from({ length: 500 }, (_, i) => `key ${i * 500}`));
    assert.ok(values.every((value) => value !== undefined));
    // As many as were under way.
    assert.ok(table.traffic.bytes < 8 * whole.length);
  });

  test('a newer file whose bytes come under the old ETag is no damage', async () => {
    const [a, b] = [at('a'), at('b')];
    await using server = await serveFile(a);
    using table = await openUrl(server.url, { value: 'u32', onReplaced: 'reload' });
    const etag = (await fetch(server.url, { headers: { range: 'bytes=0-1' } })).headers.get('etag')!;
    server.replace(b);
    let torn = true;
    server.misbehave((_, response, good) => {
      if (torn) response.setHeader('etag', etag);
      torn = false;
      good();
    });
    assert.equal(await table.get('key 5'), 11);
  });

  test('a signal ends the waiting also where a file is looked at once more', async () => {
    const path = at('numbers');
    const damaged = readFileSync(path);
    damaged[5000]! ^= 1;
    writeFileSync(at('damaged'), damaged);
    await using server = await serveFile(path);
    using table = await openUrl(server.url, { retries: 0 });
    server.replace(at('damaged'));
    const etag = (await fetch(server.url)).headers.get('etag');
    server.replace(path);
    using other = await openUrl(server.url, { retries: 0 });
    server.replace(at('damaged'));
    server.misbehave(({ from, end }, response, good) => {
      response.setHeader('etag', `${etag}`);
      if (from === 0 && end === 4096) return;
      response.removeHeader('etag');
      good();
    });
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 100);
    const start = performance.now();
    const keys = texts(20_000, () => 0).map(([key]) => key);
    await assert.rejects(other.getMany(keys, { signal: stop.signal }), /enough/);
    assert.ok(performance.now() - start < 2000);
    table.close();
  });

  test('keys may be given as bytes whatever their type; a fetch that never answers is given up', async () => {
    await using server = await serveFile(at('u32 keys, a set'));
    using table = await openUrl(server.url, { key: 'bytes' });
    assert.equal(await table.has(Uint8Array.of(7, 0, 0, 0)), true);
    assert.equal(await table.has(Uint8Array.of(8, 0, 0, 0)), false);
    const never = () => new Promise<Response>(() => {});
    await assert.rejects(openUrl('x', { fetch: never, timeout: 30, retries: 0 }), hmapError('HMAP_HTTP'));
    await assert.rejects(
      openUrl('x', {
        fetch: () => {
          throw null;
        },
        retries: 0,
      }),
      hmapError('HMAP_HTTP'),
    );
    await assert.rejects(openUrl(server.url, { timeout: 2 ** 31 }), misuse(/^timeout: /));
  });

  test('headers, and a fetch of one’s own', async () => {
    await using server = await serveFile(at('numbers'));
    const seen: (string | null)[] = [];
    using table = await openUrl('table:numbers', {
      headers: { authorization: 'Bearer x' },
      fetch: async (url, init) => {
        assert.equal(url, 'table:numbers');
        seen.push(new Headers(init?.headers).get('authorization'));
        return fetch(server.url, init);
      },
    });
    assert.equal(await table.get('key 3'), 3);
    assert.deepEqual(new Set(seen), new Set(['Bearer x']));
  });
});
