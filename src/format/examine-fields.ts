// Goes through the fields of a header (native-notes/format.md, sections 3 and 11): checksum, features, layout; those of a hash
// table, and whatever its caller does with another layout. Knows bytes; does not know files or records.

import { HEADER, KNOWN_FEATURES, LAYOUTS, type Layout } from './constants.js';
import { type Header, type HeaderFault, headerChecksum } from './header.js';
import { HeaderFields } from './header-fields.js';
import { parseHashHeader } from './parse-hash-header.js';

/** What is done with the fields of a layout without keys. */
export type ParseKeyless = (
  fields: HeaderFields,
  layout: Exclude<Layout, 'hash'>,
  fileBytes: number | undefined,
) => Header | undefined;

/**
 * Parses and checks a header; continues after a fault as long as it can make sense of what follows. In the result, fields
 * that follow from others are corrected, so that one fault is reported once.
 * @param bytes the header, as long as `checkPreamble` said
 * @param fileBytes the file's exact size; `undefined` where nobody states it
 * @param note called with each fault, in the order in which section 11 of the format checks; may throw
 * @returns `undefined` if the faults leave open where the segments are, or what is in them
 */
export function examineFields(
  bytes: Uint8Array,
  fileBytes: number | undefined,
  note: (fault: HeaderFault) => void,
  parseKeyless: ParseKeyless,
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
      return parseKeyless(fields, layout, fileBytes);
  }
}
