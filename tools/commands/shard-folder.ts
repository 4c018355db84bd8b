// A folder of shards with its manifest: written shard by shard, and taken up in one step. Knows files and names; how a table
// is divided and joined is the library's.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HmapError } from '../../src/index.js';
import {
  checksumText,
  fileHeader,
  headerChecksumOf,
  MANIFEST,
  type Manifest,
  manifestText,
  parseManifest,
  type ShardFile,
  systemError,
} from '../../src/internal.js';

/**
 * The shards of a folder, as its manifest has them.
 * @param path of the folder, or of the manifest
 * @throws {HmapError} that names what is missing, or is another version than the manifest means
 */
export function shardsOf(path: string): { readonly manifest: Manifest; readonly paths: readonly string[] } {
  const file = isFolder(path) ? join(path, MANIFEST) : path;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw systemError(error, 'open', file);
  }
  const manifest = parseManifest(text, file);
  const paths = manifest.files.map((shard) => checked(join(dirname(file), shard.name), shard));
  return { manifest, paths };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function checked(path: string, { bytes, checksum }: ShardFile): string {
  const { fileBytes } = fileHeader(path);
  const actual = headerChecksumOf(path);
  if (actual === checksum && fileBytes === bytes) return path;
  const [is, should] = [actual, checksum].map(checksumText);
  const message = `${path}: this is another version of the shard: its header has the checksum ${is}, the manifest says ${should}`;
  throw new HmapError('HMAP_LAYOUT', message, { path, expected: should, actual: is });
}

/** Writes the shards of a table; every path ends with {@link publish} or {@link abandon}. */
export class ShardFolder {
  readonly #folder: string;
  readonly #made: string[] = [];
  readonly #files: ShardFile[] = [];

  /** @throws {HmapError} `HMAP_OUTPUT_EXISTS` if there are shards, and they are not to be replaced */
  constructor(folder: string, isForced: boolean) {
    this.#folder = folder;
    if (existsSync(join(folder, MANIFEST)) && !isForced) {
      throw new HmapError('HMAP_OUTPUT_EXISTS', `${folder} has shards already; --force replaces them`, {
        path: folder,
      });
    }
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw systemError(error, 'write', folder);
    }
  }

  /**
   * Where the next shard is to be written; {@link take} gives it its name, which is another one for other content, so
   * that readers of the old manifest keep the old files.
   */
  get next(): string {
    return join(this.#folder, `.shard-${process.pid}-${this.#files.length}.hmap`);
  }

  /** Takes the shard that was written to {@link next}. */
  take(count: number): void {
    const path = this.next;
    const { fileBytes, entries } = fileHeader(path);
    const checksum = headerChecksumOf(path);
    const digits = String(count - 1).length;
    const index = String(this.#files.length).padStart(digits, '0');
    const name = `${index}-of-${count}-${checksumText(checksum)}.hmap`;
    if (!existsSync(join(this.#folder, name))) this.#made.push(name);
    renameSync(path, join(this.#folder, name));
    this.#files.push({ name, bytes: fileBytes, entries, checksum });
  }

  /** Puts the manifest in its place, and removes the shards of the one before it. */
  publish(seed: number): void {
    const entries = this.#files.reduce((sum, file) => sum + file.entries, 0);
    const temporary = join(this.#folder, `.${MANIFEST}.${process.pid}.tmp`);
    try {
      writeFileSync(temporary, manifestText({ seed, entries, files: this.#files }));
      renameSync(temporary, join(this.#folder, MANIFEST));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw systemError(error, 'write', this.#folder);
    }
    this.#made.length = 0;
    const own = new Set(this.#files.map(({ name }) => name));
    for (const name of readdirSync(this.#folder)) {
      if (/^\d+-of-\d+-[0-9a-f]{8}\.hmap$/.test(name) && !own.has(name))
        rmSync(join(this.#folder, name), { force: true });
    }
  }

  /** Removes what was written, if it was not published. */
  abandon(): void {
    rmSync(this.next, { force: true });
    for (const name of this.#made.splice(0)) rmSync(join(this.#folder, name), { force: true });
  }
}
