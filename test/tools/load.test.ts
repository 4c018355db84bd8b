// Tests `hmap load` with real Redis servers: what it writes, what it reads back, how it goes on after a stop; and, where
// HMAP_TEST_CLUSTER says with how many entries, a cluster of which a master is killed in between.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, before, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { type BuildOptions, build, open } from '../../src/index.js';
import { keySlot } from '../../tools/load/key-slot.js';
import { NO_REDIS } from '../support/programs.js';
import { type RedisCluster, type RedisServer, startCluster, startRedis, until } from '../support/redis.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, HMAP, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const at = (name: string) => join(folder, name);
const numbers = (count: number) => Array.from({ length: count }, (_, i) => [`key ${i}`, i] as const);

async function table(name: string, entries: Iterable<unknown>, options: Partial<BuildOptions>): Promise<string> {
  const path = at(`${name}.hmap`);
  await build(path, entries as never, options as BuildOptions<'u32'>);
  return path;
}

/** With the state file in the tests' folder. */
const load = (path: string, server: { address: string }, ...more: string[]) =>
  hmap(['load', path, server.address, '--state', at('state.json'), ...more]);

test('keys have the slots of the cluster specification', () => {
  // The examples of the specification, and of `CLUSTER KEYSLOT`.
  for (const [key, slot] of [
    ['123456789', 0x31c3],
    ['foo', 12182],
    ['{user1000}.following', 3443],
    ['{user1000}.followers', 3443],
    ['foo{}{bar}', 8363],
    ['foo{{bar}}zap', 4015],
    ['foo{bar}{zap}', 5061],
  ] as const) {
    assert.equal(keySlot(Buffer.from(key)), slot, key);
  }
});

