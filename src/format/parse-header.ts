// Parses and checks a header (native-notes/format.md, sections 3 and 11): checksum, features, layout. Magic, version
// and size come before that, in preamble.ts; the other fields after it, in parse-hash-header.ts and
// parse-keyless-header.ts. Writing a header is write-header.ts. Knows bytes; does not know files or records.

import { HEADER, KNOWN_FEATURES, LAYOUTS } from './constants.js';
import { type Header, type HeaderFault, headerChecksum } from './header.js';
import { HeaderFields } from './header-fields.js';
import { parseHashHeader } from './parse-hash-header.js';
import { parseKeylessHeader } from './parse-keyless-header.js';
import { refuse } from './preamble.js';

/**
 * Parses and checks a whole header. The cost depends on the length of the header, not on the size of the file.
 * @param bytes the header, as long as {@link checkPreamble} said
 * @param fileBytes the file's exact size; `undefined` for a block device, which states none
 * @throws {HmapError} naming the first field that is invalid
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number | undefined, path: string): Header {
  const header = examineHeader(bytes, fileBytes, ({ code, message, offset, expected, actual }) =>
    refuse(code, path, message, offset, expected, actual),
  );
  // Faults that leave no header have been thrown.
  return header!;
}

/**
 * {@link parseHeader} that continues after a fault as long as it can make sense of what follows. In the result, fields
 * that follow from others are corrected, so that one fault is reported once.
 * @param note called with each fault, in the order in which section 11 of the format checks; may throw
 * @returns `undefined` if the faults leave open where the segments are, or what is in them
 */
export function examineHeader(
  bytes: Uint8Array,
  fileBytes: number | undefined,
  note: (fault: HeaderFault) => void,
): Header | undefined {
  const fields = new HeaderFields(bytes, note);
  const stated = fields.u32(HEADER.headerChecksum);
  const computed = headerChecksum(bytes);
  if (stated !== computed) {
    const message = 'the header is damaged: its checksum does not match';
    fields.fault('HMAP_HEADER_CHECKSUM', message, HEADER.headerChecksum, computed, stated);
  }
  const features = fields.u32(HEADER.features);
  if ((features & ~KNOWN_FEATURES) !== 0) {
    const message = `the file needs features that this version does not have (bits 0x${features.toString(16)})`;
    fields.fault('HMAP_FEATURE', message, HEADER.features, KNOWN_FEATURES, features);
    return undefined;
  }
  const code = fields.u8(HEADER.layout);
  // What the other fields mean depends on the layout.
  const layout = LAYOUTS[code];
  switch (layout) {
    case undefined:
      fields.atMost('layout', LAYOUTS.length - 1, code);
      return undefined;
    case 'hash':
      return parseHashHeader(fields, fileBytes);
    default:
      return parseKeylessHeader(fields, layout, fileBytes);
  }
}
