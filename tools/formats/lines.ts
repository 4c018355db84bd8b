// `lines`: one key a line, for sets.

import { HmapError } from '../../src/index.js';
import type { ByteBuffer } from '../../src/internal.js';
import type { MakeWriter, ReadEntries } from './format.js';
import { lineGuard } from './line-guard.js';
import { eachLine, longestLine, type OnLine } from './lines-reader.js';
import { keyPrinter } from './text.js';

/** Whether a line is none: a comment, and where there are comments an empty line, too. */
export function leftOut(comment: string | undefined): (buffer: ByteBuffer, start: number, end: number) => boolean {
  if (comment === undefined) return () => false;
  const begin = Buffer.from(comment);
  return ({ bytes }, start, end) => {
    if (start === end) return true;
    return end - start >= begin.length && bytes.compare(begin, 0, begin.length, start, start + begin.length) === 0;
  };
}

const readLines: ReadEntries = (pieces, sink, { comment }) => {
  if (sink.valueType !== 'none') {
    throw new TypeError(
      `--value: the format 'lines' holds only keys, so the value type is 'none', not '${sink.valueType}'`,
    );
  }
  sink.tell('lines: each is a key');
  const isLeftOut = leftOut(comment);
  const onLine: OnLine = (buffer, start, end, line) => {
    if (!isLeftOut(buffer, start, end)) sink.text(buffer, start, end, buffer, end, end, line);
  };
  return eachLine(pieces, sink, longestLine('none'), onLine, () => (comment === undefined ? sink.lines : undefined));
};

const linesWriter: MakeWriter = (header) => {
  if (header.valueType !== 'none') {
    const message = `the format 'lines' holds only keys, but this table has ${header.valueType} values; use another format`;
    throw new HmapError('HMAP_NOT_REPRESENTABLE', message, { expected: 'none', actual: header.valueType });
  }
  const guard = lineGuard('lines', false, header.keyType);
  const printKey = keyPrinter(header.keyType);
  const textKeys = header.keyType === 'bytes';
  return {
    entry(key, _value, out) {
      if (textKeys) guard.field(key, key);
      printKey(key.buffer, key.at, key.length, out);
      out.byte(0x0a);
    },
  };
};

export const lines = { read: readLines, writer: linesWriter };
