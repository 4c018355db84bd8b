// Building, merging, verifying and measuring, loaded when they are first used: a process that only opens tables should not wait
// for them.

import { type FilePath, ownOptions, pathOf } from './base/options.js';
import type {
  BitsBuildOptions,
  Entry,
  EntryColumns,
  IntegerSetBuildOptions,
  ListBuildOptions,
} from './build/common/inputs.js';
import type { MergeInput, MergeOptions, MergeSummary } from './build/common/merge-options.js';
import type { BuildOptions, BuildSummary } from './build/common/options.js';
import type { KeyArgument, KeyForm, KeyOf } from './format/key-types.js';
import type { WidenedRecord, WidenedStruct } from './format/schema.js';
import type { ListType, ListValue, ValueChoice, ValueType } from './format/value-types.js';
import type { StatOptions } from './inspect/stat.js';
import type { TableStat } from './inspect/table-stat.js';
import type { Verification, VerifyOptions } from './verify/verify.js';

type AnyIterable<E> = Iterable<E> | AsyncIterable<E>;

/**
 * Builds the file `path` from entries. The order of the entries does not affect the bytes of the file, unless
 * `duplicates` is `first` or `last`. Memory for entries stays within `options.memory`; entries that do not fit go to a
 * temporary file beside the output. The file appears under its name in one step when it is complete and on the disk; if
 * anything fails, an old file of that name stays, and nothing else is left. The next build removes what a killed build
 * leaves beside the file.
 *
 * With `layout: 'list'` it takes bare values, in the order of their indexes, and with `layout: 'bits'` integers in any
 * order.
 *
 * With `layout: 'auto'` it takes integers in any order, too, from -(2^53 - 1) to 2^53 - 1, and makes the smaller of two
 * files: a bit array from the smallest to the largest of them, or a hash table without values, whose keys are u32 if
 * that holds all of them, otherwise i64; `layout` in the summary says which. If both have the same size, it makes the
 * bit array. It keeps 8 bytes for each integer, in memory or in the temporary file, and reads them once or twice more;
 * if the bits take more than half of `memory`, twice for each part of that size.
 *
 * Costs about half of what filling a `Map` costs, and uses up to four threads for large builds.
 * @throws {TypeError} for a bad argument or option, which it names
 * @throws {HmapError} for an entry that cannot be stored (the message names the key), or when the output cannot be
 *   written
 */
export function build<T extends ListType>(
  path: FilePath,
  values: AnyIterable<ListValue<T>>,
  options: ListBuildOptions<T>,
): Promise<BuildSummary>;
export function build(
  path: FilePath,
  integers: AnyIterable<number>,
  options: BitsBuildOptions | IntegerSetBuildOptions,
): Promise<BuildSummary>;
/** A schema without `as const`. */
export function build<S extends Readonly<Record<string, string>>, F extends KeyForm = 'bytes'>(
  path: FilePath,
  entries: AnyIterable<readonly [key: KeyArgument<KeyOf<F>>, value: WidenedRecord<S>]>,
  options: Omit<BuildOptions<ValueType, F>, 'value'> & { value: WidenedStruct<S> },
): Promise<BuildSummary>;
/** Entries as columns, without an object for each. */
export function build<T extends ValueChoice, F extends 'u32' | 'u64' | 'i64'>(
  path: FilePath,
  entries: EntryColumns<T, F> | AnyIterable<EntryColumns<T, F>>,
  options: BuildOptions<T, F>,
): Promise<BuildSummary>;
export function build<T extends ValueChoice, F extends KeyForm = 'bytes'>(
  path: FilePath,
  entries: AnyIterable<Entry<T, F>>,
  options: BuildOptions<T, F>,
): Promise<BuildSummary>;
export async function build(
  path: FilePath,
  entries: AnyIterable<unknown> | EntryColumns,
  options: BuildOptions<ValueChoice> | ListBuildOptions | BitsBuildOptions | IntegerSetBuildOptions,
): Promise<BuildSummary> {
  const { build: buildTable, buildKeyless } = await import('./build/build.js');
  const own = ownOptions(options);
  if (own?.layout === 'list' || own?.layout === 'bits' || own?.layout === 'auto')
    return buildKeyless(pathOf(path), entries as AnyIterable<unknown>, own);
  return buildTable(pathOf(path), entries as Iterable<never>, own);
}

/**
 * Merges hash tables of one key type and one value type into the file `path`, which may be one of them. Where several
 * have a key, the last one's entry stays, unless `duplicates` says otherwise; `{ path, as: 'removals' }` is a table whose
 * keys are left out of what comes before it. The result is the file that a build of the entries that stay would make,
 * with the metadata of the first one unless `metadata` says otherwise.
 *
 * Files of one seed, as builds practically always make them, are gone through side by side, once or twice, in fixed memory, and
 * nothing but the result is written. Where one file has most of the entries and its form stays, its buckets are copied
 * as they lie: to change a thousandth of a table takes about a third (10 million entries) to a fifth (100 million) of the
 * processor time of building it (native-notes/performance.md). Files of other seeds are built anew with a common one
 * first, beside the output.
 * @throws {TypeError} for a bad argument or option, which it names
 * @throws {HmapError} as `open` and `build` do; `HMAP_KEY_TYPE`, `HMAP_VALUE_TYPE` or `HMAP_LAYOUT` for files that do not
 *   go together, `HMAP_FINGERPRINT` for one that stores no keys, `HMAP_DAMAGED` for one that is damaged
 */
export async function merge(
  inputs: readonly MergeInput[],
  path: FilePath,
  options: MergeOptions = {},
): Promise<MergeSummary> {
  const { merge: mergeTables } = await import('./build/merge/merge.js');
  return mergeTables(inputs, path, ownOptions(options));
}

/**
 * Checks a file against every rule of the format: header, checksums, index, records, totals, padding. Reads the file
 * twice, in fixed memory and 24 bytes for each 64 KiB of the file; work is bounded by the file's size. Damage is
 * reported in the result, never thrown.
 * @throws {HmapError} only when the file cannot be read at all (missing, a folder, no permission)
 */
export async function verify(path: FilePath, options: VerifyOptions = {}): Promise<Verification> {
  return (await import('./verify/verify.js')).verify(pathOf(path), ownOptions(options));
}

/**
 * Measures a table: what each byte is spent on, how full the buckets are. Reads all of its key heap: costs about what
 * iterating over it costs.
 * @throws {HmapError} as `open` does, and `HMAP_DAMAGED` if records break the format
 */
export async function stat(path: FilePath, options: StatOptions = {}): Promise<TableStat> {
  return (await import('./inspect/stat.js')).stat(pathOf(path), ownOptions(options));
}
