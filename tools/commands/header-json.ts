// A header as JSON. JSON has no BigInt, so a checksum is hexadecimal text.

import type { Header } from '../../src/index.js';

export function headerJson(header: Header): object {
  const { checksums, ...rest } = header;
  return { ...rest, checksums: { ...checksums, sum: `0x${checksums.sum.toString(16).padStart(16, '0')}` } };
}