describe('one server', { skip: NO_REDIS }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis(folder);
  });
  after(() => server?.[Symbol.asyncDispose]());

  test('gets each entry as a string, a hash or JSON, under a prefix, for a time', async () => {
    const redis = new Redis(server.address);
    const u32 = await table('u32', numbers(3000), { value: 'u32' });
    const { stderr } = await load(u32, server, '--prefix', 'a:', '--verify', 'all');
    assert.match(
      stderr,
      /127\.0\.0\.1:\d+: 3,000 entries in [\d.]+ s, [\d,]+ a second\n3,000 entries read back: all right/,
    );
    assert.equal(await redis.get('a:key 77'), '77');
    assert.equal(await redis.dbsize(), 3000);
    assert.ok(!existsSync(at('state.json')), 'nothing is left to resume');

    const json = [
      ['one', { name: 'Zoë', list: [1], big: 1 }],
      ['two', { name: 'x' }],
    ];
    const objects = await table('objects', json, { value: 'json' });
    await fine([
      'load',
      objects,
      server.address,
      '--as',
      'hash',
      '--prefix',
      'h:',
      '--verify',
      'all',
      '--state',
      at('s'),
    ]);
    assert.deepEqual(await redis.hgetall('h:one'), { name: 'Zoë', list: '[1]', big: '1' });
    // Of an earlier value nothing is left.
    await redis.hset('h:two', 'old', 'x');
    await load(objects, server, '--as', 'hash', '--prefix', 'h:');
    assert.deepEqual(await redis.hgetall('h:two'), { name: 'x' });
    await load(objects, server, '--as', 'json', '--prefix', 'j:', '--ttl', '100');
    assert.deepEqual(JSON.parse((await redis.get('j:one'))!), json[0]![1]);
    const ttl = await redis.ttl('j:one');
    assert.ok(ttl > 90 && ttl <= 100);

    const value = { struct: { on: 'bool', level: 'u20' } };
    const structs = await table('structs', [[5, { on: true, level: 7 }]], { value: value as never, key: 'u32' });
    await load(structs, server, '--as', 'hash', '--prefix', 's:', '--ttl', '50');
    assert.deepEqual(await redis.hgetall('s:5'), { on: 'true', level: '7' });
    assert.ok((await redis.ttl('s:5')) > 40);
    const bytes = await table('bytes', [[Uint8Array.of(0, 255, 13), Uint8Array.of(128, 0)]], { value: 'bytes' });
    await load(bytes, server, '--verify', 'all');
    assert.deepEqual(await redis.getBuffer(Buffer.from([0, 255, 13])), Buffer.from([128, 0]));
    redis.disconnect();
  });

  test('switches those who read to a new version by one key', async () => {
    const path = await table('switch', numbers(10), { value: 'u32' });
    const first = await load(path, server, '--prefix', 'v1:', '--switch', 'current');
    assert.match(first.stderr, /current is now "v1:"; it was not there before/);
    const second = await load(path, server, '--prefix', 'v2:', '--switch', 'current', '--json');
    const summary = JSON.parse(second.stdout);
    assert.deepEqual([summary.switchedFrom, summary.entries, summary.verified, summary.wrongCount], ['v1:', 10, 10, 0]);
    assert.equal(server.cli('get', 'current').trim(), 'v2:');
  });

  test('an entry that was changed meanwhile is found, named, and nobody is switched', async () => {
    const path = await table('checked', numbers(500), { value: 'u32' });
    // Whoever writes to a key as soon as it is there.
    const redis = new Redis(server.address);
    await redis.config('SET', 'notify-keyspace-events', 'K$');
    const events = new Redis(server.address);
    await events.psubscribe('__keyspace@0__:c:key 7');
    let changed = false;
    events.on('pmessage', () => {
      if (!changed) redis.set('c:key 7', 'other');
      changed = true;
    });
    for (let i = 0; ; i++) {
      changed = false;
      const { stderr, code } = await load(
        path,
        server,
        '--prefix',
        'c:',
        '--verify',
        'all',
        '--switch',
        'now',
        '--seed',
        String(i),
      );
      // The writer may come too late once.
      if (code === 0 && i < 20) {
        server.cli('del', 'now');
        continue;
      }
      assert.equal(code, 1);
      assert.match(stderr, /1 of 500 entries that were read back are missing or others: "c:key 7"/);
      break;
    }
    assert.equal(await redis.get('now'), null);
    redis.disconnect();
    events.disconnect();
  });

  test('a load that was stopped goes on where it was', async () => {
    const count = 300_000;
    const path = await table('large', numbers(count), { value: 'u32' });
    const args = ['load', path, server.address, '--prefix', 'r:', '--state', at('r.json'), '--verify', 'all'];
    const confirmed = () => (existsSync(at('r.json')) ? JSON.parse(readFileSync(at('r.json'), 'utf8')).confirmed : 0);
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const started = confirmed();
      const loading: ChildProcess = spawn(process.execPath, [HMAP, ...args, '--resume'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      loading.stderr!.on('data', (text) => {
        stderr += text;
      });
      await until(() => confirmed() > started);
      loading.kill(signal);
      const [code] = await once(loading, 'exit');
      if (signal === 'SIGINT') {
        assert.equal(code, 130);
        assert.match(stderr, /stopped; hmap load --resume goes on \(.*r\.json\)/);
      }
      assert.ok(confirmed() < count);
    }
    const other = await hmap([...args, '--resume', '--prefix', 'other:']);
    assertRefused(other, /one of another prefix \(r:\); without --resume it starts anew/);
    const { stderr } = await fine([...args, '--resume']);
    assert.match(stderr, /300,000 entries \([\d,]+ were there\)/);
    assert.match(stderr, /300,000 entries read back: all right/);
    writeFileSync(at('r.json'), '{}');
    assertRefused(await hmap([...args, '--resume']), /this is not the state of a load/);
  });

  test('refuses what cannot be loaded, in words that help', async () => {
    const path = at('u32.hmap');
    assertRefused(await load(path, { address: 'http://127.0.0.1' }), /address such as redis:/);
    assertRefused(
      await load(path, { address: 'redis://u:secret@127.0.0.1:9' }),
      /redis:\/\/127\.0\.0\.1:9: the server does not answer/,
    );
    assertRefused(await load(path, server, '--as', 'hash'), /--as hash: the values are u32, which have no fields/);
    const arrays = await table('arrays', [['a', [1]]], { value: 'json' });
    assertRefused(await load(arrays, server, '--as', 'hash'), /the value of the key "a" is no object/);
    const prints = await table('prints', numbers(3), { value: 'u32', fingerprint: 8 });
    assertRefused(await load(prints, server), /fingerprints/);
    const list = at('list.hmap');
    await build(list, [1, 2], { layout: 'list', value: 'u7' });
    assertRefused(await load(list, server), /the layout is 'list'; only tables by key/);
    assertRefused(await load(path, server, '--cluster'), /cluster support disabled; leave out --cluster/);
    server.cli('config', 'set', 'maxmemory', '1');
    assertRefused(await load(path, server), /the server refuses an entry: OOM/);
    server.cli('config', 'set', 'maxmemory', '0');
  });
});

