// Opens one version of a file: checks it, maps it and makes a snapshot of it. Knows the order of the steps; does not
// know lookups.

import { closeSync, fstatSync } from 'node:fs';
import { loadChecksumsNow } from '../base/block-hasher.js';
import { damage, HmapError, systemError } from '../base/errors.js';
import { LazyArray } from '../base/lazy-array.js';
import type { Header, SegmentPlace } from '../format/header.js';
import { keyTypeOf } from '../format/key-types.js';
import { countIn, dataStart, formOf } from '../format/keyless.js';
import { UINTS } from '../format/value-types.js';
import { mapRanges } from '../mapping/map-ranges.js';
import type { ByteRange } from '../mapping/mapping.js';
import { BlockChecker } from '../storage/block-check.js';
import { Dictionary } from '../storage/dictionary.js';
import { HashSegment, indexPlace } from '../storage/hash-segment.js';
import { KeylessSegment } from '../storage/keyless-segment.js';
import { LongFingerprints } from '../storage/long-fingerprints.js';
import { openForReading, readHeader } from '../storage/open-file.js';
import { checkShard } from '../storage/shard-files.js';
import { firstFinding } from '../verify/verify.js';
import { type FileIdentity, identityOf, isKnown, statsOf } from './file-identity.js';
import { MappedFile } from './mapped-file.js';
import { type Settings, Snapshot } from './snapshot.js';
import { warmUp } from './warm.js';

/** Bytes of checksums that are seen through one view. */
const SUMS_VIEW = 2 ** 30;

/** A file of at most this many bytes lies in one memory, which ends at 4 GiB. */
const ONE_MEMORY = 3 * 2 ** 30;
/** Of a longer one, segments that start within so many bytes lie in one: at most 3 GiB, and room for their lines. */
const MEMORY_WINDOW = 2 ** 30;

/**
 * Opens and checks a file, in steps, so that a long check can give way to other work; yields nothing of interest.
 * Stopping between two steps (`return`) leaves nothing open.
 * @param than returns `undefined` if the file is still this one
 * @throws {HmapError} as `open` does
 */
export function* openSnapshot(settings: Settings, than?: FileIdentity): Generator<unknown, Snapshot | undefined, void> {
  const { path, value, key, check, layout = 'hash', fingerprint = false } = settings;
  const fd = openForReading(path);
  try {
    const stats = statsOf(fstatSync(fd, { bigint: true }));
    if (than !== undefined && isKnown(fd, stats, than)) return undefined;
    const identity = identityOf(fd, stats);
    const header = readHeader(fd, path);
    if (settings.shard !== undefined) checkShard(fd, header.fileBytes, path, settings.shard);
    if (layout === 'auto') {
      needIntegers(header, path);
    } else if (header.layout !== layout) {
      const message = `${path}: the layout is '${header.layout}', not '${layout}'; open it with { layout: '${header.layout}' }`;
      throw new HmapError('HMAP_LAYOUT', message, { path, expected: layout, actual: header.layout });
    }
    needFingerprints(header, fingerprint, path);
    const fits = value === 'uint' ? UINTS.some((type) => type === header.valueType) : value === header.valueType;
    if (value !== undefined && !fits) {
      const message = `${path}: the values are ${header.valueType}, not ${value}`;
      throw new HmapError('HMAP_VALUE_TYPE', message, { path, expected: value, actual: header.valueType });
    }
    if (key !== undefined && keyTypeOf(key) !== header.keyType) {
      const message = `${path}: the keys are ${header.keyType}, not ${key}`;
      throw new HmapError('HMAP_KEY_TYPE', message, { path, expected: key, actual: header.keyType });
    }
    if (check === 'full') yield* verified(fd, path);
    return mapSnapshot(fd, header, identity, settings);
  } catch (error) {
    throw systemError(error, 'read', path);
  } finally {
    closeSync(fd);
  }
}

/** @throws {HmapError} `HMAP_FINGERPRINT` if a file has fingerprints in place of keys and must not, or the reverse */
function needFingerprints({ fingerprint }: Header, wanted: boolean, path: string): void {
  if ((fingerprint !== null) === wanted) return;
  const [is, advice] = wanted
    ? ['the keys themselves are stored, not fingerprints of them', 'open it without fingerprint']
    : [
        `the file has fingerprints of ${fingerprint!.bits} bits in place of keys, so that it seems to have a few keys that it does not have`,
        'if that is meant, open it with { fingerprint: true }',
      ];
  const data = { path, expected: wanted, actual: fingerprint !== null };
  throw new HmapError('HMAP_FINGERPRINT', `${path}: ${is}; ${advice}`, data);
}

