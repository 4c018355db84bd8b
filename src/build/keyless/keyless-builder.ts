// What building a list and building a bit array have in common: options, output, header, publication. Does not know elements.

import { type BlockHasher, loadChecksums } from '../../base/block-hasher.js';
import { HmapError, systemError } from '../../base/errors.js';
import { writeAll } from '../../base/fs.js';
import { checkOptions, checkPath } from '../../base/options.js';
import { Pacer } from '../../base/pacer.js';
import { alignToPage, headerSize, MAX_WRITTEN_SEGMENT_BITS } from '../../format/constants.js';
import type { SegmentPlace } from '../../format/header.js';
import { dataStart, indexBytes, type KeylessForm, segmentBitsFor, TAIL } from '../../format/keyless.js';
import { type HeaderParts, writeHeader } from '../../format/write-header.js';
import { BlockSums, type WrittenSums } from '../common/block-sums.js';
import { type BuildProgress, type BuildSummary, type CommonOptions, resolveCommonOptions } from '../common/options.js';
import { Publication } from '../common/publication.js';
import { SectionWriter } from '../common/section-writer.js';
import { SpillFile } from '../common/spill-file.js';

/** Common options of layouts without keys. */
export interface KeylessBuildOptions extends CommonOptions {
  /** The first integer; default 0. */
  base?: number;
}

export const COMMON_OPTIONS = [
  'layout',
  'memory',
  'metadata',
  'overwrite',
  'segmentBytes',
  'onProgress',
  'signal',
] as const satisfies readonly (keyof CommonOptions | 'layout')[];

export const KEYLESS_OPTIONS = [...COMMON_OPTIONS, 'base'] as const satisfies readonly (
  | keyof KeylessBuildOptions
  | 'layout'
)[];

/** What is written, and what the header says of it. */
export interface KeylessContent {
  readonly entries: number;
  readonly duplicates: number;
  readonly valueType: HeaderParts['valueType'];
  readonly valueWidth: number;
  readonly spareBits: number;
  /** Elements of each segment that has any, in order. */
  readonly counts: readonly number[];
  /** About how many bytes all elements take. */
  readonly bytes: number;
  /** Writes the index and the elements of a segment; returns how many bytes the elements take, and the entries of its row. */
  write(
    out: SegmentSections,
    segment: number,
  ): { data: number; entries: number } | Promise<{ data: number; entries: number }>;
}

/** Where the parts of a segment go. */
export interface SegmentSections {
  /** The offsets or counts. */
  readonly index: SectionWriter;
  readonly elements: SectionWriter;
}

/** Every path ends with {@link finish} or {@link abandon}. */
export abstract class KeylessBuilder {
  protected readonly options: ReturnType<typeof resolveCommonOptions>;
  /** The first integer; settled at the latest when there is {@link content}. */
  protected base: number;
  protected readonly spill: SpillFile;
  readonly #layout: 'list' | 'bits';
  readonly #form: KeylessForm;
  readonly #started = performance.now();
  readonly #publication: Publication;
  readonly #pacer: Pacer;
  #phase: BuildProgress['phase'] = 'read';
  protected total = 0;
  /** Entries of the segments that are written. */
  protected written = 0;

