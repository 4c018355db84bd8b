// Builds as several threads would: each part of the input by a worker of its own, one after the other in this thread;
// writes with other threads.

import { ByteBuffer } from '../../src/base/bytes.js';
import { WorkerThread } from '../../src/base/workers.js';
import { withBuilder } from '../../src/build/build.js';
import { SpillFile } from '../../src/build/common/spill-file.js';
import { Arena } from '../../src/build/hash/arena.js';
import { Ingest, type RecordSink } from '../../src/build/hash/ingest.js';
import type { TableBuilder } from '../../src/build/hash/table-builder.js';
import { valueEncoder } from '../../src/codec/encode-value.js';
import type { BuildOptions, BuildSummary, ValueChoice } from '../../src/index.js';

export type InputPart = readonly (readonly [key: string, value: unknown])[];

/** @param writers threads that write besides this one */
export async function buildInParts(
  path: string,
  parts: readonly InputPart[],
  options: BuildOptions<ValueChoice>,
  writers = 1,
): Promise<BuildSummary> {
  const fill = async (builder: TableBuilder) => {
    for (let i = 0; i < writers; i++) {
      builder.addThread(new WorkerThread('../../src/build/hash/span-worker.js', import.meta.url));
    }
    addAll(builder, parts[0]!);
    const results = parts.slice(1).map((part, i) => {
      const { valueType, seed, staged, arena, spill, worker, workers } = builder.ingestTask(i + 1);
      const ingest = new Ingest(valueType, seed, staged, new Arena(arena), new SpillFile(spill), worker, workers);
      addAll(ingest, part);
      return ingest.result();
    });
    builder.absorb(results);
  };
  return withBuilder(path, { memory: 2 ** 20, ...options }, fill, parts.length);
}

function addAll(sink: RecordSink, part: InputPart): void {
  const encode = valueEncoder(sink.valueType);
  const out = { buffer: new ByteBuffer(0), at: 0, length: 0 };
  for (const [key, value] of part) {
    const buffer = new ByteBuffer(Buffer.from(key));
    encode(value, out);
    sink.add(buffer, 0, buffer.size, out.buffer, out.at, out.length);
  }
}
