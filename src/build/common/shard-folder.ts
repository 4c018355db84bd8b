// A folder of shards with its manifest: written shard by shard, and taken up in one step (native-notes/format.md, section
// 3). Knows files and names; how shards are made is none of its business.

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { HmapError, systemError } from '../../base/errors.js';
import { readBytes, writeAll } from '../../base/fs.js';
import { prefixOf } from '../../base/moved-aside.js';
import { HEADER } from '../../format/constants.js';
import {
  isShardName,
  MANIFEST,
  manifestText,
  parseManifest,
  type ShardFile,
  shardName,
} from '../../format/manifest.js';
import { removeLeftovers, temporaryName } from './leftovers.js';
import { Publication } from './publication.js';

/** Every path ends with {@link publish} or {@link abandon}. */
export class ShardFolder {
  /** An absolute path. */
  readonly path: string;
  readonly #count: number;
  /**
   * Where the next shard is to be written; {@link take} gives it its name, which is another one for other content, so
   * that readers of the old manifest keep the old files.
   */
  next: string;
  /** The first of the folders that were made for it. */
  readonly #madeFolder: string | undefined;
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
      throw new HmapError('HMAP_OUTPUT_EXISTS', `${path} has shards already`, { path });
    }
    if (existsSync(path) && !statSync(path).isDirectory()) {
      throw new HmapError('ENOTDIR', `cannot write ${path}: shards lie in a folder, and it is a file`, { path });
    }
    try {
      this.#madeFolder = mkdirSync(path, { recursive: true });
    } catch (error) {
      throw systemError(error, 'write', path);
    }
    removeLeftovers(this.path, SHARD);
    removeLeftovers(this.path, SHARD, `.${prefixOf(SHARD)}`);
    this.next = this.#newName();
  }

  /** Takes the shard that was written to {@link next}. */
  take({ fileBytes, entries }: { readonly fileBytes: number; readonly entries: number }): void {
    const checksum = checksumOf(this.next);
    const name = shardName(this.#files.length, this.#count, checksum);
    if (!existsSync(join(this.path, name))) this.#made.push(name);
    renameSync(this.next, join(this.path, name));
    this.#files.push({ name, bytes: fileBytes, entries, checksum });
    this.next = this.#newName();
  }

  /** One that no other build uses, not even one in this process. */
  #newName(): string {
    return join(this.path, temporaryName(SHARD));
  }

  /**
   * Puts the manifest in its place, and removes the shards of the one before it.
   * @throws {HmapError} `HMAP_OUTPUT_EXISTS` if another build in this folder has taken a shard away meanwhile
   */
  async publish(seed: number): Promise<void> {
    const before = namesIn(this.path);
    const gone = this.#files.find(({ name }) => !existsSync(join(this.path, name)));
    if (gone !== undefined) {
      const message = `${this.path}: another build in this folder has removed ${gone.name} meanwhile; build it again`;
      throw new HmapError('HMAP_OUTPUT_EXISTS', message, { path: this.path });
    }
    await publishManifest(this.path, seed, this.#files, true);
    this.#made.length = 0;
    const own = new Set(this.#files.map(({ name }) => name));
    // No others: they may be those of a build that is going on, or somebody's own.
    for (const name of before) if (isShardName(name) && !own.has(name)) this.#remove(name);
  }

  /** Removes what was written, if it was not published. */
  abandon(): void {
    rmSync(this.next, { force: true });
    // Another build may have made the same file, and named it.
    const named = new Set(namesIn(this.path));
    for (const name of this.#made.splice(0)) if (!named.has(name)) this.#remove(name);
    for (let folder = this.path; this.#madeFolder !== undefined && folder.length >= this.#madeFolder.length; ) {
      try {
        rmdirSync(folder);
      } catch {
        // It holds something, which is another one's.
        return;
      }
      folder = dirname(folder);
    }
  }

  #remove(name: string): void {
    try {
      rmSync(join(this.path, name), { force: true });
    } catch {
      // Windows refuses it for a file that is mapped.
    }
  }
}

/** What the names of temporary files of shards have in common. */
const SHARD = 'shard';

/** The files that the manifest of a folder names, if it has one. */
function namesIn(folder: string): string[] {
  try {
    const path = join(folder, MANIFEST);
    return parseManifest(readFileSync(path, 'utf8'), path).files.map(({ name }) => name);
  } catch {
    return [];
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
