// Parses and checks a header of any layout (native-notes/format.md, sections 3 and 11). Magic, version and size come before
// that, in preamble.ts; the fields are examine-fields.ts, parse-hash-header.ts and parse-keyless-header.ts. Writing a header
// is write-header.ts. Knows bytes; does not know files or records.

import { examineFields } from './examine-fields.js';
import type { Header, HeaderFault } from './header.js';
import { parseKeylessHeader } from './parse-keyless-header.js';
import { refuseFault } from './preamble.js';

/**
 * Parses and checks a whole header. The cost depends on the length of the header, not on the size of the file.
 * @param bytes the header, as long as {@link checkPreamble} said
 * @param fileBytes the file's exact size; `undefined` for a block device, which states none
 * @throws {HmapError} naming the first field that is invalid
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number | undefined, path: string): Header {
  const header = examineHeader(bytes, fileBytes, (fault) => refuseFault(fault, path));
  // Faults that leave no header have been thrown.
  return header!;
}

/** {@link parseHeader} that goes on after a fault, see {@link examineFields}. */
export function examineHeader(
  bytes: Uint8Array,
  fileBytes: number | undefined,
  note: (fault: HeaderFault) => void,
): Header | undefined {
  return examineFields(bytes, fileBytes, note, parseKeylessHeader);
}
