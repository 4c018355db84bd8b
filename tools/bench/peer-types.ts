// As much of the peers' interfaces as the bench uses; they are no dependencies of the product, whose compiler does not
// see their types.

export interface Lmdb {
  open(options: object): LmdbStore;
}
export interface LmdbStore {
  put(key: string, value: Buffer): Promise<boolean>;
  /** Into a buffer that the next call overwrites. */
  getBinaryFast(key: string): Buffer | undefined;
  getRange(options: object): Iterable<{ key: string; value: Buffer }>;
  flushed: Promise<unknown>;
  close(): Promise<void>;
}

export type Sqlite = new (source: string | Buffer, options?: object) => SqliteDatabase;
export interface SqliteDatabase {
  pragma(text: string): unknown;
  exec(text: string): unknown;
  prepare(text: string): SqliteStatement;
  close(): void;
}
export interface SqliteStatement {
  run(...values: unknown[]): unknown;
  pluck(): { get(key: string): number | undefined };
  raw(): { iterate(): Iterable<[string, number]> };
}

export interface ClassicLevelPackage {
  ClassicLevel: new (path: string, options: object) => Level;
}
export interface Level {
  open(options?: object): Promise<void>;
  batch(operations: readonly object[], options?: object): Promise<void>;
  getSync(key: string): string | undefined;
  compactRange(from: string, to: string): Promise<void>;
  close(): Promise<void>;
}

export interface FuseFilterPackage {
  populateBinaryFuse8(hashes: BigUint64Array): [filter: FuseFilter | null, error: Error | null];
}
export interface FuseFilter {
  readonly Fingerprints: Uint8Array;
  contains(hash: bigint): boolean;
}

export interface IoredisPackage {
  Redis: new (options: object) => RedisClient;
}
export interface RedisClient {
  get(key: string): Promise<string | null>;
  mget(keys: readonly string[]): Promise<(string | null)[]>;
  pipeline(): RedisPipeline;
  quit(): Promise<unknown>;
}
export interface RedisPipeline {
  get(key: string): RedisPipeline;
  exec(): Promise<[Error | null, string | null][] | null>;
}
