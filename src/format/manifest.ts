// The manifest of a table in shards: which files there are, and how to see that each is the one that is meant
// (native-notes/format.md, section 3). Knows its text; reads no file.

import { HmapError } from '../base/errors.js';
import type { HashHeader } from './header.js';
import { isUint } from './value-types.js';

/** The name of the manifest in a folder of shards. */
export const MANIFEST = 'table.hmaps.json';

/** A shard in a message. */
export function shardText({ index, bits }: HashHeader['shard']): string {
  return `shard ${index} of ${2 ** bits}`;
}

/**
 * @param first the first of the table's shards
 * @throws {HmapError} if a shard has keys or values of another type
 */
export function needTogether(path: string, header: HashHeader, first: HashHeader): void {
  const apart = (code: 'HMAP_KEY_TYPE' | 'HMAP_VALUE_TYPE', what: string, actual: string, expected: string) => {
    const message = `${path}: its ${what} are ${actual}, those of the first shard are ${expected}`;
    return new HmapError(code, message, { path, expected, actual });
  };
  const { keyType, valueType, fingerprint } = header;
  if (keyType !== first.keyType) throw apart('HMAP_KEY_TYPE', 'keys', keyType, first.keyType);
  const [bits, firstBits] = [fingerprint, first.fingerprint].map((each) =>
    each === null ? 'stored' : `${each.bits} bits`,
  );
  if (bits !== firstBits) throw apart('HMAP_KEY_TYPE', 'keys', bits!, firstBits!);
  const areNarrowed = header.narrowed && first.narrowed && isUint(valueType) && isUint(first.valueType);
  if (valueType !== first.valueType && !areNarrowed)
    throw apart('HMAP_VALUE_TYPE', 'values', valueType, first.valueType);
}

/** A shard, in the order of their indexes. */
export interface ShardFile {
  /** In the folder of the manifest. */
  readonly name: string;
  readonly bytes: number;
  readonly entries: number;
  /** The header checksum, which covers all of the file by what the header says. */
  readonly checksum: number;
}

export interface Manifest {
  readonly seed: number;
  readonly entries: number;
  readonly files: readonly ShardFile[];
}

export function manifestText({ seed, entries, files }: Manifest): string {
  const shown = files.map((file) => ({ ...file, checksum: checksumText(file.checksum) }));
  return `${JSON.stringify({ hmaps: 1, shards: files.length, seed, entries, files: shown }, null, 2)}\n`;
}

/** The name of a shard's file in a folder that this project writes; another one for other content. */
export function shardName(index: number, count: number, checksum: number): string {
  const digits = String(count - 1).length;
  return `${String(index).padStart(digits, '0')}-of-${count}-${checksumText(checksum)}.hmap`;
}

/** Whether a name is one that {@link shardName} gives. */
export function isShardName(name: string): boolean {
  return /^\d+-of-\d+-[0-9a-f]{8}\.hmap$/.test(name);
}

export function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

/**
 * @param path for messages
 * @throws {HmapError} `HMAP_NOT_A_TABLE` for another text, `HMAP_VERSION` for a later version
 */
export function parseManifest(text: string, path: string): Manifest {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    throw notManifest(path, `it is not JSON (${(error as Error).message})`);
  }
  if (!isJsonObject(manifest) || !('hmaps' in manifest)) throw notManifest(path, 'it has no member "hmaps"');
  if (manifest.hmaps !== 1) {
    const message = `${path}: the manifest has version ${String(manifest.hmaps)}, expected 1`;
    throw new HmapError('HMAP_VERSION', message, { path, expected: 1, actual: manifest.hmaps });
  }
  const { seed, entries, shards, files } = manifest;
  const list = Array.isArray(files) ? files.map((file) => shardFile(file, path)) : [];
  const isWhole = list.length > 0 && list.length === shards && Number.isInteger(Math.log2(list.length));
  const sum = list.reduce((all, file) => all + file.entries, 0);
  if (!isWhole || !isCount(seed) || sum !== entries) throw notManifest(path, 'a member is missing or wrong');
  return { seed, entries, files: list };
}

/** An object that is no array. */
function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function shardFile(file: unknown, path: string): ShardFile {
  const { name, bytes, entries, checksum } = isJsonObject(file) ? file : ({} as Record<string, unknown>);
  const isName = typeof name === 'string' && name !== '' && !/[\\/\0]/.test(name) && name !== '..' && name !== '.';
  const isSum = typeof checksum === 'string' && /^[0-9a-f]{8}$/.test(checksum);
  if (!isName || !isSum || !isCount(bytes) || !isCount(entries))
    throw notManifest(path, 'a file has no valid description');
  return { name, bytes, entries, checksum: Number.parseInt(checksum, 16) };
}

function notManifest(path: string, why: string): HmapError {
  return new HmapError('HMAP_NOT_A_TABLE', `${path}: not the manifest of a table in shards: ${why}`, { path });
}
