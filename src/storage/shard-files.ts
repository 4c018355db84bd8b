// The files of a table in shards, as its manifest names them (native-notes/format.md, section 3): each is there, and is the
// one that is meant. Knows files and headers; opens none of them for longer.

import { closeSync, existsSync, fstatSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HmapError, systemError } from '../base/errors.js';
import { readBytes } from '../base/fs.js';
import { HEADER } from '../format/constants.js';
import { checksumText, MANIFEST, type Manifest, parseManifest, type ShardFile } from '../format/manifest.js';
import { openForReading, withFile } from './open-file.js';

/** Bytes of a manifest, at most: a thousand for each of the most shards. */
const MOST_MANIFEST = 2 ** 26;
/** Bytes within which a manifest's first brace is. */
const MANIFEST_START = 64;

/** A manifest, and where it lies. */
export interface PlacedManifest {
  /** The path of the manifest itself. */
  readonly path: string;
  readonly text: string;
  readonly manifest: Manifest;
  /** The paths of all shards, in their order. */
  readonly paths: readonly string[];
}

/** The manifest that a path means: the one in the folder, if it is a folder, otherwise the path itself. */
export function manifestPath(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, MANIFEST) : path;
}

/** Whether a file that is no table begins as a manifest does. */
export function isManifest(path: string): boolean {
  try {
    const fd = openForReading(path);
    try {
      return /^\s*\{/.test(readBytes(fd, 0, MANIFEST_START).toString('latin1'));
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/**
 * Reads a manifest; looks at none of the shards.
 * @param path of the folder, or of the manifest
 * @throws {HmapError} `HMAP_NOT_A_TABLE`, `HMAP_VERSION`, or the system's own code
 */
export function readManifest(path: string): PlacedManifest {
  const file = manifestPath(path);
  if (file !== path && !existsSync(file)) {
    throw new HmapError('EISDIR', `cannot open ${path}: it is a folder, and has no ${MANIFEST}`, { path });
  }
  const text = withFileText(file);
  const manifest = parseManifest(text, file);
  return { path: file, text, manifest, paths: manifest.files.map(({ name }) => join(dirname(file), name)) };
}

function withFileText(path: string): string {
  const fd = openForReading(path);
  try {
    const { size } = fstatSync(fd);
    if (size > MOST_MANIFEST) {
      const message = `${path}: not the manifest of a table in shards: it has ${size} bytes, the maximum is ${MOST_MANIFEST}`;
      throw new HmapError('HMAP_NOT_A_TABLE', message, { path, expected: MOST_MANIFEST, actual: size });
    }
    return readBytes(fd, 0, size).toString();
  } catch (error) {
    throw systemError(error, 'read', path);
  } finally {
    closeSync(fd);
  }
}

/**
 * @param fd of a shard that is open
 * @throws {HmapError} `HMAP_LAYOUT` if a file is another version of the shard than the manifest means
 */
export function checkShard(fd: number, fileBytes: number, path: string, { bytes, checksum }: ShardFile): void {
  const actual = readBytes(fd, HEADER.headerChecksum, 4).readUInt32LE();
  if (actual === checksum && fileBytes === bytes) return;
  if (actual === checksum) {
    const message = `${path}: it has ${fileBytes} bytes, the manifest says ${bytes}`;
    throw new HmapError('HMAP_LAYOUT', message, { path, expected: bytes, actual: fileBytes });
  }
  const [is, should] = [actual, checksum].map(checksumText);
  const message = `${path}: this is another version of the shard: its header has the checksum ${is}, the manifest says ${should}`;
  throw new HmapError('HMAP_LAYOUT', message, { path, expected: should, actual: is });
}

/**
 * The paths of all shards of a manifest, in their order.
 * @param path of the folder, or of the manifest
 * @throws {HmapError} as {@link readManifest} does; or it names the shard that is missing, or is of another version
 */
export function checkedShards(path: string): readonly string[] {
  const { manifest, paths } = readManifest(path);
  for (const [i, shard] of paths.entries()) {
    withFile(shard, ({ fd, header }) => checkShard(fd, header.fileBytes, shard, manifest.files[i]!));
  }
  return paths;
}
