// The servers that entries are written to and read from: one, or the masters of a cluster. Knows which server has a key, what
// an answer means, and when an entry is safe; does not know tables. Connections are ioredis'.

import { setTimeout as sleep } from 'node:timers/promises';
import { HmapError } from '../../src/index.js';
import { loadOptional } from '../formats/optional.js';
import { counted } from '../terminal/cli.js';
import { keySlot } from './key-slot.js';
import type { RedisCommand, RedisEntry } from './redis-entries.js';

/** What is used of ioredis. */
interface Pipeline {
  callBuffer(...command: readonly (string | Buffer)[]): unknown;
  exec(): Promise<[error: Error | null, reply: unknown][] | null>;
}
interface Connection {
  pipeline(): Pipeline;
  call(...command: readonly (string | Buffer)[]): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): void;
  disconnect(): void;
}
interface Server extends Connection {
  readonly options: { readonly host?: string; readonly port?: number };
  connect(): Promise<void>;
}
interface Cluster extends Connection {
  /** The servers of each slot, `host:port`, the master first. */
  readonly slots: readonly (readonly string[] | undefined)[];
  nodes(role: 'master'): Server[];
  connect(): Promise<void>;
  refreshSlotsCache(done: (error?: Error | null) => void): void;
}
interface Ioredis {
  readonly default: (new (
    address: string,
    options: object,
  ) => Server) & {
    readonly Cluster: new (nodes: readonly object[], options: object) => Cluster;
  };
}

/** Answers that another attempt, perhaps at another server, may not get. */
const PASSING = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN|READONLY|BUSY|NOREPLICAS)\b/;
/** Milliseconds that one command may take, and between two attempts. */
const COMMAND_TIMEOUT = 10_000;
const PAUSE = 250;
/** Milliseconds that a server waits for its replicas before it says how many have come so far. */
const REPLICA_WAIT = 1000;

export interface ServersOptions {
  readonly isCluster: boolean;
  /** Replicas that must have an entry before it is safe; by default 1 where there are any. */
  readonly replicas: number | undefined;
  /** Milliseconds that servers may be unreachable before the load gives up. */
  readonly patience: number;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

export class RedisServers {
  /** Replicas that have each entry before it counts as written. */
  readonly replicas: number;
  readonly masters: number;
  readonly #client: Server | Cluster;
  readonly #options: ServersOptions;
  readonly #address: string;
  #lastError: Error | undefined;
  /** Servers that have fewer replicas than should be. */
  readonly #lacking = new WeakSet<Server>();

  private constructor(address: string, client: Server | Cluster, options: ServersOptions, hasReplicas: boolean) {
    this.#client = client;
    this.#options = options;
    this.#address = address;
    client.on('error', (error) => {
      this.#lastError = error;
    });
    this.replicas = options.replicas ?? (hasReplicas ? 1 : 0);
    this.masters = 'nodes' in client ? client.nodes('master').length : 1;
  }

  /**
   * @param address `redis://` or `rediss://`, of the server, or of one of the cluster
   * @throws {HmapError} `HMAP_INPUT` if it does not answer, or there is no ioredis
   */
  static async connect(address: string, options: ServersOptions): Promise<RedisServers> {
    const { default: Redis } = await loadOptional<Ioredis>(
      'ioredis',
      'hmap load (or pipe hmap dump --format resp into redis-cli --pipe)',
    );
    const shown = withoutPassword(address);
    const common = { commandTimeout: COMMAND_TIMEOUT, maxRetriesPerRequest: 1, enableReadyCheck: true };
    let client: Server | Cluster;
    let failed: Error | undefined;
    if (options.isCluster) {
      const url = new URL(address);
      const password = decodeURIComponent(url.password);
      const username = decodeURIComponent(url.username);
      const redisOptions = {
        ...common,
        ...(password && { password }),
        ...(username && { username }),
        ...(url.protocol === 'rediss:' && { tls: {} }),
      };
      const retry = { clusterRetryStrategy: (times: number) => (times > 3 ? null : 200), slotsRefreshTimeout: 5000 };
      const node = { host: url.hostname, port: Number(url.port || 6379) };
      client = new Redis.Cluster([node], { redisOptions, ...retry, lazyConnect: true });
    } else {
      client = new Redis(address, {
        ...common,
        lazyConnect: true,
        retryStrategy: (times: number) => Math.min(200 * times, 2000),
      });
    }
    client.on('error', (error) => {
      failed ??= error;
    });
    try {
      await client.connect();
      // Not by the slots, which leave out replicas that are not up to date yet.
      const masters = 'nodes' in client ? client.nodes('master') : [];
      const hasReplicas = (await Promise.all(masters.map(replicasOf))).some((count) => count > 0);
      return new RedisServers(shown, client, options, hasReplicas);
    } catch (error) {
      client.disconnect();
      // Of a cluster, what its nodes have said is behind what was tried last.
      const said = [failed, error as Error].map(
        (each) => (each as { lastNodeError?: Error } | undefined)?.lastNodeError,
      );
      const cause = said.find((each) => each !== undefined) ?? failed ?? (error as Error);
      const hint = /cluster support disabled/i.test(cause.message) ? '; leave out --cluster' : '';
      throw new HmapError('HMAP_INPUT', `${shown}: the server does not answer: ${cause.message}${hint}`, { cause });
    }
  }

