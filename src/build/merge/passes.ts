// The two ways to merge tables of one seed: to change a large one in one pass, or to count all records in one and write
// them in another. Knows the order of the steps; each of them is a file beside this one.

import { ftruncateSync } from 'node:fs';
import { loadChecksums } from '../../base/block-hasher.js';
import { damage, type HmapError } from '../../base/errors.js';
import { readInto, writeAll } from '../../base/fs.js';
import { align, headerSize, VARIABLE } from '../../format/constants.js';
import type { HashHeader } from '../../format/header.js';
import { bucketCount } from '../../format/index-lines.js';
import { keyWidthOf } from '../../format/key-types.js';
import { type Shape, sameShape } from '../../format/shape.js';
import { schemaBytesOf } from '../../format/write-header.js';
import type { Dictionary } from '../../storage/dictionary.js';
import { type BucketsOf, type HashRange, OrderedRecords } from '../../storage/ordered-records.js';
import { BlockSums } from '../common/block-sums.js';
import type { MergeCounts, MergeDuplicates, MergeSummary } from '../common/merge-options.js';
import type { ResolvedOptions } from '../common/options.js';
import type { BuildOutput } from '../common/output.js';
import type { Written } from '../hash/assemble.js';
import { type EntryStats, shapeOfEntries } from '../hash/entry-stats.js';
import { writeIndex } from '../hash/index-writer.js';
import { ChangeCount, Count, OtherForm } from './count.js';
import { type MergedDictionary, mergeDictionaries, type UsedStrings } from './dictionaries.js';
import { RecordWriter } from './record-writer.js';
import type { MergedForm, MergeSource } from './sources.js';
import { type MergeTaker, walkInTurn, walkMerged } from './walk.js';

/** What is merged, and how. */
export interface Work {
  readonly sources: readonly MergeSource[];
  /** Of each file, if its values are `enum`. */
  readonly dictionaries: readonly (Dictionary | undefined)[];
  readonly form: MergedForm;
  readonly check: 'none' | 'touch';
  readonly duplicates: MergeDuplicates;
  readonly options: ResolvedOptions;
  readonly output: BuildOutput;
  /** Whether the files are shards in their order, so that each follows the one before it. */
  readonly areInTurn?: boolean;
  /** The hashes whose records are wanted, if not all are. */
  readonly range?: HashRange;
}

/** A result without its header. */
export interface Merged {
  readonly shape: Shape;
  readonly stats: EntryStats;
  readonly written: Pick<Written, 'segments' | 'index' | 'checksums'>;
  readonly dictionary: MergedDictionary | undefined;
  readonly counts: MergeCounts;
  /** Most records in one bucket, as far as buckets are not those of one of the files. */
  readonly longest: number;
  readonly by: MergeSummary['by'];
}

/** One file is the base of a merge if it has so many times the entries of all others together. */
const BASE_FACTOR = 4;

/** Writes all but the header. */
export async function mergeOnce(work: Work): Promise<Merged> {
  const base = work.areInTurn || work.range ? undefined : baseOf(work);
  return (base === undefined ? undefined : await changeBase(work, base)) ?? mergeAll(work);
}

/** The file that is much larger than all others, if its values have the type of the result. */
function baseOf({ sources, form }: Work): number | undefined {
  const all = entriesOf(sources);
  const base = sources.findIndex(
    ({ header, role }) => role !== 'removals' && header.entries >= BASE_FACTOR * (all - header.entries),
  );
  if (base < 0) return undefined;
  const { header } = sources[base]!;
  const isOfType = form.valueType === 'uint' ? header.narrowed : header.valueType === form.valueType;
  return isOfType && header.entries > 0 ? base : undefined;
}

/** Of all files together. */
function entriesOf(sources: readonly MergeSource[]): number {
  return sources.reduce((sum, { header }) => sum + header.entries, 0);
}

/**
 * Merges the others into a base, whose buckets are copied as they lie, as if the result had its shape; `undefined` if it
 * shows that it has not.
 */
