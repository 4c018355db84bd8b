// A folder of shards with its manifest: written shard by shard, and taken up in one step (native-notes/format.md, section
// 3). Knows files and names; how shards are made is none of its business.

import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HmapError, systemError } from '../../base/errors.js';
import { readBytes, writeAll } from '../../base/fs.js';
import { HEADER } from '../../format/constants.js';
import { isShardName, MANIFEST, manifestText, type ShardFile, shardName } from '../../format/manifest.js';
import { Publication } from './publication.js';

/** Milliseconds after which a file under a temporary name is what a killed build has left. */
const DAY = 24 * 3600 * 1000;
const TEMPORARY_SHARD = /^\.+shard-\d+-\d+\.hmap/;

/** Every path ends with {@link publish} or {@link abandon}. */
export class ShardFolder {
  /** An absolute path. */
  readonly path: string;
  readonly #count: number;
  readonly #made: string[] = [];
  readonly #files: ShardFile[] = [];

  /**
   * @param path as it was given
   * @param count how many shards it will have
   * @throws {HmapError} `HMAP_OUTPUT_EXISTS` if there are shards, and they are not to be replaced
   */
  constructor(path: string, count: number, overwrite: boolean) {
    this.path = resolve(path);
    this.#count = count;
    if (existsSync(join(path, MANIFEST)) && !overwrite) {
      throw new HmapError('HMAP_OUTPUT_EXISTS', `${path} has shards already; --force replaces them`, { path });
    }
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      throw systemError(error, 'write', path);
    }
    this.#removeLeftovers();
  }

  /**
   * Where the next shard is to be written; {@link take} gives it its name, which is another one for other content, so
   * that readers of the old manifest keep the old files.
   */
  get next(): string {
    return join(this.path, `.shard-${process.pid}-${this.#files.length}.hmap`);
  }

  /** Takes the shard that was written to {@link next}. */
  take({ fileBytes, entries }: { readonly fileBytes: number; readonly entries: number }): void {
    const checksum = checksumOf(this.next);
    const name = shardName(this.#files.length, this.#count, checksum);
    if (!existsSync(join(this.path, name))) this.#made.push(name);
    renameSync(this.next, join(this.path, name));
    this.#files.push({ name, bytes: fileBytes, entries, checksum });
  }

  /** Puts the manifest in its place, and removes the shards of the one before it. */
  async publish(seed: number): Promise<void> {
    await publishManifest(this.path, seed, this.#files, true);
    this.#made.length = 0;
    const own = new Set(this.#files.map(({ name }) => name));
    for (const name of readdirSync(this.path)) if (isShardName(name) && !own.has(name)) this.#remove(name);
  }

  /** Removes what was written, if it was not published. */
  abandon(): void {
    rmSync(this.next, { force: true });
    for (const name of this.#made.splice(0)) this.#remove(name);
  }

  #remove(name: string): void {
    try {
      rmSync(join(this.path, name), { force: true });
    } catch {
      // Windows refuses it for a file that is mapped; the next build of this folder tries again.
    }
  }

  #removeLeftovers(): void {
    for (const name of readdirSync(this.path)) {
      if (!TEMPORARY_SHARD.test(name)) continue;
      const stat = statSync(join(this.path, name), { throwIfNoEntry: false });
      if (stat !== undefined && Date.now() - stat.mtimeMs > DAY) this.#remove(name);
    }
  }
}

/**
 * Puts the manifest of a folder's shards in its place, in one step.
 * @param files in the order of their indexes
 * @throws {HmapError} `HMAP_OUTPUT_EXISTS` if there is one, and it is not to be replaced
 */
export async function publishManifest(
  folder: string,
  seed: number,
  files: readonly ShardFile[],
  overwrite: boolean,
): Promise<void> {
  const entries = files.reduce((sum, file) => sum + file.entries, 0);
  const manifest = new Publication(join(folder, MANIFEST), overwrite);
  try {
    writeAll(manifest.fd, Buffer.from(manifestText({ seed, entries, files })), 0);
    await manifest.sync();
    manifest.publish();
  } catch (error) {
    manifest.abandon();
    throw systemError(error, 'write', folder);
  }
}

/** The header checksum of a file, which covers all of it by what the header says. */
export function checksumOf(path: string): number {
  const fd = openSync(path, 'r');
  try {
    return readBytes(fd, HEADER.headerChecksum, 4).readUInt32LE();
  } finally {
    closeSync(fd);
  }
}