  /**
   * Writes entries, again for as long as servers go and others take over, until all are where they belong and as many
   * replicas have them as should.
   * @throws {HmapError} `HMAP_INPUT` if a server refuses them, or stays away
   */
  async write(entries: readonly RedisEntry[]): Promise<void> {
    await this.#untilDone(
      entries,
      ({ write }) => write,
      () => {},
      true,
    );
  }

  /** Reads entries back; calls `take` with the reply for each. Throws as {@link write} does. */
  async read(entries: readonly RedisEntry[], take: (entry: RedisEntry, reply: unknown) => void): Promise<void> {
    await this.#untilDone(entries, ({ read }) => [read], take, false);
  }

  /** One command of one key. */
  call(...command: RedisCommand): Promise<unknown> {
    return this.#client.call(...command);
  }

  close(): void {
    this.#client.disconnect();
  }

  async #untilDone(
    entries: readonly RedisEntry[],
    commandsOf: (entry: RedisEntry) => readonly RedisCommand[],
    take: (entry: RedisEntry, reply: unknown) => void,
    isWritten: boolean,
  ): Promise<void> {
    const { signal, patience } = this.#options;
    let left = entries;
    for (let since = performance.now(); ; ) {
      signal.throwIfAborted();
      const before = left.length;
      left = await this.#attempt(left, commandsOf, take, isWritten);
      if (left.length === 0) return;
      if (left.length < before) since = performance.now();
      if (performance.now() - since > patience) {
        const seconds = Math.round(patience / 1000);
        const why = this.#lastError === undefined ? '' : `: ${this.#lastError.message}`;
        throw new HmapError('HMAP_INPUT', `${this.#address}: servers did not answer for ${seconds} s${why}`, {});
      }
      await sleep(PAUSE, undefined, { signal }).catch(() => {});
      await this.#refresh();
    }
  }

  /** Sends commands once, to all servers at the same time; returns the entries that have to be sent again. */
  async #attempt(
    entries: readonly RedisEntry[],
    commandsOf: (entry: RedisEntry) => readonly RedisCommand[],
    take: (entry: RedisEntry, reply: unknown) => void,
    isWritten: boolean,
  ): Promise<RedisEntry[]> {
    const { signal } = this.#options;
    const again = new Set<RedisEntry>();
    const byServer = this.#byServer(entries, again);
    const send = async ([server, own]: [Server, RedisEntry[]]) => {
      try {
        const failed = await this.#send(server, own, commandsOf, take);
        for (const entry of failed) again.add(entry);
        if (isWritten) await this.#confirm(server);
      } catch (error) {
        if (error instanceof HmapError || signal.aborted) throw error;
        // The connection: what was written, and what was not, nobody knows.
        this.#lastError = error as Error;
        for (const entry of own) again.add(entry);
      }
    };
    await Promise.all([...byServer].map(send));
    return [...again];
  }

  /** @param again receives the entries whose server is not known now */
  #byServer(entries: readonly RedisEntry[], again: Set<RedisEntry>): Map<Server, RedisEntry[]> {
    const client = this.#client;
    if (!('nodes' in client)) return new Map([[client, [...entries]]]);
    const masters = new Map(client.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]));
    const byServer = new Map<Server, RedisEntry[]>();
    for (const entry of entries) {
      const server = masters.get(client.slots[keySlot(entry.key)]?.[0] ?? '');
      const own = server && byServer.get(server);
      if (server === undefined) again.add(entry);
      else if (own === undefined) byServer.set(server, [entry]);
      else own.push(entry);
    }
    return byServer;
  }

  /** Returns the entries that the server does not have now. */
  async #send(
    server: Server,
    entries: readonly RedisEntry[],
    commandsOf: (entry: RedisEntry) => readonly RedisCommand[],
    take: (entry: RedisEntry, reply: unknown) => void,
  ): Promise<RedisEntry[]> {
    const pipeline = server.pipeline();
    const counts = entries.map((entry) => {
      const commands = commandsOf(entry);
      for (const command of commands) pipeline.callBuffer(...command);
      return commands.length;
    });
    const replies = (await pipeline.exec()) ?? [];
    const failed: RedisEntry[] = [];
    let at = 0;
    for (const [i, entry] of entries.entries()) {
      const own = replies.slice(at, at + counts[i]!);
      at += counts[i]!;
      const wrong = own.find(([error]) => error !== null)?.[0];
      if (wrong?.message.startsWith('MOVED') && !this.#options.isCluster) {
        throw new HmapError('HMAP_INPUT', `${this.#address}: the server is one of a cluster; add --cluster`, {
          cause: wrong,
        });
      }
      if (own.length < counts[i]! || (wrong && (PASSING.test(wrong.message) || !isReply(wrong)))) {
        this.#lastError = wrong ?? this.#lastError;
        failed.push(entry);
      } else if (wrong) {
        throw new HmapError('HMAP_INPUT', `${this.#address}: the server refuses an entry: ${wrong.message}`, {
          cause: wrong,
        });
      } else {
        take(entry, own.at(-1)![1]);
      }
    }
    return failed;
  }

  /** Waits until as many replicas as should have what this server was sent last, or it has not so many. */
  async #confirm(server: Server): Promise<void> {
    const { signal, patience, warn } = this.#options;
    const needed = this.replicas;
    const { host, port } = server.options;
    for (const since = performance.now(); needed > 0; ) {
      // One that has too few would keep us waiting for nothing.
      const isLacking = this.#lacking.has(server) && (await replicasOf(server)) < needed;
      if (isLacking) return;
      this.#lacking.delete(server);
      if (Number(await server.call('WAIT', String(needed), String(REPLICA_WAIT))) >= needed) return;
      signal.throwIfAborted();
      const connected = await replicasOf(server);
      if (connected < needed) {
        this.#lacking.add(server);
        const has = `${host}:${port} has ${counted(connected, 'replica')}, not ${needed}`;
        warn(`${has}: what it alone has is lost if it fails now`);
        return;
      }
      if (performance.now() - since > patience) {
        const message = `${this.#address}: the replicas of ${host}:${port} do not keep up; --replicas 0 does not wait for them`;
        throw new HmapError('HMAP_INPUT', message, {});
      }
    }
  }

  /** Asks the cluster anew which server has which slots. */
  async #refresh(): Promise<void> {
    const client = this.#client;
    if (!('nodes' in client)) return;
    await new Promise<void>((resolve) => client.refreshSlotsCache(() => resolve()));
  }
}

/** Replicas that are connected to a server. */
async function replicasOf(server: Server): Promise<number> {
  const info = String(await server.call('INFO', 'replication'));
  return Number(/^connected_slaves:(\d+)/m.exec(info)?.[1] ?? 0);
}

/** Whether an error is what a server has said, and not the lack of an answer. */
function isReply(error: Error): boolean {
  return error.name === 'ReplyError';
}

/** An address that may be shown. */
export function withoutPassword(address: string): string {
  try {
    const { protocol, host, pathname } = new URL(address);
    return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
  } catch {
    return address;
  }
}