async function changeBase(work: Work, base: number): Promise<Merged | undefined> {
  const { form, sources } = work;
  const { header } = sources[base]!;
  // If all strings are the base's, its indexes stay.
  const dictionary = dictionaryOf(work, strings(work, 1));
  if (dictionary !== undefined && dictionary.count !== header.dictionary!.count) return undefined;
  const shape = shapeOfFile(header);
  const layer = await Layer.start(work, shape, header.keyBytes + header.valueBytes, dictionary, base);
  const used = strings(work, 0);
  let result: { taker: CountAndWrite; counts: MergeCounts };
  try {
    result = await pass(work, base, (records) => {
      const count = new ChangeCount(records, base, form.valueType, form.shard.bits, used);
      return new CountAndWrite(count, layer.writerOf(records));
    });
  } catch (error) {
    if (error instanceof OtherForm) return undefined;
    throw error;
  }
  const { taker, counts } = result;
  const { stats, hasForm, segmentEntries } = taker.count;
  if (dictionary !== undefined) stats.largest = dictionary.count - 1;
  const other = stats.entries > 0 && hasForm ? shapeOrUndefined(work, stats) : undefined;
  if (other === undefined || !sameShape(other, shape)) return undefined;
  const { segments, ...rest } = await layer.finish(taker.writer, stats.entries);
  const places = segments.map((segment, i) => ({ ...segment, entries: segmentEntries[i]! }));
  const written = { segments: places, ...rest };
  const { longest } = taker.writer.loads;
  return { shape, stats: stats.narrowed(form.valueType), written, dictionary, counts, longest, by: 'buckets' };
}

/** Merges record by record. */
async function mergeAll(work: Work): Promise<Merged> {
  const { valueType, shard } = work.form;
  const { taker: count } = await pass(
    work,
    undefined,
    (records) => new Count(records, valueType, shard.bits, strings(work, 0)),
  );
  const { stats } = count;
  const dictionary = dictionaryOf(work, count.used);
  if (dictionary !== undefined) stats.largest = dictionary.count - 1;
  const shape = shapeFor(work, stats);
  const layer = await Layer.start(work, shape, stats.keyBytes + stats.valueBytes, dictionary, undefined);
  const { taker: writer, counts } = await pass(work, undefined, (records) => layer.writerOf(records));
  const written = await layer.finish(writer, stats.entries);
  const { longest } = writer.loads;
  return { shape, stats: stats.narrowed(valueType), written, dictionary, counts, longest, by: 'records' };
}

/** Counts and writes in one pass. */
class CountAndWrite implements MergeTaker {
  readonly count: ChangeCount;
  readonly writer: RecordWriter;

  constructor(count: ChangeCount, writer: RecordWriter) {
    this.count = count;
    this.writer = writer;
  }

  keep(source: number): void {
    this.count.keep(source);
    this.writer.keep(source);
  }

  drop(source: number): void {
    this.count.drop(source);
  }

  pass(buckets: BucketsOf): void {
    this.count.pass(buckets);
    this.writer.pass(buckets);
  }
}

/** For each file, a byte for each of its strings. */
function strings({ dictionaries, sources }: Work, used: 0 | 1): UsedStrings {
  return sources.map(({ header }, i) =>
    new Uint8Array(dictionaries[i] === undefined ? 0 : header.dictionary!.count).fill(used),
  );
}

function dictionaryOf({ form, dictionaries }: Work, used: UsedStrings): MergedDictionary | undefined {
  return form.valueType === 'enum' ? mergeDictionaries(dictionaries, used) : undefined;
}

function shapeFor({ form, options }: Work, stats: EntryStats): Shape {
  const { keyType, valueType, shard } = form;
  return shapeOfEntries(stats, valueType, options.segmentBytes, keyWidthOf(keyType), shard.bits);
}

/** {@link shapeFor} sums that know records by the segments of the base: `undefined` if the result needs more of these. */
function shapeOrUndefined(work: Work, stats: EntryStats): Shape | undefined {
  try {
    return shapeFor(work, stats);
  } catch (error) {
    if ((error as HmapError).code === 'HMAP_SEGMENT_TOO_LARGE') return undefined;
    throw error;
  }
}

