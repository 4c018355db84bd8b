// Merges hash tables into one file: opens them, settles form and seed, and puts the result in its place. Does not know
// how their records are gone through (passes.ts).

import { closeSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { HmapError } from '../../base/errors.js';
import { checkOptions, type FilePath, oneOf, pathOf } from '../../base/options.js';
import { MAX_BUCKET_RECORDS, SEEDS } from '../../format/constants.js';
import { type StoredType, UINTS, valueWidthOf } from '../../format/value-types.js';
import { type Dictionary, readDictionary } from '../../storage/dictionary.js';
import { openForReading, readHeader } from '../../storage/open-file.js';
import { temporaryName } from '../common/leftovers.js';
import type { JoinOptions, MergeInput, MergeOptions, MergeSummary } from '../common/merge-options.js';
import { COMMON_OPTIONS, resolveCommonOptions } from '../common/options.js';
import { BuildOutput } from '../common/output.js';
import { tooLoaded } from '../hash/builder.js';
import { publishTable } from '../hash/publish-table.js';
import { type Merged, mergeOnce, type Work } from './passes.js';
import { reseed } from './reseed.js';
import { formOf, type MergeSource, needRecords } from './sources.js';

/** How files are merged, whichever they are. */
export type How = Omit<Work, 'sources' | 'dictionaries'>;

/** See the function of this name in lazy.ts. */
export async function merge(
  inputs: readonly MergeInput[],
  path: FilePath,
  options: MergeOptions = {},
): Promise<MergeSummary> {
  checkOptions(options, ['duplicates', ...JOIN_OPTIONS]);
  const { duplicates = 'last', ...rest } = options;
  oneOf('duplicates', duplicates, ['last', 'first', 'error']);
  checkJoinOptions(rest);
  const target = pathOf(path);
  const opened: MergeSource[] = [];
  try {
    for (const input of checkInputs(inputs)) opened.push(openSource(input));
    return await mergeOpened(target, opened, { form: formOf(opened), duplicates }, rest);
  } finally {
    for (const { fd } of opened) closeSync(fd);
  }
}

/** Merges open files into `target`. */
export function mergeOpened(
  target: string,
  opened: readonly MergeSource[],
  asked: Asked,
  options: JoinOptions,
): Promise<MergeSummary> {
  return withOutput(target, opened[0]!, asked, options, (how) => withSomeSeed(how, opened));
}

/** What is asked for besides the options that every merge has. */
export type Asked = Omit<How, 'check' | 'options' | 'output'>;

/**
 * Lets `act` make the file `target`; if it fails, no file is left.
 * @param first whose metadata the file gets, unless the options say otherwise
 */
export async function withOutput(
  target: string,
  first: MergeSource,
  asked: Asked,
  { check = 'touch', ...rest }: JoinOptions,
  act: (how: How) => Promise<MergeSummary>,
): Promise<MergeSummary> {
  const options = resolveCommonOptions({ ...rest, metadata: rest.metadata ?? first.header.metadata });
  const output = new BuildOutput(target, options);
  try {
    return await act({ ...asked, check: check === 'touch' ? 'touch' : 'none', output, options });
  } catch (error) {
    output.abandon();
    throw error;
  }
}

export const JOIN_OPTIONS = ['check', ...COMMON_OPTIONS] as const satisfies readonly (keyof JoinOptions)[];

export function checkJoinOptions({ check = 'touch' }: JoinOptions): void {
  oneOf('check', check, ['header', 'touch']);
}

const ROLES = ['entries', 'changes', 'removals'] as const;

function checkInputs(inputs: unknown): { path: string; role: MergeSource['role'] }[] {
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new TypeError('inputs: expected an array of one file or more');
  const roles = inputs.map((input: MergeInput) => {
    if (typeof input === 'object' && input !== null && 'as' in input) {
      return { path: pathOf(input.path), role: oneOf('as', input.as, ROLES) };
    }
    return { path: pathOf(input), role: 'entries' as const };
  });
  if (roles.every(({ role }) => role === 'removals')) throw new TypeError('inputs: expected one file with entries');
  return roles;
}

/** @internal */
export function openSource({ path, role }: { path: string; role: MergeSource['role'] }): MergeSource {
  const fd = openForReading(path);
  try {
    return { path, role, fd, header: needRecords(readHeader(fd, path), path) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Merges with the first seed under which no bucket holds too many records, as a build would. */
async function withSomeSeed(how: How, opened: readonly MergeSource[]): Promise<MergeSummary> {
  const seeds = seedsFor(opened);
  for (let i = 0; ; i++) {
    const seed = seeds[i]!;
    const copies: MergeSource[] = [];
    try {
      const sources: MergeSource[] = [];
      for (const source of opened) sources.push(await withSeed(how, source, seed, copies));
      // Copies are no shards any more: their hashes are others.
      const areInTurn = how.areInTurn === true && copies.length === 0;
      const merged = await mergeOnce({ ...how, areInTurn, sources, dictionaries: readDictionaries(how, sources) });
      if (merged.longest > MAX_BUCKET_RECORDS) throw tooLoaded(merged.longest, seeds);
      return await publish(how, merged, seed, copies.length);
    } catch (error) {
      if ((error as HmapError).code !== 'HMAP_BUCKET_LOAD' || i + 1 === seeds.length) throw error;
    } finally {
      for (const { fd, path } of copies) remove(fd, path);
    }
  }
}

/** The seed that all have, then those that a build would try after it; without a common one, all of these. */
function seedsFor(sources: readonly MergeSource[]): readonly number[] {
  const seeds = new Set(sources.map(({ header }) => header.hash.seed));
  const [first] = seeds;
  if (seeds.size > 1) return SEEDS;
  return SEEDS.includes(first!) ? SEEDS.slice(SEEDS.indexOf(first!)) : [first!];
}

/** A file with this seed: itself, or a copy. */
async function withSeed(
  { output, options, check }: How,
  source: MergeSource,
  seed: number,
  copies: MergeSource[],
): Promise<MergeSource> {
  if (source.header.hash.seed === seed) return source;
  const { memory, signal } = options;
  const path = join(dirname(output.target), temporaryName(basename(output.target)));
  await reseed(source, path, seed, { check, memory, signal });
  const copy = openSource({ path, role: source.role });
  copies.push(copy);
  return copy;
}

function remove(fd: number, path: string): void {
  closeSync(fd);
  unlinkSync(path);
}

/** @internal */
export function readDictionaries({ form, check }: How, sources: readonly MergeSource[]): (Dictionary | undefined)[] {
  if (form.valueType !== 'enum') return sources.map(() => undefined);
  return sources.map(({ fd, header, path, role }) =>
    role === 'removals' ? undefined : readDictionary(fd, header, path, check),
  );
}

/** @internal */
export async function publish(
  { form, output, options }: How,
  { shape, stats, written, dictionary, counts, by }: Merged,
  seed: number,
  reseeded: number,
): Promise<MergeSummary> {
  const { keyType, valueType, shard } = form;
  const narrowed = valueType === 'uint';
  const stored: StoredType = narrowed ? UINTS.find((type) => valueWidthOf(type) === shape.valueWidth)! : valueType;
  const { metadata } = options;
  const common = { keyType, valueType: stored, narrowed, seed, shard, fingerprint: undefined, metadata };
  const table = await publishTable(output, { ...common, shape, stats, written, dictionary });
  return { ...table, ...counts, by, reseeded };
}
