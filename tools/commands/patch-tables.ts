// Makes tables of a patch, in a folder of their own, so that it is merged like any other file. Knows patches; does not know
// what they are merged with.

import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type HashHeader, HmapError, type MergeInput, open } from '../../src/index.js';
import {
  type CommonOptions,
  DEFAULT_MEMORY,
  SMALLEST_MEMORY,
  showKey,
  systemError,
  type TableBuilder,
  withBuilder,
} from '../../src/internal.js';
import { HashEntrySink } from '../formats/entry-sink.js';
import { headOf } from '../formats/head.js';
import { type PatchTypes, parsePatchTypes, patchTypes, readPatch } from '../formats/patch.js';
import { asUtf8, UTF8 } from '../input/encoding.js';
import { Source } from '../input/source.js';
import { nameOf } from '../input/understand.js';

/** First bytes of what may be a patch: a JSON text, perhaps after a mark, or one that is packed by gzip or zstd. */
const STARTS = [Buffer.from('{'), Buffer.from('\ufeff{'), Buffer.of(0x1f, 0x8b), Buffer.of(0x28, 0xb5, 0x2f, 0xfd)];
const LF = 0x0a;

/** Whether an input is a patch, or stdin, by its first bytes. */
export function isPatch(input: string): boolean {
  if (input === '-') return true;
  let fd: number | undefined;
  try {
    const stat = statSync(input);
    // A table is no stream, and what is read of one is gone.
    if (stat.isFIFO() || stat.isCharacterDevice() || stat.isSocket()) return true;
    if (!stat.isFile()) return false;
    fd = openSync(input, 'r');
    const start = Buffer.alloc(4);
    const length = readSync(fd, start, 0, start.length, 0);
    return STARTS.some((one) => start.subarray(0, length).subarray(0, one.length).equals(one));
  } catch {
    // Opening it as a table says what is wrong.
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The tables of several patches. Call {@link remove} in the end. */
export class PatchTables {
  readonly #output: string;
  readonly #table: HashHeader;
  readonly #options: CommonOptions;
  #folder: string | undefined;
  #source: Source | undefined;
  #count = 0;
  /** Of each table, the name of its patch. */
  readonly #names = new Map<string, string>();

  /**
   * @param output beside which the tables are made
   * @param table the header of a table that is to be changed
   */
  constructor(output: string, table: HashHeader, options: CommonOptions) {
    this.#output = output;
    this.#table = table;
    this.#options = options;
  }

  /**
   * Reads a patch.
   * @throws {TypeError} for what is no patch
   * @throws {HmapError} for a line that is wrong, or types that are not those of the table
   */
  async add(input: string): Promise<MergeInput[]> {
    const name = nameOf(input);
    const source = new Source(input);
    this.#source = source;
    try {
      const head = await headOf(source.pieces());
      const end = head.bytes.indexOf(LF);
      const types = parsePatchTypes(name, head.bytes.toString('utf8', 0, end < 0 ? head.bytes.length : end));
      this.#checkTypes(name, types);
      return await this.#build(name, types, asUtf8(head.pieces, name, UTF8, source.again));
    } finally {
      source.close();
    }
  }

  /** An error of a merge, with the names of patches in the place of those of their tables. */
  named(error: unknown): unknown {
    if (!(error instanceof HmapError)) return error;
    let { message } = error;
    for (const [path, name] of this.#names) message = message.replaceAll(path, name);
    return message === error.message ? error : new HmapError(error.code, message, { cause: error });
  }

  /** Ends the waiting for a patch that may never come. */
  stop(): void {
    this.#source?.close();
  }

  /** Removes the tables. */
  remove(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #checkTypes(name: string, types: PatchTypes): void {
    const own = patchTypes(this.#table);
    for (const [what, code] of [
      ['keyType', 'HMAP_KEY_TYPE'],
      ['valueType', 'HMAP_VALUE_TYPE'],
    ] as const) {
      const [expected, actual] = [own[what], types[what]];
      if (expected === actual) continue;
      const part = what === 'keyType' ? 'keys' : 'values';
      const message = `${name}: the patch is for tables with ${part} of type ${actual}, these are ${expected}`;
      throw new HmapError(code, message, { path: name, expected, actual });
    }
  }

  async #build(name: string, types: PatchTypes, pieces: AsyncIterable<Uint8Array>): Promise<MergeInput[]> {
    try {
      this.#folder ??= mkdtempSync(join(dirname(this.#output), '.hmap-patch-'));
    } catch (error) {
      throw systemError(error, 'write', this.#output);
    }
    const number = this.#count++;
    const [changes, removals] = ['changes', 'removals'].map((part) =>
      join(this.#folder!, `${number}-${part}.hmap`),
    ) as [string, string];
    for (const path of [changes, removals]) this.#names.set(path, name);
    const { hash, shard } = this.#table;
    // Without a seed, the first one that holds: then the merge finds one for all.
    const seed = hash.seed === 0 ? {} : { seed: hash.seed };
    const memory = Math.max(SMALLEST_MEMORY, Math.floor((this.#options.memory ?? DEFAULT_MEMORY) / 2));
    const common = { ...this.#options, memory, key: types.keyType, ...seed };
    try {
      // Of a shard, only lines with its keys count.
      const add = async (added: TableBuilder) => {
        const remove = (removed: TableBuilder) =>
          readPatch(pieces, new HashEntrySink(added, name), new HashEntrySink(removed, name));
        await withBuilder(removals, { ...common, value: 'none' }, remove, 1, true, shard);
      };
      await withBuilder(changes, { ...common, value: types.valueType }, add, 1, true, shard);
    } catch (error) {
      throw twice(name, types, error);
    }
    refuseBoth(name, changes, removals);
    return [
      { path: removals, as: 'removals' },
      { path: changes, as: 'changes' },
    ];
  }
}

/** The error for a key that is in two lines, without the advice that is for builds. */
function twice(name: string, { keyType }: PatchTypes, error: unknown): unknown {
  if (!(error instanceof HmapError) || error.code !== 'HMAP_DUPLICATE_KEY' || error.key === undefined) return error;
  const { key } = error;
  const shown = keyType === 'bytes' ? showKey('bytes', Buffer.from(key as string)) : String(key);
  return new HmapError(error.code, `${name}: the key ${shown} is in two lines`, { path: name, key });
}

/** Refuses a key that is changed and removed: which of the two came last cannot be told. */
function refuseBoth(name: string, changes: string, removals: string): void {
  const changed = open(changes, { key: 'bytes' });
  const removed = open(removals, { key: 'bytes' });
  try {
    for (const key of removed.keys()) {
      if (!changed.has(key)) continue;
      const { keyType } = changed.header;
      const message = `${name}: the key ${showKey(keyType, key)} is removed, and added or changed as well`;
      throw new HmapError('HMAP_DUPLICATE_KEY', message, { path: name, key });
    }
  } finally {
    changed.close();
    removed.close();
  }
}
