// A redis server of our own on loopback, without persistence, for as long as the bench runs. Knows how to start, fill
// and end it.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { run, start } from './child.js';
import { readLines } from './lines.js';

export interface Redis {
  readonly version: string;
  readonly port: number;
  readonly pid: number;
  /** Puts a data set of u32s into database `db`, as decimal text. */
  load(tsv: string, db: number): Promise<void>;
  stop(): void;
}

/** Rejects with the reason where there is no `redis-server`, or where it does not start. */
export async function startRedis(): Promise<Redis> {
  const { stdout } = await run('redis-server', ['--version'], { timeoutMs: 10_000 });
  const version = /v=([\d.]+)/.exec(stdout)?.[1] ?? 'unknown';
  const port = await freePort();
  const options = [
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--save',
    '',
    '--appendonly',
    'no',
    '--daemonize',
    'no',
  ];
  const server = start('redis-server', [...options, '--dir', tmpdir(), '--loglevel', 'warning']);
  server.stdout!.resume();
  server.stderr!.resume();
  let gone: Error | undefined;
  server.once('error', (error) => {
    gone = error;
  });
  server.once('close', () => {
    gone ??= new Error('redis-server ended');
  });
  for (let tries = 0; ; tries++) {
    try {
      (await connected(port)).destroy();
      break;
    } catch (error) {
      if (gone !== undefined || tries === 100) throw gone ?? error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return { version, port, pid: server.pid!, load: (tsv, db) => load(port, tsv, db), stop: () => server.kill() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Keys of one MSET. */
const BATCH = 1000;

/** Writes commands of many keys as redis's protocol has them, without waiting for each answer. */
async function load(port: number, tsv: string, db: number): Promise<void> {
  const commands: Buffer[] = [
    command([Buffer.from('SELECT'), Buffer.from(String(db))]),
    command([Buffer.from('FLUSHDB')]),
  ];
  let parts: Buffer[] = [Buffer.from('MSET')];
  const flush = () => {
    if (parts.length > 1) commands.push(command(parts));
    parts = [Buffer.from('MSET')];
  };
  readLines(tsv, (bytes, from, keyEnd, end) => {
    parts.push(Buffer.from(bytes.subarray(from, keyEnd)), Buffer.from(bytes.subarray(keyEnd + 1, end)));
    if (parts.length > 2 * BATCH) flush();
  });
  flush();
  const socket = await connected(port);
  try {
    await new Promise<void>((resolve, reject) => {
      let answers = 0;
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('redis-server closed the connection')));
      socket.on('data', (bytes) => {
        // Each answer is one line: `+OK`, or `-` and an error.
        if (bytes.includes('-')) reject(new Error(`redis: ${bytes.toString('latin1').slice(0, 200)}`));
        for (const byte of bytes) if (byte === 0x0a) answers++;
        if (answers === commands.length) resolve();
      });
      for (const each of commands) socket.write(each);
    });
  } finally {
    socket.destroy();
  }
}

function command(parts: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`*${parts.length}\r\n`)];
  for (const part of parts) pieces.push(Buffer.from(`$${part.length}\r\n`), part, CRLF);
  return Buffer.concat(pieces);
}

const CRLF = Buffer.from('\r\n');