  /** @throws {TypeError} for a bad option, which it names */
  constructor(
    path: string,
    options: KeylessBuildOptions,
    layout: 'list' | 'bits',
    form: KeylessForm,
    known: readonly string[],
  ) {
    checkPath(path);
    checkOptions(options, known);
    this.options = resolveCommonOptions(options);
    const { base = 0 } = options;
    if (!Number.isSafeInteger(base)) throw new TypeError(`base: expected a safe integer, got ${String(base)}`);
    // No file has a base of -0.
    this.base = base + 0;
    this.#layout = layout;
    this.#form = form;
    const { signal, overwrite, onProgress } = this.options;
    signal?.throwIfAborted();
    this.#publication = new Publication(path, overwrite);
    this.spill = new SpillFile(`${this.#publication.temporary}.spill`);
    this.#pacer = new Pacer(signal, (entries) => {
      const phase = this.#phase;
      onProgress?.(phase === 'read' ? { phase, entries } : { phase, entries, total: this.total });
    });
  }

  /** Values or integers added so far. */
  abstract get entries(): number;

  /** Adds what comes next. */
  abstract add(value: unknown): void;

  /** Where the file will be: an absolute path. */
  protected get target(): string {
    return this.#publication.target;
  }

  /** Makes the file of what was added in a way of its own; `undefined` where {@link content} is to be written. */
  protected async instead(): Promise<BuildSummary | undefined> {
    return undefined;
  }

  /** What all that was added makes. */
  protected abstract content(): KeylessContent | Promise<KeylessContent>;

  /** Reports progress, and gives other work a turn where the last one was a while ago. Throws the signal's reason once it is aborted. */
  pause(done: number = this.entries): Promise<void> | undefined {
    return this.#pacer.pause(done);
  }

  /**
   * Writes the file and puts it in its place.
   * @throws {HmapError} `HMAP_SEGMENT_TOO_LARGE`, or the system's own code
   */
  async finish(): Promise<BuildSummary> {
    try {
      return await this.#finish();
    } catch (error) {
      throw systemError(error, 'write', this.#publication.target);
    }
  }

  /** Removes all that was written. */
  abandon(): void {
    this.spill.close();
    this.#publication.abandon();
  }

  async #finish(): Promise<BuildSummary> {
    const { metadata, signal } = this.options;
    const { fd } = this.#publication;
    const seconds = () => (performance.now() - this.#started) / 1000;
    const other = await this.instead();
    if (other !== undefined) {
      this.abandon();
      return { ...other, seconds: seconds() };
    }
    const content = await this.content();
    this.#phase = 'write';
    this.total = content.entries;
    const hashes = await loadChecksums();
    const { segments, checksums, sections } = await this.#write(content, hashes, fd);
    const values = sections.heap;
    const header = writeHeader({
      entries: content.entries,
      keyBytes: 0,
      valueBytes: values,
      seed: 0,
      segmentBits: segmentBitsFor(content.counts.length),
      bucketBits: 0,
      keyType: 'bytes',
      valueType: content.valueType,
      plain: { layout: this.#layout, base: this.base, spareBits: content.spareBits },
      keyWidth: 0,
      valueWidth: content.valueWidth,
      segments,
      checksums,
      metadata,
    });
    writeAll(fd, header, 0);
    const synced = this.#publication.sync();
    this.spill.close();
    await synced;
    signal?.throwIfAborted();
    this.#publication.publish();
    const fileBytes = checksums.offset + checksums.bytes;
    return {
      path: this.#publication.target,
      layout: this.#layout,
      entries: content.entries,
      duplicates: content.duplicates,
      valueType: content.valueType,
      fileBytes,
      payloadBytes: values,
      seed: 0,
      sections: {
        header: header.length,
        buckets: sections.index,
        heap: values,
        dictionary: 0,
        checksums: checksums.bytes,
        padding: fileBytes - header.length - sections.index - values - checksums.bytes,
      },
      segments: segments.length,
      bucketLoads: { buckets: 0, mean: 0, longest: 0, histogram: [] },
      spilledBytes: this.spill.size,
      seconds: seconds(),
    };
  }

  async #write(content: KeylessContent, hashes: BlockHasher, fd: number) {
    const form = this.#form;
    const { counts } = content;
    const segmentBits = segmentBitsFor(counts.length);
    if (segmentBits > MAX_WRITTEN_SEGMENT_BITS) {
      const most = 2 ** MAX_WRITTEN_SEGMENT_BITS;
      const message = `the elements take ${counts.length} segments of ${this.options.segmentBytes} bytes, the most is ${most}`;
      throw new HmapError('HMAP_SEGMENT_TOO_LARGE', message, { expected: most, actual: counts.length });
    }
    const grid = headerSize(segmentBits, this.options.metadata.length);
    const sums = new BlockSums(grid);
    const section = () => new SectionWriter(fd, content.bytes, sums, hashes);
    const out: SegmentSections = { index: section(), elements: section() };
    const segments: SegmentPlace[] = [];
    const sections = { index: 0, heap: 0 };
    let offset = grid;
    for (let i = 0; i < 2 ** segmentBits; i++) {
      const count = counts[i] ?? 0;
      const start = dataStart(form, count);
      out.index.start(offset, 0);
      out.elements.start(offset + start, 0);
      const { data, entries } = await content.write(out, i);
      if (form.kind === 'fixed') for (let at = 0; at < TAIL; at += 4) out.elements.u32(0);
      out.index.finish();
      out.elements.finish();
      const bytes = start + data + (form.kind === 'fixed' ? TAIL : 0);
      segments.push({ offset, bytes, entries });
      offset = alignToPage(offset + bytes);
      sections.index += indexBytes(form, count);
      sections.heap += data;
      this.written += entries;
      const waiting = this.pause(this.written);
      if (waiting !== undefined) await waiting;
    }
    const checksums: WrittenSums = sums.finish(fd, hashes, offset);
    return { segments, checksums, sections };
  }
}
