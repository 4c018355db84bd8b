// Redis servers of the tests' own: one, or a cluster of three masters with a replica each. Knows how they are started.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.js';

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly address: string;
  cli(...args: string[]): string;
  kill(): void;
}

export async function startRedis(folder: string, more: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  const own = join(folder, String(port));
  mkdirSync(own, { recursive: true });
  const server: ChildProcess = spawn('redis-server', ['--port', String(port), '--dir', own, '--save', '', ...more], {
    stdio: 'ignore',
  });
  const cli = (...args: string[]) => execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' });
  await until(async () => {
    try {
      return cli('ping').includes('PONG');
    } catch {
      return false;
    }
  });
  return {
    port,
    address: `redis://127.0.0.1:${port}`,
    cli,
    kill: () => server.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
  };
}

export interface RedisCluster extends AsyncDisposable {
  readonly address: string;
  readonly servers: readonly RedisServer[];
  /** The masters now, by the cluster's own word. */
  masters(): RedisServer[];
}

/** Three masters, each with a replica that is up to date; each write is on the disk before it is answered. */
export async function startCluster(folder: string): Promise<RedisCluster> {
  const flags = [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '2000',
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
  ];
  const servers: RedisServer[] = [];
  for (let i = 0; i < 6; i++) servers.push(await startRedis(folder, [...flags, '--repl-diskless-sync-delay', '0']));
  const nodes = servers.map(({ port }) => `127.0.0.1:${port}`);
  execFileSync('redis-cli', ['--cluster', 'create', ...nodes, '--cluster-replicas', '1', '--cluster-yes']);
  const masters = () =>
    servers.filter(({ cli }) => {
      try {
        return cli('role').startsWith('master');
      } catch {
        return false;
      }
    });
  await until(
    () => masters().length === 3 && masters().every(({ cli }) => /state=online/.test(cli('info', 'replication'))),
  );
  return {
    address: servers[0]!.address,
    servers,
    masters,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
}

/** Waits until something is so; half a minute at most. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (await isSo()) return;
    await sleep(50);
  }
  throw new Error('it does not come');
}
