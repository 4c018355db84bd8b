// Checks every rule of the format (native-notes/format.md, section 11) and reports what breaks one. Knows the order of
// things and the checksums; the other files of this folder know the rest. Does not repair anything.

import { closeSync } from 'node:fs';
import { type BlockHasher, hashPieces, loadChecksums } from '../base/block-hasher.js';
import { allocate } from '../base/bytes.js';
import { systemError } from '../base/errors.js';
import { checkOptions } from '../base/options.js';
import { Pacer } from '../base/pacer.js';
import { align, BLOCK, blockCount } from '../format/constants.js';
import type { FingerprintPlace, HashHeader, Header } from '../format/header.js';
import { countIn, dataStart, formOf } from '../format/keyless.js';
import { SUM_BYTES } from '../format/sum-tree.js';
import { mapForPass } from '../mapping/map-ranges.js';
import { PassWindow } from '../mapping/pass-window.js';
import { passAccess, QuietPass } from '../mapping/quiet-pass.js';
import { indexPlace } from '../storage/hash-segment.js';
import { LongFingerprints } from '../storage/long-fingerprints.js';
import { openForReading } from '../storage/open-file.js';
import { mappedSegments } from '../storage/scan.js';
import { DictionaryCheck } from './dictionary.js';
import { type FlippedBit, findBit } from './find-bit.js';
import { type Finding, Findings, FirstFinding } from './findings.js';
import { FingerprintOrder } from './fingerprints.js';
import { SegmentCheck } from './hash-segments.js';
import { checkHeader } from './header.js';
import { checkKeylessSegments } from './keyless-segments.js';
import { VerifyReader } from './reader.js';
import { KeyOrder } from './record-order.js';
import { hex, SumTreeCheck } from './sum-tree.js';

export interface VerifyOptions {
  /** Most findings to list; all are counted. Default 1,000. */
  limit?: number;
  /** Called up to twenty times a second with the bytes done and the bytes there are to do. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
  /**
   * For how many blocks that do not fit their checksums to look for a bit that explains it, which takes seconds for each.
   * Default 0.
   */
  findBits?: number;
}

export interface Verification {
  path: string;
  /** No rule is broken. */
  ok: boolean;
  /** At most as many as `limit`, in the order in which they were found. */
  findings: Finding[];
  /** All findings, also those beyond the limit. */
  total: number;
  /** Records that were checked. */
  entries: number;
  /** Size of the file in bytes, by its header; 0 if the header does not say. */
  fileBytes: number;
  /** What the header says of fingerprints in place of keys: their bits, and how often they mislead. */
  fingerprint?: Pick<FingerprintPlace, 'bits' | 'falsePositiveRate'>;
  seconds: number;
}

/** The result of a verification, without its time. */
export type Checked = Omit<Verification, 'seconds'>;

const READ = 16 * BLOCK;

