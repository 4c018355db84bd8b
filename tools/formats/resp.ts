// `resp`: the commands that put entries into a Redis server, as `redis-cli --pipe` takes them (RESP, the protocol of
// Redis). Values are their text.

import { Output } from '../terminal/output.js';
import type { MakeWriter } from './format.js';
import { keyPrinter, textPrinter } from './text.js';

export const respWriter: MakeWriter = (header) => {
  const printKey = keyPrinter(header.keyType);
  const print = textPrinter(header.valueType);
  const parts = [new Output(64), new Output(4096)] as const;
  return {
    entry(key, value, out) {
      const [name, data] = parts;
      name.clear();
      data.clear();
      printKey(key.buffer, key.at, key.length, name);
      print(value.buffer, value.at, value.length, data);
      out.ascii('*3\r\n$3\r\nSET\r\n');
      for (const part of parts) {
        out.ascii('$');
        out.integer(part.length);
        out.ascii('\r\n');
        out.append(part);
        out.ascii('\r\n');
      }
    },
  };
};
