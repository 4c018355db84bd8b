// The script of a thread that takes a part of an input in, and then writes a span of the file.

import { serveIngest } from '../../src/internal.js';
import { HashEntrySink } from '../formats/entry-sink.js';
import { loadFormat } from '../formats/formats.js';
import type { Part } from './parallel-source.js';
import { Source } from './source.js';

serveIngest<Part>(async ({ path, start, end, source: shared, name, format, columns }, sink, report) => {
  const { read } = await loadFormat(format);
  const source = new Source(path, shared);
  const pieces = async function* () {
    for await (const piece of source.reused(start, end)) {
      yield piece;
      report(source.done);
    }
  };
  await read(pieces(), new HashEntrySink(sink, name), columns);
});