/** See the function of this name in lazy.ts. */
export async function verify(path: string, options: VerifyOptions = {}): Promise<Verification> {
  checkOptions(options, ['limit', 'onProgress', 'signal', 'findBits']);
  const { limit = 1000, onProgress, signal, findBits = 0 } = options;
  if (!Number.isInteger(limit) || limit < 0) throw new TypeError('limit: expected an integer from 0');
  if (!Number.isInteger(findBits) || findBits < 0) throw new TypeError('findBits: expected an integer from 0');
  const started = performance.now();
  const hashes = await loadChecksums();
  const fd = openForReading(path);
  try {
    const check = new Check(fd, path, hashes, limit, QuietPass.over(fd), findBits);
    const pacer = new Pacer(signal, (done) => onProgress?.(done, check.total));
    for (const done of check.steps()) {
      const turn = pacer.pause(done);
      if (turn !== undefined) await turn;
    }
    return { ...check.result, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    throw systemError(error, 'read', path);
  } finally {
    closeSync(fd);
  }
}

/**
 * A verification in steps, for a caller that sets the pace, or cannot wait. Yields the bytes that are done, of about
 * twice as many as the file has: it is read twice. To stop early, return from it (a `for` does): that unmaps the file.
 * @param fd the open file; it stays open
 * @param limit most findings to list
 * @throws what the operating system throws if a file that could be read once cannot be read again
 */
export function* verifySteps(
  fd: number,
  path: string,
  hashes: BlockHasher,
  limit: number,
): Generator<number, Checked, void> {
  const check = new Check(fd, path, hashes, limit, undefined);
  yield* check.steps();
  return check.result;
}

/** {@link verifySteps} up to the first finding, which it gives; `undefined` if there is none. */
export function* firstFinding(
  fd: number,
  path: string,
  hashes: BlockHasher,
): Generator<number, Finding | undefined, void> {
  try {
    yield* new Check(fd, path, hashes, 'first', undefined).steps();
    return undefined;
  } catch (error) {
    if (!(error instanceof FirstFinding)) throw error;
    return error.finding;
  }
}

class Check {
  readonly #fd: number;
  readonly #path: string;
  readonly #findings: Findings;
  readonly #reader: VerifyReader;
  readonly #hashes: BlockHasher;
  readonly #quiet: QuietPass | undefined;
  #header: Header | undefined;
  #entries = 0;
  /** Blocks for which a flipped bit is still looked for. */
  #findBits: number;

  /** @param quiet without it, what was read stays in the system's cache */
  constructor(
    fd: number,
    path: string,
    hashes: BlockHasher,
    limit: number | 'first',
    quiet: QuietPass | undefined,
    findBits = 0,
  ) {
    this.#findBits = findBits;
    this.#fd = fd;
    this.#path = path;
    this.#findings = new Findings(limit);
    this.#reader = new VerifyReader(fd, path, this.#findings);
    this.#hashes = hashes;
    this.#quiet = quiet;
  }

  /** Bytes to be done; known from the first step on. */
  get total(): number {
    return 2 * (this.#header?.checksums.offset ?? 0);
  }

  get result(): Checked {
    const { list, total } = this.#findings;
    const place = this.#header?.fingerprint ?? null;
    const fingerprint = place && { bits: place.bits, falsePositiveRate: place.falsePositiveRate };
    return {
      path: this.#path,
      ok: total === 0,
      findings: list,
      total,
      entries: this.#entries,
      fileBytes: this.#header?.fileBytes ?? 0,
      ...(fingerprint === null ? {} : { fingerprint }),
    };
  }

  *steps(): Generator<number, void> {
    const header = checkHeader(this.#fd, this.#path, this.#reader, this.#findings);
    if (header === undefined) return;
    this.#header = header;
    yield* this.#checkSums(header);
    if (header.layout === 'hash') yield* this.#checkSegments(header);
    else
      this.#entries = yield* checkKeylessSegments(
        this.#fd,
        this.#path,
        header,
        this.#reader,
        this.#findings,
        this.#quiet,
      );
  }

  *#checkSums(header: Header): Generator<number, void> {
    const { headerBytes, checksums } = header;
    const size = SUM_BYTES * blockCount(headerBytes, checksums.offset);
    // A sparse file can claim any size at no cost.
    const computed = allocate(
      size,
      () => Buffer.alloc(size),
      (reason) => `${this.#path}: the checksums cannot be held in memory: ${reason}`,
      { path: this.#path },
    );
    const tree = new SumTreeCheck(header, this.#reader, this.#findings, this.#hashes);
    const window = new PassWindow(headerBytes, checksums.offset - headerBytes, undefined, this.#quiet);
    try {
      for (let offset = headerBytes; offset < checksums.offset; offset += READ) {
        const length = Math.min(READ, checksums.offset - offset);
        window.reach(offset - headerBytes);
        this.#sumPiece(header, offset, length, tree, computed);
        yield offset + length;
      }
    } finally {
      window.end();
    }
    yield* this.#compareSums(header, tree.compare(computed), computed);
  }

  /** Puts the sums of the blocks from `offset` on into `computed`; for a block that cannot be read, the stored one. */
  #sumPiece(header: Header, offset: number, length: number, tree: SumTreeCheck, computed: Buffer): void {
    const bytes = this.#reader.attempt(offset, length);
    let at = SUM_BYTES * ((offset - header.headerBytes) / BLOCK);
    if (bytes !== undefined) {
      hashPieces(this.#hashes, bytes, BLOCK).copy(computed, at);
      return;
    }
    for (let start = offset; start < offset + length; start += BLOCK) {
      const block = this.#reader.read(start, Math.min(BLOCK, offset + length - start), sectionAt(header, start));
      if (block !== undefined) computed.writeBigUInt64LE(this.#hashes.h64Raw(block), at);
      else tree.copyStored(computed, at);
      at += SUM_BYTES;
    }
  }

  /** @param expected what the checksum of a block should be, by its place; `undefined` if that is not known */
  *#compareSums(
    header: Header,
    expected: (at: number) => bigint | undefined,
    computed: Buffer,
  ): Generator<number, void> {
    const { headerBytes, checksums } = header;
    for (let at = 0; at < computed.length; at += SUM_BYTES) {
      const says = expected(at);
      const is = computed.readBigUInt64LE(at);
      if (says === undefined || says === is) continue;
      const start = headerBytes + (at / SUM_BYTES) * BLOCK;
      const end = Math.min(start + BLOCK, checksums.offset);
      const message = `the checksum of the bytes [${start}, ${end}) is ${hex(is)}, the file says ${hex(says)}`;
      const bit = yield* this.#findBit(header, start, end, says);
      const why = bit && `; it fits if bit ${bit.bit} of byte ${bit.offset} is flipped`;
      this.#findings.add('HMAP_BLOCK_CHECKSUM', sectionAt(header, start), start, end, `${message}${why ?? ''}`, bit);
    }
  }

  /** The one bit that explains the checksum of a block, if it is looked for and there is one. */
  *#findBit(header: Header, start: number, end: number, says: bigint): Generator<number, FlippedBit | undefined> {
    if (this.#findBits === 0) return undefined;
    const block = this.#reader.attempt(start, end - start);
    if (block === undefined) return undefined;
    this.#findBits--;
    const search = findBit(block, start, says, this.#hashes);
    for (;;) {
      const next = search.next();
      if (next.done) return next.value;
      yield header.checksums.offset;
    }
  }

  *#checkSegments(header: HashHeader): Generator<number, void> {
    const dictionary = header.dictionary === null ? undefined : new DictionaryCheck(header, this.#findings);
    const long = this.#mapLong(header);
    const fingerprints =
      header.fingerprint === null ? undefined : new FingerprintOrder(header, this.#findings, long?.rows);
    const order = fingerprints ?? new KeyOrder(header, this.#findings);
    const check = new SegmentCheck(header, this.#findings, order, dictionary?.isIndex);
    try {
      yield* this.#scanSegments(header, check);
      // Otherwise it is not known which records need one.
      if (check.complete) fingerprints?.finish();
    } finally {
      long?.close();
    }
    const indexEnd = header.index.offset + header.index.bytes;
    this.#reader.checkGap(indexEnd, align(indexEnd));
    this.#entries = check.entries;
    check.checkTotals();
    if (dictionary === undefined) return;
    for (const done of dictionary.check(this.#fd, this.#path, this.#reader, check.complete, this.#quiet)) {
      yield header.checksums.offset + done;
    }
  }

  /** The long fingerprints, if there are any and they can be read. */
  #mapLong({ headerBytes, fingerprint }: HashHeader): { rows: LongFingerprints; close(): void } | undefined {
    if (fingerprint === null) return undefined;
    const { offset, bytes } = fingerprint.long;
    if (bytes === 0) return { rows: new LongFingerprints(new Uint8Array(0), { headerBytes }, fingerprint), close() {} };
    if (!this.#reader.isReadable(offset, offset + bytes)) return undefined;
    const trace = this.#quiet?.note(offset, bytes);
    const mapping = mapForPass(this.#fd, { offset, length: bytes }, this.#path, passAccess(this.#quiet));
    const rows = new LongFingerprints(mapping.view(0), { headerBytes }, fingerprint);
    const close = (): void => {
      mapping.close();
      trace?.drop();
    };
    return { rows, close };
  }

  *#scanSegments(header: HashHeader, check: SegmentCheck): Generator<number, void> {
    for (const [index, place] of header.segments.entries()) {
      const end = place.offset + place.bytes;
      const lines = indexPlace(header, index);
      // To touch a page of a mapping that cannot be read would end the process.
      const readable =
        this.#reader.isReadable(place.offset, end) && this.#reader.isReadable(lines.offset, lines.offset + lines.bytes);
      if (readable) {
        for (const { segment, reach } of mappedSegments(this.#fd, header, this.#path, 'none', this.#quiet, [index])) {
          reach(0);
          for (const done of check.check(segment)) {
            reach(done);
            yield header.checksums.offset + segment.heapOffset + done;
          }
        }
      } else {
        check.skip();
      }
      this.#reader.checkGap(end, align(end));
    }
  }
}

/** The section in which a block begins. */
function sectionAt(header: Header, offset: number): 'buckets' | 'heap' | 'dictionary' | 'fingerprints' {
  const { segments, dictionary, fingerprint } = header;
  if (header.layout === 'hash') {
    if (offset >= header.index.offset) return 'buckets';
    if (fingerprint !== null && offset >= fingerprint.long.offset) return 'fingerprints';
    return dictionary !== null && offset >= dictionary.offset ? 'dictionary' : 'heap';
  }
  const number = segments.findLastIndex((place) => place.offset <= offset);
  const start = dataStart(formOf(header), countIn(number, header.perSegment, header.length));
  return offset < segments[number]!.offset + start ? 'buckets' : 'heap';
}
