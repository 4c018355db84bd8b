// What a report is made from: measurements, what verify found, and a sample of buckets with their records. Knows files;
// knows no page.

import { setImmediate as turn } from 'node:timers/promises';
import {
  type HashHeader,
  type Header,
  HmapError,
  inspectBucket,
  stat,
  type TableStat,
  type Verification,
  verify,
} from '../../src/index.js';
import {
  ByteBuffer,
  bucketCount,
  type ElementScan,
  enumValues,
  fileHeader,
  scanFile,
  showKey,
} from '../../src/internal.js';
import { elementPrinter } from '../formats/keyless-writer.js';
import { jsonPrinter } from '../formats/text.js';
import { Output } from '../terminal/output.js';

/** A record of the sample. */
export interface SampleRecord {
  /** The bytes of its key in hexadecimal, and as messages show it. */
  readonly key: string;
  readonly shown: string;
  /** As JSON, cut off if it is long; empty of sets. */
  readonly value: string;
  readonly offset: number;
  readonly bytes: number;
}

/** A bucket of the sample, with all of its records. */
export interface SampleBucket {
  /** Over all segments. */
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly records: readonly SampleRecord[];
}

/** An element of a list, or an integer of a bit array. */
export interface SampleElement {
  readonly index: number;
  readonly value: string;
}

/** A file whose header cannot be used. */
export interface BrokenFile {
  readonly isWhole: false;
  readonly path: string;
  readonly verified: Verification;
}

export interface ReportData {
  readonly isWhole: true;
  readonly path: string;
  readonly header: Header;
  /** `undefined` if the records are too damaged to be measured. */
  readonly measured: TableStat | undefined;
  readonly verified: Verification;
  readonly buckets: readonly SampleBucket[];
  readonly elements: readonly SampleElement[];
}

/** Records of the sample, about, and its buckets at most. */
const RECORDS = 400;
const BUCKETS = 256;
const ELEMENTS = 50;
/** Characters of a value that are shown, and bytes of a key in the sample. */
const VALUE = 200;
const KEY = 512;

/** @param report told of what is going on, and of the bytes that are done */
export async function gather(
  path: string,
  report: (stage: string, done: number, total: number) => void,
): Promise<ReportData | BrokenFile> {
  const header = usableHeader(path);
  if (header === undefined) return { isWhole: false, path, verified: await verify(path) };
  const measured = await measure(path, (done, total) => report('measuring', done, total));
  const verified = await verify(path, { onProgress: (done, total) => report('verifying', done, total) });
  const buckets = header.layout === 'hash' && header.fingerprint === null ? await sampleBuckets(path, header) : [];
  const elements = header.layout === 'hash' ? [] : await sampleElements(path);
  return { isWhole: true, path, header, measured, verified, buckets, elements };
}

/** `undefined` if the header is damaged, or the file is not as long as it says. */
function usableHeader(path: string): Header | undefined {
  try {
    return fileHeader(path);
  } catch (error) {
    if (error instanceof HmapError && HEADER_DAMAGE.includes(error.code)) return undefined;
    throw error;
  }
}

const HEADER_DAMAGE: readonly string[] = [
  'HMAP_HEADER_CHECKSUM',
  'HMAP_HEADER_FIELD',
  'HMAP_TRUNCATED',
  'HMAP_TOO_LONG',
  'HMAP_TEXT_DAMAGE',
];

/** Of a damaged file, what its records seem to be. */
async function measure(
  path: string,
  onProgress: (done: number, total: number) => void,
): Promise<TableStat | undefined> {
  for (const check of ['touch', 'header'] as const) {
    try {
      return await stat(path, { check, onProgress });
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return undefined;
}

const isDamage = (error: unknown) => error instanceof HmapError && error.code === 'HMAP_DAMAGED';

/** Buckets at even distances, all of them where they are few; those that are damaged are left out. */
async function sampleBuckets(path: string, header: HashHeader): Promise<SampleBucket[]> {
  const all = header.segments.length * bucketCount(header);
  const mean = Math.max(header.entries / all, 1 / all);
  const count = Math.min(all, BUCKETS, Math.ceil(RECORDS / mean));
  const stringOf = header.dictionary === null ? undefined : enumValues(path);
  const print = jsonPrinter(header.valueType);
  const found: SampleBucket[] = [];
  let records = 0;
  for (let i = 0; i < count && records < 2 * RECORDS; i++) {
    await turn();
    try {
      const bucket = inspectBucket(path, Math.floor((i * all) / count));
      if (bucket.records.some(({ key }) => key.length > KEY)) continue;
      const shown = bucket.records.map(({ key, value, offset, end }): SampleRecord => {
        const bytes = stringOf === undefined ? value : stringOf(value);
        const text = header.valueType === 'none' ? '' : printed(bytes, print);
        const hex = Buffer.from(key).toString('hex');
        return { key: hex, shown: showKey(header.keyType, key), value: cut(text), offset, bytes: end - offset };
      });
      records += shown.length;
      found.push({ index: bucket.index, start: bucket.start, end: bucket.end, records: shown });
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return found;
}

function printed(bytes: Uint8Array, print: ReturnType<typeof jsonPrinter>): string {
  const out = new Output(64);
  print(new ByteBuffer(bytes), 0, bytes.length, out);
  return out.toText();
}

function cut(text: string): string {
  return text.length > VALUE ? `${text.slice(0, VALUE)}...` : text;
}

/** The first elements; as many as there are before damage. */
async function sampleElements(path: string): Promise<SampleElement[]> {
  const found: SampleElement[] = [];
  try {
    await scanFile(path, 'header', async (given) => {
      const scan = given as ElementScan;
      const { header } = scan;
      const print = header.layout === 'list' ? elementPrinter(header.valueType, true) : undefined;
      while (found.length < ELEMENTS && scan.step()) {
        const out = new Output(64);
        print?.(scan.number, scan.bytes, out);
        found.push({ index: scan.index, value: cut(out.toText()) });
      }
    });
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  return found;
}
