// `redis`: the keys of a Redis server whose values are strings, by SCAN and MGET. Reading is ioredis'.

import { HmapError } from '../../src/index.js';
import { ByteBuffer } from '../../src/internal.js';
import type { ReadInput } from './format.js';
import { loadOptional } from './optional.js';

/** Keys of one request. */
const BATCH = 1000;

/** What is used of ioredis. */
interface Client {
  connect(): Promise<void>;
  scanBuffer(cursor: string | Buffer, ...options: (string | number)[]): Promise<[cursor: Buffer, keys: Buffer[]]>;
  mgetBuffer(keys: Buffer[]): Promise<(Buffer | null)[]>;
  disconnect(): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

interface Ioredis {
  readonly default: new (address: string, options: Record<string, unknown>) => Client;
}

export const readRedis: ReadInput = async (input, sink) => {
  const { default: Redis } = await loadOptional<Ioredis>('ioredis', 'reading from a Redis server');
  const client = new Redis(input.path, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
  let failed: Error | undefined;
  client.on('error', (error) => {
    failed ??= error;
  });
  sink.tell('redis: each key with a string is an entry');
  const isSet = sink.valueType === 'none';
  // SCAN may give a key more than once; the build keeps what came last.
  let count = 0;
  try {
    await client.connect();
    let cursor: string | Buffer = '0';
    do {
      const [next, keys]: [Buffer, Buffer[]] = await client.scanBuffer(cursor, 'COUNT', BATCH, 'TYPE', 'string');
      cursor = next;
      if (keys.length === 0) continue;
      const values = isSet ? [] : await client.mgetBuffer(keys);
      for (const [i, bytes] of keys.entries()) {
        const value = isSet ? Buffer.alloc(0) : values[i];
        // It has gone since.
        if (value === null || value === undefined) continue;
        const key = new ByteBuffer(bytes);
        const data = new ByteBuffer(value);
        sink.text(key, 0, key.size, data, 0, data.size, ++count);
      }
      const waiting = sink.pause();
      if (waiting !== undefined) await waiting;
    } while (cursor.toString() !== '0');
  } catch (error) {
    if (error instanceof HmapError || error instanceof TypeError) throw error;
    const cause = failed ?? (error as Error);
    throw new HmapError('HMAP_INPUT', `${sink.name}: the server does not answer, or no more: ${cause.message}`, {
      cause,
    });
  } finally {
    client.disconnect();
  }
};
