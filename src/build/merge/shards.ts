// Divides a table into shards, and joins shards, in their order (native-notes/format.md, section 3). Knows which shards make
// a whole; how records are gone through is passes.ts.

import { closeSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { HmapError } from '../../base/errors.js';
import { checkOptions, type FilePath, pathOf } from '../../base/options.js';
import { MAX_BUCKET_RECORDS, MAX_SHARD_BITS, SEEDS } from '../../format/constants.js';
import type { HashHeader } from '../../format/header.js';
import { needTogether, type ShardFile, shardText } from '../../format/manifest.js';
import { fileHeader } from '../../storage/open-file.js';
import type { JoinOptions, MergeSummary } from '../common/merge-options.js';
import { checksumOf, publishManifest } from '../common/shard-folder.js';
import {
  type Asked,
  checkJoinOptions,
  JOIN_OPTIONS,
  mergeOpened,
  openSource,
  publish,
  readDictionaries,
  withOutput,
} from './merge.js';
import { mergeOnce } from './passes.js';
import { formOf, type MergeSource } from './sources.js';

/** See the function of this name in lazy.ts. */
export async function joinShards(
  paths: readonly FilePath[],
  path: FilePath,
  options: JoinOptions = {},
): Promise<MergeSummary> {
  checkOptions(options, JOIN_OPTIONS);
  checkJoinOptions(options);
  const target = pathOf(path);
  if (!Array.isArray(paths) || paths.length === 0) throw new TypeError('paths: expected an array of one file or more');
  const opened: MergeSource[] = [];
  try {
    for (const each of paths) opened.push(openSource({ path: pathOf(each), role: 'entries' }));
    opened.sort((a, b) => a.header.shard.index - b.header.shard.index);
    const shard = parentOf(opened);
    const form = formOf(opened.map((source) => ({ ...source, header: { ...source.header, shard } })));
    return await mergeOpened(target, opened, { form, duplicates: 'error', areInTurn: true }, options);
  } finally {
    for (const { fd } of opened) closeSync(fd);
  }
}

/**
 * Writes the manifest of shards that were built one by one, in whose folder it lies.
 * @throws {HmapError} `HMAP_LAYOUT` if they are not all shards of one table, or do not lie in one folder; `HMAP_OUTPUT_EXISTS`
 *   if there is a manifest, and it is not to be replaced
 */
export async function gatherShards(
  paths: readonly FilePath[],
  folder: FilePath,
  overwrite: boolean,
): Promise<{ entries: number; fileBytes: number }> {
  const target = resolve(pathOf(folder));
  const found = paths.map((each) => {
    const path = pathOf(each);
    if (dirname(resolve(path)) !== target) throw notShard(path, `it does not lie in ${target}`);
    const header = fileHeader(path);
    if (header.layout !== 'hash') throw notShard(path, `the layout is '${header.layout}'`);
    return { path, header };
  });
  found.sort((a, b) => a.header.shard.index - b.header.shard.index);
  if (parentOf(found).bits > 0) throw notShard(found[0]!.path, 'these shards make only a part of a table');
  const { seed } = found[0]!.header.hash;
  for (const { path, header } of found) {
    needTogether(path, header, found[0]!.header);
  }
  const files = found.map(({ path, header: { fileBytes, entries } }) => {
    return { name: basename(path), bytes: fileBytes, entries, checksum: checksumOf(path) };
  });
  await publishManifest(target, seed, files, overwrite);
  const sum = (of: (file: ShardFile) => number) => files.reduce((all, file) => all + of(file), 0);
  return { entries: sum(({ entries }) => entries), fileBytes: sum(({ bytes }) => bytes) };
}

/**
 * The shard, or the whole table, that these shards make together.
 * @throws {HmapError} `HMAP_LAYOUT` if one is missing, stands twice, or is of another division or seed
 */
function parentOf(sorted: readonly Pick<MergeSource, 'path' | 'header'>[]): HashHeader['shard'] {
  const [first] = sorted;
  const { bits, index } = first!.header.shard;
  const joined = Math.log2(sorted.length);
  for (const [i, { path, header }] of sorted.entries()) {
    if (header.shard.bits !== bits || header.hash.seed !== first!.header.hash.seed) {
      const [actual, expected] = [header, first!.header].map(
        ({ shard, hash }) => `${shardText(shard)} with seed ${hash.seed}`,
      );
      throw notShard(path, `it is ${actual}, ${first!.path} is ${expected}`);
    }
    if (header.shard.index !== index + i) {
      const isTwice = i > 0 && header.shard.index === sorted[i - 1]!.header.shard.index;
      const what = isTwice
        ? `shard ${header.shard.index} is there twice`
        : `${shardText({ index: index + i, bits })} is missing`;
      throw notShard(path, what);
    }
  }
  if (!Number.isInteger(joined) || joined > bits || index % sorted.length !== 0) {
    const count = 2 ** Math.ceil(Math.log2(sorted.length));
    const from = Math.floor(index / count) * count;
    const missing = index > from ? from : index + sorted.length;
    throw notShard(
      first!.path,
      missing < 2 ** bits ? `${shardText({ index: missing, bits })} is missing` : 'these are no whole',
    );
  }
  return { bits: bits - joined, index: index / sorted.length };
}

function notShard(path: string, what: string): HmapError {
  return new HmapError('HMAP_LAYOUT', `${path}: ${what}`, { path });
}

/**
 * Writes one of the shards into which a table is divided: the file that a build of its entries would make.
 * @param shard of the parts of this file; one of a shard is a shard of more
 * @throws {HmapError} `HMAP_BUCKET_LOAD` if too many of its keys share a bucket
 */
export async function writeShard(
  input: FilePath,
  path: FilePath,
  { index, bits }: HashHeader['shard'],
  options: JoinOptions = {},
): Promise<MergeSummary> {
  checkOptions(options, JOIN_OPTIONS);
  checkJoinOptions(options);
  const source = openSource({ path: pathOf(input), role: 'entries' });
  try {
    const { header } = source;
    const own = header.shard;
    const shard = { index: own.index * 2 ** bits + index, bits: own.bits + bits };
    if (shard.bits > MAX_SHARD_BITS) {
      throw new TypeError(
        `shards: expected at most ${2 ** (MAX_SHARD_BITS - own.bits)} of this file, got ${2 ** bits}`,
      );
    }
    const each = 2 ** (32 - shard.bits);
    const range = { from: shard.index * each, end: (shard.index + 1) * each };
    const asked: Asked = { form: { ...formOf([source]), shard }, duplicates: 'error', areInTurn: true, range };
    return await withOutput(pathOf(path), source, asked, options, async (how) => {
      const sources = [source];
      const merged = await mergeOnce({ ...how, sources, dictionaries: readDictionaries(how, sources) });
      if (merged.longest > MAX_BUCKET_RECORDS) throw overloaded(shard, merged.longest, header.hash.seed);
      return publish(how, merged, header.hash.seed, 0);
    });
  } finally {
    closeSync(source.fd);
  }
}

/** All shards have one seed, so that the table is to be built anew with another one. */
function overloaded(shard: HashHeader['shard'], longest: number, seed: number): HmapError {
  const next = SEEDS[(SEEDS.indexOf(seed) + 1) % SEEDS.length]!;
  const message =
    `${shardText(shard)}: ${longest} or more keys share a bucket, the maximum is ${MAX_BUCKET_RECORDS}; ` +
    `build the whole table with another seed, such as ${next}, and divide it again`;
  return new HmapError('HMAP_BUCKET_LOAD', message, { expected: MAX_BUCKET_RECORDS, actual: longest });
}
