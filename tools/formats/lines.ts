// `lines`: one key a line, for sets.

import { HmapError } from '../../src/index.js';
import type { MakeWriter, ReadEntries } from './format.js';
import { lineGuard } from './line-guard.js';
import { eachLine, longestLine, type OnLine } from './lines-reader.js';
import { keyPrinter } from './text.js';

const readLines: ReadEntries = (pieces, sink) => {
  if (sink.valueType !== 'none') {
    throw new TypeError(
      `--value: the format 'lines' holds only keys, so the value type is 'none', not '${sink.valueType}'`,
    );
  }
  const onLine: OnLine = (buffer, start, end, line) => sink.text(buffer, start, end, buffer, end, end, line);
  return eachLine(pieces, sink, longestLine('none'), onLine, () => sink.lines);
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
