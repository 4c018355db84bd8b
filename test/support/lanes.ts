// Builds as several threads would: each part of the input by a lane of its own, one after the other in this thread; writes with a helper.

import { ByteBuffer } from '../../src/base/bytes.js';
import { Helper } from '../../src/base/workers.js';
import { withBuilder } from '../../src/build/build.js';
import { SpillFile } from '../../src/build/common/spill-file.js';
import type { Builder } from '../../src/build/hash/builder.js';
import { Ingest, type RecordSink } from '../../src/build/hash/ingest.js';
import { valueEncoder } from '../../src/codec/encode-value.js';
import type { BuildOptions, BuildSummary, ValueChoice } from '../../src/index.js';

export type LanePart = readonly (readonly [key: string, value: unknown])[];

/** @param writers threads that write besides this one */
export async function buildInLanes(
  path: string,
  parts: readonly LanePart[],
  options: BuildOptions<ValueChoice>,
  writers = 1,
): Promise<BuildSummary> {
  const fill = async (builder: Builder) => {
    for (let i = 0; i < writers; i++) {
      builder.addHelper(new Helper(new URL('../../src/build/hash/span-worker.js', import.meta.url)));
    }
    addAll(builder, parts[0]!);
    const results = parts.slice(1).map((part, i) => {
      const { valueType, seed, staged, arena, spill, lane, lanes } = builder.laneWork(i + 1);
      const intake = new Ingest(valueType, seed, staged, new ByteBuffer(arena), new SpillFile(spill), lane, lanes);
      addAll(intake, part);
      const { stats, partitions, interned } = intake;
      return { sums: { ...stats }, holding: partitions.holding(), interned };
    });
    builder.absorb(results);
  };
  return withBuilder(path, { memory: 2 ** 20, ...options }, fill, parts.length);
}

function addAll(sink: RecordSink, part: LanePart): void {
  const encode = valueEncoder(sink.valueType);
  const out = { buffer: new ByteBuffer(0), at: 0, length: 0 };
  for (const [key, value] of part) {
    const block = new ByteBuffer(Buffer.from(key));
    encode(value, out);
    sink.add(block, 0, block.size, out.buffer, out.at, out.length);
  }
}
