// Opens a table in shards: all files that its manifest names, as one snapshot (native-notes/format.md, section 3). Knows which
// files make a table; lookups are sharded-lookup.ts.

import { existsSync, statSync } from 'node:fs';
import { HmapError, systemError } from '../base/errors.js';
import { LazyArray } from '../base/lazy-array.js';
import type { HashHeader } from '../format/header.js';
import { needTogether, shardText } from '../format/manifest.js';
import { isUint, valueWidthOf } from '../format/value-types.js';
import type { Mapping } from '../mapping/mapping.js';
import { manifestPath, type PlacedManifest, readManifest } from '../storage/shard-files.js';
import { type FileIdentity, type FileStats, identityWith, isSurelyKnown, statsOf } from './file-identity.js';
import { openSnapshot } from './open-snapshot.js';
import { type Settings, Snapshot } from './snapshot.js';

/** Manifests that are replaced more often than this while one is opened are no accident. */
const ATTEMPTS = 10;

/** All shards of a table, which stay readable until it is closed. */
export class ShardedSnapshot extends Snapshot {
  /** In their order; `undefined` for one that is not there. */
  readonly shards: readonly (Snapshot | undefined)[];

  constructor(header: HashHeader, identity: FileIdentity, shards: readonly (Snapshot | undefined)[]) {
    const there = shards.filter((shard) => shard !== undefined);
    const none = new LazyArray<never>(0, () => {
      throw new RangeError('the segments are those of the shards');
    });
    super(header, identity, together(there), there[0]!.file, none, none, undefined, undefined);
    this.shards = shards;
  }

  override lend(): void {
    super.lend();
    for (const shard of this.shards) shard?.lend();
  }
}

/** The mappings of all shards, as far as there is something to say of them together. */
function together(shards: readonly Snapshot[]): Mapping {
  const mappings = shards.map(({ mapping }) => mapping);
  // One that came into memory in a worse way than others speaks for all.
  const { kind, reason } = mappings.find((mapping) => mapping.reason !== undefined) ?? mappings[0]!;
  const ofShards = () => {
    throw new RangeError('ranges are those of the shards');
  };
  return {
    kind,
    ...(reason && { reason }),
    get takesAdvice() {
      return mappings.some((mapping) => mapping.takesAdvice);
    },
    residentBytes() {
      let sum = 0;
      for (const mapping of mappings) {
        const bytes = mapping.residentBytes();
        if (bytes === undefined) return undefined;
        sum += bytes;
      }
      return sum;
    },
    close() {
      for (const mapping of mappings) mapping.close();
    },
    view: ofShards,
    lend: ofShards,
    memory: ofShards,
    advise: ofShards,
    isResident: ofShards,
  };
}

/**
 * Opens and checks the shards of a table, in steps, as {@link openSnapshot} does a file.
 * @param settings its path is that of the folder, or of the manifest
 * @param than returns `undefined` if the manifest is still this one
 * @throws {HmapError} as `open` does; it names the shard that is missing, or is another one than the manifest means
 */
export function* openShards(
  settings: Settings,
  than?: FileIdentity,
): Generator<unknown, ShardedSnapshot | undefined, void> {
  for (let attempt = 1; ; attempt++) {
    const file = manifestPath(settings.path);
    const stats = statsAt(file);
    const isPartial = settings.partial === true;
    // Of some shards, more may have come under the same manifest.
    if (than !== undefined && !isPartial && isSurelyKnown(stats, than)) return undefined;
    const placed = readManifest(file);
    const mark = isPartial
      ? `${placed.text}${placed.paths.map((path) => (existsSync(path) ? 1 : 0)).join('')}`
      : placed.text;
    if (than !== undefined && mark === than.mark) return undefined;
    try {
      return yield* openAll(placed, identityWith(stats, mark), settings);
    } catch (error) {
      // The shards of a manifest that has been replaced meanwhile may have been removed.
      if (attempt === ATTEMPTS || readManifest(file).text === placed.text) throw error;
    }
  }
}

