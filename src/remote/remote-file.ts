// One version of a remote file: its header, and the bytes of its sections, compared with their checksums or not. Knows sections;
// does not know keys or values.

import { HmapError } from '../base/errors.js';
import { BLOCK, HEADER, PAGE } from '../format/constants.js';
import { examineFields } from '../format/examine-fields.js';
import type { HashHeader, HeaderFault } from '../format/header.js';
import { checkPreamble, refuseFault } from '../format/preamble.js';
import { STRUCT_CODE } from '../format/value-types.js';
import { CellCache, Cells, type FileRange, type Grid } from './cells.js';
import { type HttpSource, joined } from './http-source.js';
import type { Stop } from './shared-work.js';
import { loadStructs } from './structs.js';
import { needSum, SumPages } from './sum-pages.js';

/** Bytes that are asked for first: most headers, and the whole of the smallest files. */
const FIRST_REQUEST = 2 * PAGE;
/** Bytes of a cell where nothing is compared: a line of the index with its neighbours, the records of a few buckets. */
const SMALL_CELL = 512;
/** Cells that are nearer than this come in one request. */
const SMALL_GAP = 2048;

export class RemoteFile {
  readonly header: HashHeader;
  readonly source: HttpSource;
  readonly #cells: Cells;
  /** Of the header, to see whether the file is still this one. */
  readonly #headerChecksum: number;

  private constructor(source: HttpSource, header: HashHeader, checksum: number, cells: Cells) {
    this.source = source;
    this.header = header;
    this.#headerChecksum = checksum;
    this.#cells = cells;
  }

  /**
   * Reads and checks the header: one request, or two where it has more than 8 KiB.
   * @param cacheBytes how many bytes of the file may be kept
   * @param check whether blocks are compared with their checksums
   * @throws {HmapError} as `openUrl` does
   */
  static async open(
    source: HttpSource,
    cacheBytes: number,
    check: 'header' | 'touch',
    signal: AbortSignal,
  ): Promise<RemoteFile> {
    const { url } = source;
    const start = await source.range(0, FIRST_REQUEST, signal);
    const size = source.total ?? Number.MAX_SAFE_INTEGER;
    const headerBytes = checkPreamble(start.subarray(0, PAGE), Math.min(size, Number.MAX_SAFE_INTEGER), url);
    const rest = headerBytes > start.length ? [await source.range(start.length, headerBytes, signal)] : [];
    const bytes = joined([start, ...rest]).subarray(0, headerBytes);
    if (bytes[HEADER.valueType] === STRUCT_CODE) await loadStructs();
    const note = (fault: HeaderFault) => refuseFault(fault, url);
    // Faults that leave no header have been thrown, and so has every other layout.
    const header = examineFields(bytes, source.total, note, (_, layout) => {
      const message = `${url}: the layout is '${layout}'; only tables by key can be read from afar`;
      throw new HmapError('HMAP_LAYOUT', message, { path: url, expected: 'hash', actual: layout });
    }) as HashHeader;
    if (check === 'header' && !source.isPinned) {
      const message = `${url}: the server gives no ETag or Last-Modified, by which a newer file would show; open it with check: 'touch'`;
      throw new HmapError('HMAP_HTTP', message, { path: url });
    }
    const cache = new CellCache(cacheBytes);
    const cells = new Cells(source, cache, check === 'touch' ? blocks(source, cache, header) : smallCells(header));
    return new RemoteFile(source, header, checksumIn(bytes), cells);
  }

  /** Bytes of ranges between the header and the checksums. As {@link Cells.read}. */
  read(ranges: readonly FileRange[], stop: Stop): Promise<Uint8Array[]> {
    return this.#cells.read(ranges, stop);
  }

  isSame(other: RemoteFile): boolean {
    return this.#headerChecksum === other.#headerChecksum && this.header.fileBytes === other.header.fileBytes;
  }

  /** Whether the server still has this file, by its header; asked where bytes do not fit. */
  async isCurrent(signal: AbortSignal): Promise<boolean> {
    const start = await this.source.range(0, PAGE, signal);
    return checksumIn(start) === this.#headerChecksum;
  }
}

function smallCells({ headerBytes, checksums }: HashHeader): Grid {
  return { from: headerBytes, end: checksums.offset, cell: SMALL_CELL, gap: SMALL_GAP };
}

function blocks(source: HttpSource, cache: CellCache, header: HashHeader): Grid {
  const { headerBytes, checksums } = header;
  const pages = new SumPages(source, cache, header);
  return {
    from: headerBytes,
    end: checksums.offset,
    cell: BLOCK,
    gap: 0,
    async prepare({ from, end }, signal) {
      const first = (from - headerBytes) / BLOCK;
      const sums = await pages.load(first, Math.ceil((end - headerBytes) / BLOCK), signal);
      return (cell, bytes) => needSum(source.url, cell, bytes, sums[(cell.from - from) / BLOCK]!, 'the bytes');
    },
  };
}

function checksumIn(header: Uint8Array): number {
  return new DataView(header.buffer, header.byteOffset).getUint32(HEADER.headerChecksum, true);
}
