// The header's part of a verification: every rule that can be checked from the header and the length of the file. Knows
// nothing of what follows the header.

import { fstatSync } from 'node:fs';
import { HmapError } from '../base/errors.js';
import { HEADER, MINOR_VERSION, PAGE, SEGMENT_ROW } from '../format/constants.js';
import { fieldEnd, type Header } from '../format/header.js';
import { examineHeader } from '../format/parse-header.js';
import { checkPreamble } from '../format/preamble.js';
import type { Findings } from './findings.js';
import { checkZero, type VerifyReader } from './reader.js';

/** Reports what is wrong with the header; returns it, or `undefined` if nothing further can be checked. */
export function checkHeader(fd: number, path: string, reader: VerifyReader, findings: Findings): Header | undefined {
  const stat = fstatSync(fd);
  // A block device has no length of its own, and may well be longer than what was written to it.
  const fileBytes = stat.isFile() ? stat.size : undefined;
  const start = reader.read(0, Math.min(PAGE, fileBytes ?? reader.present(PAGE)), 'header');
  if (start === undefined) return undefined;
  const headerBytes = sizeOf(start, fileBytes ?? Number.MAX_SAFE_INTEGER, path, findings);
  if (headerBytes === undefined) return undefined;
  const bytes = headerBytes === PAGE ? start : reader.read(0, headerBytes, 'header');
  if (bytes === undefined) return undefined;
  const header = examineHeader(bytes, fileBytes, ({ code, message, offset, end, expected, actual }) => {
    if (code === 'HMAP_TRUNCATED' || code === 'HMAP_TOO_LONG') addLength(findings, code, expected, actual, message);
    else if (code === 'HMAP_HEADER_CHECKSUM') findings.add(code, 'header', 0, bytes.length, message);
    else findings.add(code, 'header', offset, end, message);
  });
  if (header === undefined) return undefined;
  checkUnclaimed(bytes, header, findings);
  const present = fileBytes ?? reader.present(header.fileBytes);
  if (present >= header.fileBytes) return header;
  const message = `the device is too short: ${present} bytes, the header says ${header.fileBytes}`;
  findings.add('HMAP_TRUNCATED', 'file', present, header.fileBytes, message);
  return undefined;
}

/** Size of the header, by the first page; `undefined` if that page is not a table's. */
function sizeOf(start: Uint8Array, fileBytes: number, path: string, findings: Findings): number | undefined {
  try {
    return checkPreamble(start, fileBytes, path);
  } catch (error) {
    if (!(error instanceof HmapError)) throw error;
    const message = error.reason ?? error.message;
    if (error.code === 'HMAP_TRUNCATED') addLength(findings, error.code, error.expected, error.actual, message);
    else findings.add(error.code, 'header', error.offset!, fieldEnd(error.offset!), message);
    return undefined;
  }
}

/** Reports the bytes that are missing at the end of the file, or too many. */
function addLength(findings: Findings, code: string, expected: unknown, actual: unknown, message: string): void {
  const ends = [Number(expected), Number(actual)];
  findings.add(code, 'file', Math.min(...ends), Math.max(...ends), message);
}

/** Bytes of the header that no field of this version claims. */
function checkUnclaimed(bytes: Buffer, header: Header, findings: Findings): void {
  if (header.version.minor > MINOR_VERSION) return;
  const metadataBytes = bytes.readUInt32LE(HEADER.metadataBytes);
  const schemaBytes = header.layout === 'hash' ? bytes.readUInt32LE(HEADER.schemaBytes) : 0;
  const end = HEADER.segmentTable + SEGMENT_ROW.size * header.segments.length + metadataBytes + schemaBytes;
  // A hash table has no elements and no base, but perhaps a dictionary there; the others have no schema.
  const own: [number, number][] =
    header.layout === 'hash'
      ? header.dictionary === null
        ? [[HEADER.elementBits, fieldEnd(HEADER.base)]]
        : []
      : [HEADER.schemaBytes, HEADER.reservedOfElements].map((offset) => [offset, fieldEnd(offset)]);
  const unused = header.fingerprint === null ? [HEADER.fingerprintBits, HEADER.longFingerprints] : [];
  const common = [...unused, HEADER.reserved].map((offset) => [offset, fieldEnd(offset)] as const);
  const reserved = [...own, ...common];
  for (const [from, to] of reserved) checkZero(bytes, from, to, 0, 'HMAP_RESERVED', 'header', findings);
  checkZero(bytes, end, bytes.length, 0, 'HMAP_PADDING', 'header', findings);
}
