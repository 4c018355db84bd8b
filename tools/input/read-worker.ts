// The script of a thread that takes a part of an input in, and then writes a span of the file.

import { parentPort } from 'node:worker_threads';
import { loadChecksums } from '../../src/base/block-hasher.js';
import { ByteBuffer } from '../../src/base/bytes.js';
import { serve } from '../../src/base/workers.js';
import { SpillFile } from '../../src/build/common/spill-file.js';
import type { LaneResult } from '../../src/build/hash/builder.js';
import { Ingest } from '../../src/build/hash/ingest.js';
import { runSpan, type SpanTask } from '../../src/build/hash/span-task.js';
import { HashEntrySink } from '../formats/entry-sink.js';
import { loadFormat } from '../formats/formats.js';
import type { ReadTask } from './parallel-source.js';
import { Source } from './source.js';

async function readPart({ lane, path, start, end, name, format, columns, done }: ReadTask): Promise<LaneResult> {
  const spill = new SpillFile(lane.spill);
  const intake = new Ingest(
    lane.valueType,
    lane.seed,
    lane.staged,
    new ByteBuffer(lane.arena),
    spill,
    lane.lane,
    lane.lanes,
  );
  const { read } = await loadFormat(format);
  const source = new Source(path);
  const pieces = async function* () {
    for await (const piece of source.reused(start, end)) {
      yield piece;
      done[lane.lane] = source.done;
    }
  };
  await read(pieces(), new HashEntrySink(intake, name), columns);
  return { sums: { ...intake.stats }, holding: intake.partitions.holding(), interned: intake.interned };
}

// Loaded while the input is read.
loadChecksums();
if (parentPort !== null) {
  serve<ReadTask | SpanTask>(parentPort, (task) => (task.kind === 'read' ? readPart(task) : runSpan(task)));
}
