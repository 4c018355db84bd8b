// What a run of the bench has at hand: peers that are there and those that are absent, data, tables, a redis server.
// Measures nothing.

import { type Cdb, findCdb } from './cdb.js';
import { stopChildren } from './child.js';
import type { Context } from './context.js';
import { ensureSource, type Source } from './data.js';
import type { Absent, Dataset, Files, Subject, Values } from './model.js';
import { installPeers, type PackageName, type PeerPackages } from './peers.js';
import { type Redis, startRedis } from './redis.js';
import { makeTables } from './tables.js';

/** The package that each subject needs. */
export const PACKAGE_OF: Partial<Record<Subject, PackageName>> = {
  lmdb: 'lmdb',
  'sqlite-memory': 'better-sqlite3',
  'sqlite-mmap': 'better-sqlite3',
  'classic-level': 'classic-level',
  'binary-fuse-filter': 'binary-fuse-filter',
  redis: 'ioredis',
  'redis-pipelined': 'ioredis',
};

export interface Settings extends Pick<Context, 'full' | 'rounds' | 'cache' | 'seed' | 'log'> {
  /** A pattern for what is measured; everything without one. */
  readonly only: string | undefined;
}

export class Session implements Context {
  readonly full: boolean;
  readonly rounds: number;
  readonly cache: string;
  readonly seed: number;
  readonly log: (text: string) => void;
  readonly peers: PeerPackages;
  readonly cdb: Cdb | undefined;
  readonly redis: Redis | undefined;
  readonly #only: RegExp | undefined;
  readonly #absent: Absent[] = [];
  readonly #sources = new Map<string, Promise<Source>>();
  readonly #files = new Map<string, Promise<Files>>();

  private constructor(settings: Settings, peers: PeerPackages, cdb: Cdb | Error, redis: Redis | Error) {
    this.full = settings.full;
    this.rounds = settings.rounds;
    this.cache = settings.cache;
    this.seed = settings.seed;
    this.log = settings.log;
    this.#only = settings.only === undefined ? undefined : new RegExp(settings.only);
    this.peers = peers;
    this.cdb = cdb instanceof Error ? undefined : cdb;
    this.redis = redis instanceof Error ? undefined : redis;
    for (const [subject, name] of Object.entries(PACKAGE_OF) as [Subject, PackageName][]) {
      const found = peers[name];
      if ('why' in found) this.absent(subject, `the package ${name} ${found.why}`);
    }
    if (cdb instanceof Error) this.absent('cdb', cdb.message);
    if (redis instanceof Error)
      for (const subject of ['redis', 'redis-pipelined'] as const) this.absent(subject, redis.message);
  }

  static async start(settings: Settings): Promise<Session> {
    const peers = await installPeers(settings.cache, settings.log);
    const cdb = await findCdb(settings.cache).catch((error: Error) => error);
    const redis = await startRedis().catch((error: Error) => error);
    return new Session(settings, peers, cdb, redis);
  }

  /** Ends the server, and whatever else still runs. */
  stop(): void {
    this.redis?.stop();
    stopChildren();
  }

  /** Whether the command requests something; decided by the words that describe it. */
  wants(...words: readonly (string | number | undefined)[]): boolean {
    return this.#only?.test(words.filter((word) => word !== undefined).join(' ')) ?? true;
  }

  absent(subject: Subject, why: string): void {
    if (this.#absent.some((known) => known.subject === subject && known.why === why)) return;
    this.log(`absent: ${subject}: ${why}`);
    this.#absent.push({ subject, why });
  }

  get absentees(): readonly Absent[] {
    return this.#absent;
  }

  /** Where the package of a subject is, if it needs one. */
  folderOf(subject: Subject): string | undefined {
    const name = PACKAGE_OF[subject];
    const found = name === undefined ? undefined : this.peers[name];
    return found !== undefined && 'folder' in found ? found.folder : undefined;
  }

  versions(): Partial<Record<Subject, string>> {
    const versions: Partial<Record<Subject, string>> = { node: process.version };
    for (const [subject, name] of Object.entries(PACKAGE_OF) as [Subject, PackageName][]) {
      const found = this.peers[name];
      if ('version' in found) versions[subject] = `${name} ${found.version}`;
    }
    if (this.cdb !== undefined) versions.cdb = `tinycdb ${this.cdb.version}`;
    if (this.redis !== undefined) {
      for (const subject of ['redis', 'redis-pipelined'] as const)
        versions[subject] += `, server ${this.redis.version}`;
    }
    return versions;
  }

  source(dataset: Dataset, values: Values): Promise<Source> {
    return memoized(this.#sources, `${dataset} ${values}`, () => {
      this.log(`data: ${dataset} with ${values}`);
      return ensureSource(dataset, values, this.cache, this.seed);
    });
  }

  files(dataset: Dataset, values: Values): Promise<Files> {
    return memoized(this.#files, `${dataset} ${values}`, async () => {
      const source = await this.source(dataset, values);
      this.log(`tables: ${dataset} with ${values}`);
      const tables = dataset === '100M' ? {} : await makeTables(source, this);
      return { dataset, values, entries: source.entries, tsv: source.tsv, tables };
    });
  }
}

function memoized<V>(kept: Map<string, Promise<V>>, name: string, make: () => Promise<V>): Promise<V> {
  const found = kept.get(name) ?? make();
  kept.set(name, found);
  return found;
}