/** @throws {HmapError} if a file is neither a bit array nor a set of integers by hash */
function needIntegers({ layout, keyType, valueType }: Header, path: string): void {
  const wrong = (
    code: 'HMAP_LAYOUT' | 'HMAP_KEY_TYPE' | 'HMAP_VALUE_TYPE',
    what: string,
    expected: string,
    actual: string,
  ) =>
    new HmapError(code, `${path}: ${what} ${actual}, not ${expected}, and this is not a set of integers`, {
      path,
      expected,
      actual,
    });
  if (layout === 'bits') return;
  if (layout !== 'hash') throw wrong('HMAP_LAYOUT', 'the layout is', 'bits or hash', layout);
  if (keyType !== 'u32' && keyType !== 'i64') throw wrong('HMAP_KEY_TYPE', 'the keys are', 'u32 or i64', keyType);
  if (valueType !== 'none') throw wrong('HMAP_VALUE_TYPE', 'the values are', 'none', valueType);
}

/** @throws {HmapError} `HMAP_DAMAGED`, naming the first of the broken rules */
function* verified(fd: number, path: string): Generator<unknown, void, void> {
  const first = yield* firstFinding(fd, path, loadChecksumsNow());
  if (first === undefined) return;
  const { code, offset, end, message } = first;
  throw damage(path, `bytes [${offset}, ${end}): ${code}: ${message}`, { offset, end });
}

function mapSnapshot(fd: number, header: Header, identity: FileIdentity, settings: Settings): Snapshot {
  const { path, mapping: choice, advice, warm, check } = settings;
  // If blocks are checked, the padding between sections and the checksums are also read.
  const touch = check === 'touch';
  const { dictionary: place, fingerprint } = header;
  const long = fingerprint === null || fingerprint.long.count === 0 ? undefined : fingerprint.long;
  const hash = header.layout === 'hash';
  // A segment lies in one memory with its lines of the index, and what all segments need in one of its own.
  const several = header.fileBytes > ONE_MEMORY;
  const memoryOf = ({ offset }: SegmentPlace) => (several ? Math.floor(offset / MEMORY_WINDOW) : 0);
  const common = several ? -1 : 0;
  const lines = hash ? header.segments.map((_, i) => indexPlace(header, i)) : [];
  const sections = [
    ...header.segments.map((segment) => ({ ...segment, memory: memoryOf(segment) })),
    ...(place === null ? [] : [{ ...place, memory: common }]),
    ...(long === undefined ? [] : [{ ...long, memory: common }]),
    ...lines.map((line, i) => ({ ...line, memory: memoryOf(header.segments[i]!) })),
  ];
  const ranges: ByteRange[] = sections.map(({ offset, bytes, memory }, i) => {
    const next = sections[i + 1]?.offset ?? header.checksums.offset;
    return { offset, length: touch ? next - offset : bytes, memory };
  });
  if (touch) ranges.push(...sumsRanges(header, common));
  const mapping = mapRanges(fd, ranges, choice, path, advice);
  const dictionaryIndex = header.segments.length;
  const longIndex = dictionaryIndex + (place === null ? 0 : 1);
  const linesIndex = longIndex + (long === undefined ? 0 : 1);
  if (warm !== 'none') {
    // First what every lookup needs.
    const index = lines.map(({ bytes }, i) => ({ view: linesIndex + i, offset: 0, length: bytes }));
    const rows = long === undefined ? [] : [{ view: longIndex, offset: 0, length: long.bytes }];
    const values = place === null ? [] : [{ view: dictionaryIndex, offset: 0, length: place.bytes }];
    const segments = header.segments.map(({ bytes }, i) => {
      const least = hash ? 0 : dataStart(formOf(header), countIn(i, header.perSegment, header.length));
      return { view: i, offset: 0, length: warm === 'all' ? bytes : least };
    });
    warmUp(mapping, [...index, ...rows, ...values, ...segments]);
  }
  const file = new MappedFile(mapping, ranges);
  const checker = touch ? new BlockChecker(header, (offset, length) => file.read(offset, length), path) : undefined;
  const view = (i: number) => mapping.view(i);
  const none = new LazyArray<never>(0, () => {
    throw new RangeError('no segments of this layout');
  });
  if (header.layout !== 'hash') {
    const keyless = new LazyArray(
      dictionaryIndex,
      (i) => new KeylessSegment(view(i), header, i, path, checker, mapping.memory(i)),
    );
    return new Snapshot(header, identity, mapping, file, none, keyless, undefined, undefined);
  }
  const segments = new LazyArray(dictionaryIndex, (i) => {
    const memory = mapping.memory(i);
    const views = {
      heap: view(i),
      index: view(linesIndex + i),
      memory: memory === mapping.memory(linesIndex + i) ? memory : undefined,
      lend: () => mapping.lend(i),
    };
    return new HashSegment(views, header, i, path, checker);
  });
  const lend = () => mapping.lend(dictionaryIndex);
  const dictionary = place === null ? undefined : new Dictionary(view(dictionaryIndex), header, path, checker, lend);
  const fingerprints =
    long === undefined ? undefined : new LongFingerprints(view(longIndex), header, fingerprint!, checker);
  return new Snapshot(header, identity, mapping, file, segments, none, dictionary, fingerprints);
}

function sumsRanges({ checksums }: Header, memory: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (let at = 0; at < checksums.bytes; at += SUMS_VIEW) {
    ranges.push({ offset: checksums.offset + at, length: Math.min(SUMS_VIEW, checksums.bytes - at), memory });
  }
  return ranges;
}
