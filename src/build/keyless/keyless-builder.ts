// What building a list and building a bit array have in common: options, output, header, publication. Does not know
// elements.

import { type BlockHasher, loadChecksums } from '../../base/block-hasher.js';
import type { ByteBuffer } from '../../base/bytes.js';
import { HmapError } from '../../base/errors.js';
import { checkOptions, pathOf } from '../../base/options.js';
import { align, headerSize, MAX_SEGMENT_BITS } from '../../format/constants.js';
import type { SegmentPlace } from '../../format/header.js';
import { dataStart, type KeylessForm, keylessSegmentSize, segmentBitsFor, TAIL } from '../../format/keyless.js';
import { keylessSections } from '../../format/sections.js';
import { type KeylessParts, writeKeylessHeader } from '../../format/write-header.js';
import { BlockSums } from '../common/block-sums.js';
import type { KeylessBuildOptions } from '../common/inputs.js';
import { type BuildSummary, COMMON_OPTIONS, type ResolvedOptions, resolveCommonOptions } from '../common/options.js';
import { BuildOutput } from '../common/output.js';
import { SectionWriter } from '../common/section-writer.js';
import type { SpillFile } from '../common/spill-file.js';

export const INTEGER_SET_OPTIONS = ['layout', ...COMMON_OPTIONS] as const;

export const KEYLESS_OPTIONS = [...INTEGER_SET_OPTIONS, 'base'] as const satisfies readonly (
  | keyof KeylessBuildOptions
  | 'layout'
)[];

/** What is written, and what the header says of it. */
export interface KeylessContent {
  readonly entries: number;
  readonly duplicates: number;
  readonly valueType: KeylessParts['valueType'];
  readonly valueWidth: number;
  readonly spareBits: number;
  /** Elements of each segment that has any, in order. */
  readonly counts: readonly number[];
  /** About how many bytes all elements take. */
  readonly bytes: number;
  /**
   * Writes the index and the elements of a segment; returns how many bytes the elements take, and the entries of its
   * row.
   */
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
  protected readonly options: ResolvedOptions;
  /** The first integer; certain once there is {@link content}. */
  protected base: number;
  /** Entries of the segments that have been written. */
  protected written = 0;
  readonly #layout: 'list' | 'bits';
  readonly #form: KeylessForm;
  readonly #output: BuildOutput;

  /** @throws {TypeError} for a bad option, which it names */
  constructor(
    path: string,
    options: KeylessBuildOptions,
    layout: 'list' | 'bits',
    form: KeylessForm,
    known: readonly string[],
  ) {
    const output = pathOf(path);
    checkOptions(options, known);
    this.options = resolveCommonOptions(options);
    const { base = 0 } = options;
    if (!Number.isSafeInteger(base)) throw new TypeError(`base: expected a safe integer, got ${String(base)}`);
    // No file has a base of -0.
    this.base = base + 0;
    this.#layout = layout;
    this.#form = form;
    this.#output = new BuildOutput(output, this.options);
  }

  /** Values or integers added so far. */
  abstract get entries(): number;

  /** Adds the next value or integer. */
  abstract add(value: unknown): void;

  /** Adds the next value by its bytes, which are known to be one; only where values are `bytes` or `utf8`. */
  addBytes(_buffer: ByteBuffer, _at: number, _length: number): void {
    throw new TypeError('values here are no bytes');
  }

  /** For what does not fit in memory. */
  protected get spill(): SpillFile {
    return this.#output.spill;
  }

  /** Where the file will be: an absolute path. */
  protected get target(): string {
    return this.#output.target;
  }

  /** Makes the file in a way of its own; `undefined` if {@link content} is to be written. */
  protected async instead(): Promise<BuildSummary | undefined> {
    return undefined;
  }

  /** The content of the file, once everything has been added. */
  protected abstract content(): KeylessContent | Promise<KeylessContent>;

  /** See {@link BuildOutput.pause}. */
  pause(done: number = this.entries): Promise<void> | undefined {
    return this.#output.pause(done);
  }

  /**
   * Writes the file and puts it in its place.
   * @throws {HmapError} `HMAP_SEGMENT_TOO_LARGE`, or the system's own code
   */
  async finish(): Promise<BuildSummary> {
    return this.#output.finish(() => this.#finish());
  }

  /** Removes all that was written. */
  abandon(): void {
    this.#output.abandon();
  }

  async #finish(): Promise<BuildSummary> {
    const output = this.#output;
    const other = await this.instead();
    if (other !== undefined) {
      this.abandon();
      return { ...other, seconds: output.seconds };
    }
    const content = await this.content();
    output.startWriting(content.entries);
    const { segments, checksums, dataSize } = await this.#write(content, await loadChecksums());
    const { entries, duplicates, valueType, valueWidth, spareBits } = content;
    const header = writeKeylessHeader({
      layout: this.#layout,
      entries,
      valueBytes: dataSize,
      segmentBits: segmentBitsFor(content.counts.length),
      valueType,
      valueWidth,
      base: this.base,
      spareBits,
      segments,
      checksums,
      metadata: this.options.metadata,
    });
    await output.publish(header);
    const fileBytes = checksums.offset + checksums.bytes;
    const file = { fileBytes, headerBytes: header.length, checksums };
    const counts = segments.map((_, i) => content.counts[i] ?? 0);
    return {
      path: output.target,
      layout: this.#layout,
      entries,
      duplicates,
      valueType,
      fileBytes,
      payloadBytes: dataSize,
      seed: 0,
      sections: keylessSections(file, this.#form, counts, dataSize),
      segments: segments.length,
      bucketLoads: { buckets: 0, mean: 0, longest: 0, histogram: [] },
      spilledBytes: output.spill.size,
      seconds: output.seconds,
      synced: output.synced,
      published: output.published,
    };
  }

  async #write(content: KeylessContent, hashes: BlockHasher) {
    const form = this.#form;
    const { counts } = content;
    const segmentBits = segmentBitsFor(counts.length);
    if (segmentBits > MAX_SEGMENT_BITS) {
      const most = 2 ** MAX_SEGMENT_BITS;
      const message = `the elements take ${counts.length} segments of ${this.options.segmentBytes} bytes, the maximum is ${most}`;
      throw new HmapError('HMAP_SEGMENT_TOO_LARGE', message, { expected: most, actual: counts.length });
    }
    const { fd } = this.#output;
    const grid = headerSize(segmentBits, this.options.metadata.length);
    const sums = new BlockSums(grid);
    const section = () => new SectionWriter(fd, content.bytes, sums, hashes);
    const out: SegmentSections = { index: section(), elements: section() };
    const segments: SegmentPlace[] = [];
    let dataSize = 0;
    let offset = grid;
    for (let i = 0; i < 2 ** segmentBits; i++) {
      const count = counts[i] ?? 0;
      out.index.start(offset, 0);
      out.elements.start(offset + dataStart(form, count), 0);
      const { data, entries } = await content.write(out, i);
      if (form.kind === 'fixed') for (let at = 0; at < TAIL; at += 4) out.elements.u32(0);
      out.index.finish();
      out.elements.finish();
      const bytes = keylessSegmentSize(form, count, data);
      segments.push({ offset, bytes, entries });
      offset = align(offset + bytes);
      dataSize += data;
      this.written += entries;
      const waiting = this.pause(this.written);
      if (waiting !== undefined) await waiting;
    }
    return { segments, checksums: sums.finish(fd, hashes, offset), dataSize };
  }
}
