// The last step of a hash table's making: header, publication, summary. Does not know where its records came from.

import { LONG_FINGERPRINT } from '../../format/fingerprints.js';
import type { DictionaryPlace, HashHeader } from '../../format/header.js';
import type { KeyType } from '../../format/key-types.js';
import { hashSections } from '../../format/sections.js';
import type { Shape } from '../../format/shape.js';
import type { StoredType } from '../../format/value-types.js';
import { writeHashHeader } from '../../format/write-header.js';
import type { TableSummary } from '../common/merge-options.js';
import type { BuildOutput } from '../common/output.js';
import type { Written } from './assemble.js';
import type { EntryStats } from './entry-stats.js';

/** A table of which all but the header is written. */
export interface UnpublishedTable {
  readonly keyType: KeyType;
  readonly valueType: StoredType;
  readonly narrowed: boolean;
  readonly seed: number;
  readonly shard: HashHeader['shard'];
  readonly fingerprint: { readonly bits: number; readonly long: number } | undefined;
  readonly metadata: Uint8Array;
  readonly shape: Shape;
  readonly stats: Pick<EntryStats, 'entries' | 'keyBytes' | 'valueBytes'>;
  readonly written: Pick<Written, 'segments' | 'index' | 'checksums'>;
  readonly dictionary: Pick<DictionaryPlace, 'count' | 'bytes'> | undefined;
}

/** Writes the header and puts the file in its place. Throws as {@link BuildOutput.publish} does. */
export async function publishTable(output: BuildOutput, table: UnpublishedTable): Promise<TableSummary> {
  const { shape, stats, written, dictionary, fingerprint, valueType, seed } = table;
  const { entries, keyBytes, valueBytes } = stats;
  const { segments, index, checksums } = written;
  const header = writeHashHeader({ ...table, ...shape, entries, keyBytes, valueBytes, segments, index, checksums });
  await output.publish(header);
  const fileBytes = checksums.offset + checksums.bytes;
  const file = { fileBytes, headerBytes: header.length, checksums };
  const long = LONG_FINGERPRINT.size * (fingerprint?.long ?? 0);
  return {
    path: output.target,
    layout: 'hash',
    entries,
    valueType,
    fileBytes,
    payloadBytes: keyBytes + valueBytes,
    seed,
    sections: hashSections(file, segments, index.bytes, dictionary?.bytes ?? 0, long),
    segments: segments.length,
    spilledBytes: output.spill.size,
    seconds: output.seconds,
    synced: output.synced,
    published: output.published,
  };
}
