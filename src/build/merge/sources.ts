// The files that are merged: what each is for, and what the result has in common with all of them. Knows headers; reads
// no records.

import { HmapError, noKeys } from '../../base/errors.js';
import type { HashHeader, Header } from '../../format/header.js';
import type { KeyType } from '../../format/key-types.js';
import { shardText } from '../../format/manifest.js';
import { type BuildValueType, isUint, valueWidthOf } from '../../format/value-types.js';
import type { MergeRole } from '../common/merge-options.js';

/** An open file to merge. */
export interface MergeSource {
  readonly path: string;
  readonly fd: number;
  readonly header: HashHeader;
  readonly role: MergeRole;
}

/** What all records of the result have in common. */
export interface MergedForm {
  readonly keyType: KeyType;
  /** `uint` if the values become the narrowest type that holds all of them. */
  readonly valueType: BuildValueType;
  readonly shard: HashHeader['shard'];
}

/**
 * Refuses a file that has no records with keys.
 * @throws {HmapError} `HMAP_LAYOUT`, `HMAP_FINGERPRINT`
 */
export function needRecords(header: Header, path: string): HashHeader {
  if (header.layout !== 'hash') {
    const message = `${path}: merging is for the layout 'hash'; this file has the layout '${header.layout}'`;
    throw new HmapError('HMAP_LAYOUT', message, { path, expected: 'hash', actual: header.layout });
  }
  if (header.fingerprint !== null) throw noKeys(path, 'merge it');
  return header;
}

/**
 * The form of the result.
 * @throws {HmapError} `HMAP_KEY_TYPE`, `HMAP_VALUE_TYPE`, `HMAP_LAYOUT` for a file that does not go with those before it
 */
export function formOf(sources: readonly Pick<MergeSource, 'path' | 'header' | 'role'>[]): MergedForm {
  const [first] = sources;
  const { keyType, shard } = first!.header;
  for (const { path, header } of sources) {
    if (header.keyType !== keyType) {
      const message = `${path}: its keys are ${header.keyType}, those of ${first!.path} are ${keyType}`;
      throw new HmapError('HMAP_KEY_TYPE', message, { path, expected: keyType, actual: header.keyType });
    }
    if (header.shard.bits !== shard.bits || header.shard.index !== shard.index) {
      const [actual, expected] = [header.shard, shard].map(shardText);
      const message = `${path}: it is ${actual}, ${first!.path} is ${expected}`;
      throw new HmapError('HMAP_LAYOUT', message, { path, expected, actual });
    }
  }
  const withValues = sources.filter(({ role }) => role !== 'removals');
  return { keyType, shard, valueType: valueTypeOf(withValues) };
}

function valueTypeOf(sources: readonly Pick<MergeSource, 'path' | 'header'>[]): BuildValueType {
  // The types of `uint` follow from the values, so that two builds may have different ones.
  const settled = sources.find(({ header }) => !header.narrowed);
  if (settled === undefined) return 'uint';
  const { valueType } = settled.header;
  for (const { path, header } of sources) {
    if (header.valueType === valueType) continue;
    const isNarrower =
      header.narrowed && isUint(valueType) && valueWidthOf(header.valueType) <= valueWidthOf(valueType);
    if (isNarrower) continue;
    const message = `${path}: its values are ${header.valueType}, those of ${settled.path} are ${valueType}; dump one of them, and build it with the type of the other`;
    throw new HmapError('HMAP_VALUE_TYPE', message, { path, expected: valueType, actual: header.valueType });
  }
  return valueType;
}