function shapeOfFile(header: HashHeader): Shape {
  const { segmentBits, bucketBits, eighths, shard } = header;
  const widths = { keyWidth: header.keyWidth ?? VARIABLE, valueWidth: header.valueWidth ?? VARIABLE };
  return { segmentBits, bucketBits, eighths, shardBits: shard.bits, ...widths };
}

/** Goes through all files once. */
async function pass<T extends MergeTaker>(
  { sources, check, duplicates, output, areInTurn, range }: Work,
  base: number | undefined,
  make: (records: readonly OrderedRecords[]) => T,
): Promise<{ taker: T; counts: MergeCounts }> {
  const records = sources.map(({ fd, header, path }) => new OrderedRecords(fd, header, path, check, range));
  const bytes = sources.reduce((sum, { header }) => sum + header.index.offset, 0);
  const entries = entriesOf(sources);
  try {
    const taker = make(records);
    const pause = (position: number) => output.pause(Math.round((entries * position) / bytes));
    const task = { sources, records, duplicates, base, pause };
    return { taker, counts: await (areInTurn ? walkInTurn : walkMerged)(task, taker) };
  } finally {
    for (const each of records) each.end();
  }
}

/** The file of one pass that writes. */
class Layer {
  readonly #work: Work;
  readonly #shape: Shape;
  readonly #dictionary: MergedDictionary | undefined;
  readonly #base: number | undefined;
  readonly #bytes: number;
  readonly #target: ConstructorParameters<typeof RecordWriter>[0];
  readonly #headerBytes: number;

  private constructor(
    work: Work,
    shape: Shape,
    bytes: number,
    dictionary: MergedDictionary | undefined,
    base: number | undefined,
    hashes: Awaited<ReturnType<typeof loadChecksums>>,
  ) {
    const { form, output, options, sources } = work;
    const { fd, spill } = output;
    this.#work = work;
    this.#shape = shape;
    this.#bytes = bytes;
    this.#dictionary = dictionary;
    this.#base = base;
    const textBytes = options.metadata.length + schemaBytesOf(form.valueType).length;
    this.#headerBytes = headerSize(shape.segmentBits, textBytes);
    // The sizes of buckets take a fiftieth of the records: rather memory than a temporary file.
    const sizesLimit = Math.floor(options.memory / 4);
    this.#target = { fd, hashes, spill, sizesLimit, sums: new BlockSums(this.#headerBytes) };
    ftruncateSync(fd, 0);
    output.startWriting(entriesOf(sources));
  }

  /** @param bytes about how many the records will take */
  static async start(
    work: Work,
    shape: Shape,
    bytes: number,
    dictionary: MergedDictionary | undefined,
    base: number | undefined,
  ): Promise<Layer> {
    return new Layer(work, shape, bytes, dictionary, base, await loadChecksums());
  }

  writerOf(records: readonly OrderedRecords[]): RecordWriter {
    const { form, sources } = this.#work;
    const readBase = (offset: number, into: Uint8Array) => {
      const { path, fd } = sources[this.#base!]!;
      if (!readInto(fd, offset, into)) throw damage(path, 'it was cut short meanwhile', { offset });
    };
    const { shard } = form;
    const place = { shape: this.#shape, shard, headerBytes: this.#headerBytes, bytes: this.#bytes };
    return new RecordWriter(this.#target, place, records, this.#dictionary?.ranks, readBase);
  }

  /** Writes what follows the records. */
  async finish(writer: RecordWriter, entries: number): Promise<Merged['written']> {
    const shape = this.#shape;
    const { fd, sums, hashes, spill } = this.#target;
    let end = align(writer.end(2 ** shape.segmentBits * bucketCount(shape)));
    const section = this.#dictionary?.section;
    if (section !== undefined) {
      writeAll(fd, section, end);
      sums.take(hashes, section, end);
      end = align(end + section.length);
    }
    const task = { fd, hashes, sums, spill, turn: () => this.#work.output.pause(entries) };
    const index = await writeIndex(task, shape, [writer.finish()], end);
    const checksums = sums.finish(fd, hashes, align(index.offset + index.bytes));
    return { segments: writer.segments, index, checksums };
  }
}