/** A million entries take longer than other runs of the program. */
const LONG = { patience: 300_000 };
const ENTRIES = Number(process.env.HMAP_TEST_CLUSTER ?? 0);

describe('a cluster', { skip: NO_REDIS || (ENTRIES > 0 ? false : 'HMAP_TEST_CLUSTER is not set') }, () => {
  let cluster: RedisCluster;
  let path: string;
  before(async () => {
    cluster = await startCluster(at('cluster'));
    path = await table('cluster', numbers(ENTRIES), { value: 'u32' });
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  /** Reads every key back, by a client of its own. */
  async function assertWhole(prefix: string): Promise<void> {
    const { port } = cluster.masters()[0]!;
    const client = new Redis.Cluster([{ host: '127.0.0.1', port }], { enableAutoPipelining: true });
    using entries = open(path, { value: 'u32' });
    let batch: Promise<void>[] = [];
    for (const [key, value] of entries) {
      batch.push(client.get(prefix + key).then((text) => assert.equal(text, String(value), key)));
      if (batch.length < 5000) continue;
      await Promise.all(batch);
      batch = [];
    }
    await Promise.all(batch);
    client.disconnect();
  }

  test('has all entries, each of which a replica has confirmed', async () => {
    const { stderr } = await fine(
      ['load', path, cluster.address, '--cluster', '--prefix', 'a:', '--state', at('a.json')],
      LONG,
    );
    assert.match(stderr, /on 3 masters, each confirmed by 1 replica/);
    assertRefused(await load(path, cluster), /the server is one of a cluster; add --cluster/);
    await assertWhole('a:');
  });

  test('of which a master dies in between has all of them in the end, also when the load is stopped and resumed', async () => {
    const state = at('c.json');
    const args = ['load', path, cluster.address, '--cluster', '--prefix', 'b:', '--state', state, '--verify', 'all'];
    const confirmed = () => (existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')).confirmed : 0);
    const loading = spawn(process.execPath, [HMAP, ...args], { stdio: 'ignore' });
    await until(() => confirmed() > ENTRIES / 5);
    // Not the one that the load was told of.
    const victim = cluster.masters().find(({ address }) => address !== cluster.address)!;
    victim.kill();
    await until(() => cluster.masters().length === 3);
    // And then the load, without a chance to say goodbye.
    loading.kill('SIGKILL');
    await once(loading, 'exit');
    const before = confirmed();
    assert.ok(before < ENTRIES);
    const { stderr } = await fine([...args, '--resume'], LONG);
    assert.match(stderr, new RegExp(`\\(${before.toLocaleString('en')} were there\\)`));
    assert.match(stderr, /read back: all right/);
    await assertWhole('b:');
  });

  test('of which a master dies goes on without a resume', async () => {
    const args = [
      'load',
      path,
      cluster.address,
      '--cluster',
      '--prefix',
      'd:',
      '--state',
      at('d.json'),
      '--verify',
      'all',
    ];
    // The one that has died is back, as a replica.
    const dead = cluster.servers.find(({ port }) => !cluster.masters().some((each) => each.port === port));
    assert.ok(dead);
    const loading = fine(args, LONG);
    await until(
      () => existsSync(at('d.json')) && JSON.parse(readFileSync(at('d.json'), 'utf8')).confirmed > ENTRIES / 10,
    );
    const victim = cluster
      .masters()
      .find(({ cli, address }) => address !== cluster.address && /state=online/.test(cli('info', 'replication')))!;
    victim.kill();
    const { stderr } = await loading;
    assert.match(stderr, /read back: all right/);
    await assertWhole('d:');
  });
});
