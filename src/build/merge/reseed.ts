// Builds a table anew with another seed, so that its records come in the order of that seed's hashes. Knows records and
// builders; does not know what the copy is for.

import { ByteBuffer, type ByteSlice } from '../../base/bytes.js';
import type { StoredType } from '../../format/value-types.js';
import { QuietPass } from '../../mapping/quiet-pass.js';
import { readDictionary } from '../../storage/dictionary.js';
import { mappedSegments, Scan } from '../../storage/scan.js';
import { finished } from '../common/finished.js';
import { Builder } from '../hash/builder.js';
import type { MergeSource } from './sources.js';

/**
 * A copy of the table at `path`, with the hashes of a seed.
 * @throws {HmapError} `HMAP_BUCKET_LOAD` if too many keys share a bucket under it
 */
export async function reseed(
  { fd, header, path: source }: Pick<MergeSource, 'fd' | 'header' | 'path'>,
  path: string,
  seed: number,
  { check, memory, signal }: { check: 'none' | 'touch'; memory: number; signal: AbortSignal | undefined },
): Promise<void> {
  const value: StoredType | 'uint' = header.narrowed ? 'uint' : header.valueType;
  const options = { value, key: header.keyType, seed, memory, ...(signal && { signal }) };
  const fill = async (builder: Builder) => {
    const scan = new Scan(header, mappedSegments(fd, header, source, check, QuietPass.over(fd)), 'records');
    const dictionary = readDictionary(fd, header, source, check);
    const valueAt: ByteSlice = { buffer: new ByteBuffer(8), at: 0, length: 0 };
    try {
      for (let entries = 0; scan.step(); entries++) {
        const { cursor, segment } = scan;
        const { heap } = segment;
        if (dictionary !== undefined) {
          Object.assign(valueAt, dictionary.placeAt(heap, cursor.value), { buffer: dictionary.bytes });
        } else if (value === 'uint') {
          valueAt.buffer.view.setBigUint64(0, 0n, true);
          heap.bytes.copy(valueAt.buffer.bytes, 0, cursor.value, cursor.next);
          valueAt.length = 6;
        } else {
          Object.assign(valueAt, { buffer: heap, at: cursor.value, length: cursor.valueBytes });
        }
        builder.add(heap, cursor.key, cursor.keyBytes, valueAt.buffer, valueAt.at, valueAt.length);
        if (entries % STRIDE !== 0) continue;
        const waiting = builder.pause();
        if (waiting !== undefined) await waiting;
      }
    } finally {
      scan.end();
    }
  };
  await finished(() => new Builder(path, options), fill);
}

const STRIDE = 1024;
