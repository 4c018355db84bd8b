// Builds shards, by the builder's inner part: no option asks for them yet.

import { ByteBuffer } from '../../src/base/bytes.js';
import { Builder } from '../../src/build/hash/builder.js';
import type { BuildOptions, BuildSummary } from '../../src/index.js';
import { encodeValue } from './raw-table.js';

export type Pairs = readonly (readonly [key: string, value: unknown])[];

/** Builds one shard from the entries of all. */
export async function buildShard(
  path: string,
  entries: Pairs,
  options: BuildOptions<'u32' | 'utf8' | 'uint' | 'enum'>,
  shard: { index: number; bits: number },
): Promise<BuildSummary> {
  const builder = new Builder(path, options, 1, shard);
  try {
    for (const [key, value] of entries) {
      const [k, v] = [Buffer.from(key), Buffer.from(encodeValue(staged(options.value), value))];
      builder.add(new ByteBuffer(k), 0, k.length, new ByteBuffer(v), 0, v.length);
    }
    return await builder.finish();
  } catch (error) {
    await builder.abandon();
    throw error;
  }
}

/** What a builder holds values as. */
const staged = (value: string | undefined) => (value === 'uint' ? 'u48' : (value as 'u32'));

/** The golden file of a shard: one of eight, in several segments. */
export const SHARD_FIXTURE = {
  name: 'shard-5-of-8',
  entries: Array.from({ length: 8000 }, (_, i) => [`key ${i}`, i % 300] as const),
  options: { value: 'uint', seed: 3, segmentBytes: 4096 },
  shard: { index: 5, bits: 3 },
} as const;