function statsAt(file: string): FileStats {
  try {
    return statsOf(statSync(file, { bigint: true }));
  } catch (error) {
    throw systemError(error, 'open', file);
  }
}

function* openAll(
  { path, manifest, paths }: PlacedManifest,
  identity: FileIdentity,
  settings: Settings,
): Generator<unknown, ShardedSnapshot, void> {
  const shards: (Snapshot | undefined)[] = [];
  const there: Snapshot[] = [];
  const { files, seed } = manifest;
  const bits = Math.log2(files.length);
  // Each shard has the narrowest type for its own values.
  const { value } = settings;
  const own = { ...settings, value: isUint(value) ? ('uint' as const) : value };
  try {
    for (const [index, file] of files.entries()) {
      const shard = paths[index]!;
      if (settings.partial === true && statSync(shard, { throwIfNoEntry: false }) === undefined) {
        shards.push(undefined);
        continue;
      }
      const snapshot = (yield* openSnapshot({ ...own, path: shard, shard: file }))!;
      shards.push(snapshot);
      there.push(snapshot);
      needShard(snapshot.header as HashHeader, there[0]!.header as HashHeader, shard, { index, bits }, seed);
    }
    if (there.length === 0) {
      throw new HmapError('ENOENT', `${path}: none of its ${files.length} shards is there`, { path });
    }
    const header = wholeOf(there.map((each) => each.header as HashHeader));
    if (isUint(value) && value !== header.valueType) {
      const message = `${path}: the values are ${header.valueType}, not ${value}`;
      throw new HmapError('HMAP_VALUE_TYPE', message, { path, expected: value, actual: header.valueType });
    }
    return new ShardedSnapshot(header, identity, shards);
  } catch (error) {
    for (const snapshot of there) snapshot.close();
    throw error;
  }
}

/** @throws {HmapError} if a file is not the shard that it should be, or does not go together with the first one */
function needShard(
  header: HashHeader,
  first: HashHeader,
  path: string,
  shard: HashHeader['shard'],
  seed: number,
): void {
  const describe = (one: HashHeader['shard'], itsSeed: number) => `${shardText(one)} with the seed ${itsSeed}`;
  const [actual, expected] = [describe(header.shard, header.hash.seed), describe(shard, seed)];
  if (actual !== expected) {
    const message = `${path}: it is ${actual}, the manifest means ${expected}`;
    throw new HmapError('HMAP_LAYOUT', message, { path, expected, actual });
  }
  needTogether(path, header, first);
}

/** The header of the table that the shards make: counts and sizes are sums, and there are no places. */
function wholeOf(headers: readonly HashHeader[]): HashHeader {
  const first = headers[0]!;
  const sum = (of: (header: HashHeader) => number) => headers.reduce((all, header) => all + of(header), 0);
  const shared = (of: (header: HashHeader) => number | null) =>
    headers.every((header) => of(header) === of(first)) ? of(first) : null;
  const width = ({ valueType }: HashHeader) => (isUint(valueType) ? valueWidthOf(valueType) : 0);
  const { valueType } = headers.reduce((a, b) => (width(b) > width(a) ? b : a));
  const { fingerprint } = first;
  const rates = headers.map((header) => header.fingerprint?.falsePositiveRate ?? 0);
  return {
    ...first,
    valueType,
    fileBytes: sum(({ fileBytes }) => fileBytes),
    entries: sum(({ entries }) => entries),
    keyBytes: sum(({ keyBytes }) => keyBytes),
    valueBytes: sum(({ valueBytes }) => valueBytes),
    keyWidth: shared(({ keyWidth }) => keyWidth),
    valueWidth: shared(({ valueWidth }) => valueWidth),
    shard: { index: 0, bits: 0 },
    segments: [],
    dictionary: null,
    ...(fingerprint && { fingerprint: { ...fingerprint, falsePositiveRate: Math.max(...rates) } }),
  };
}
