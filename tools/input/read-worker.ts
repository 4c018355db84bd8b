// The script of a thread that takes a part of an input in, and then writes a span of the file.

import { serveIngest } from '../../src/internal.js';
import { HashEntrySink } from '../formats/entry-sink.js';
import { loadFormat } from '../formats/formats.js';
import { asUtf8, UTF8 } from './encoding.js';
import type { Part } from './parallel-source.js';
import { Source } from './source.js';

serveIngest<Part>(async ({ path, start, end, source: shared, name, format, columns, isBinary }, sink, report) => {
  const { read } = await loadFormat(format);
  const source = new Source(path, shared);
  const pieces = async function* () {
    for await (const piece of source.reused(start, end)) {
      yield piece;
      report(source.done);
    }
  };
  await read(asUtf8(pieces(), name, isBinary ? 'none' : UTF8), new HashEntrySink(sink, name, columns), columns);
});
