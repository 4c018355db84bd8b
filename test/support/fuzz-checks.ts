// Tries one damaged file in every way that there is, and holds what comes back to what may come back. Knows the public methods and the
// answers of the whole file; does not know what was done to the file.

import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Check,
  inspectBucket,
  inspectKey,
  type Key,
  open,
  stat,
  type Table,
  type Verification,
  verify,
} from '../../src/index.js';
import { FORMATS } from '../../tools/formats/format.js';
import { ReferenceReader } from '../reference-reader.js';
import type { Input } from './fuzz-damage.js';
import { askKeys, attempt, DAMAGE, damageFor, Truth, walkThrough } from './fuzz-questions.js';
import { PAGE, type Sample } from './fuzz-samples.js';
import { type Counts, codeOf, fail, INPUT_REFUSALS, noCounts, same, show, Wrong } from './fuzz-verdict.js';
import { WORKING } from './mappings.js';
import type { Random } from './random.js';
import { dumpOf, piecesOf, readFrom } from './tools.js';

const CHECKS: readonly Check[] = ['header', 'touch', 'full'];

/** What a file may be refused with when it is opened. */
const REFUSALS = [
  'HMAP_NOT_A_TABLE',
  'HMAP_TEXT_DAMAGE',
  'HMAP_VERSION',
  'HMAP_FEATURE',
  'HMAP_HEADER_CHECKSUM',
  'HMAP_HEADER_FIELD',
  'HMAP_TRUNCATED',
  'HMAP_TOO_LONG',
];

/** Tries files; keeps the counts over all of them. */
export class Trial {
  readonly counts: Counts = noCounts();
  readonly #samples: readonly Sample[];
  readonly #path: string;
  readonly #live: string;
  /** Whether what the file answers must be what the whole one does, unless it is an error. */
  readonly #strict: boolean;
  readonly #dumps = new Map<string, Buffer | undefined>();

  constructor(folder: string, samples: readonly Sample[], strict: boolean) {
    this.#path = join(folder, 'input.hmap');
    this.#live = join(folder, 'live.hmap');
    this.#samples = samples;
    this.#strict = strict;
  }

  /** @throws what is not as it must be */
  async run(input: Input, random: Random): Promise<void> {
    this.counts.inputs++;
    // A new file each time: to write an old one anew would wait for the disk.
    rmSync(this.#path, { force: true });
    writeFileSync(this.#path, input.bytes);
    const verified = await this.#verify(input, random);
    const truth = new Truth(input.bytes);
    for (const check of CHECKS) this.#open(check, input, random, verified, truth);
    await this.#measure(input, verified);
    this.#inspect(input, random, verified);
    if (random.below(3) === 0) await this.#dump(input, random);
    // Last, since it takes the file away.
    if (random.below(4) === 0) this.#reload(input, random, verified);
  }

  async #verify(input: Input, random: Random): Promise<Verification> {
    const result = await verify(this.#path);
    const { findings, total, ok } = result;
    this.counts.verified++;
    if (ok !== (total === 0) || findings.length !== Math.min(total, 1000))
      fail(`verify: ${total} findings, ok is ${ok}`);
    // Twice, where offsets fall.
    if (result.entries > 2 * input.bytes.length)
      fail(`verify: ${result.entries} records in ${input.bytes.length} bytes`);
    // Each record, offset and gap may break a rule or three.
    if (total > 4 * input.bytes.length + 100) fail(`verify: ${total} findings in ${input.bytes.length} bytes`);
    for (const { code, message, offset } of findings) {
      const fits = /^HMAP_[A-Z_]+$/.test(code) && /^\P{Cc}{8,1000}$/u.test(message);
      if (!fits || !(offset >= 0 && offset <= Math.max(input.bytes.length, PAGE))) {
        fail(`verify: the finding ${JSON.stringify({ code, message, offset })}`);
      }
    }
    if (ok) this.counts.whole++;
    if (this.#strict) {
      const known = this.#samples.some(({ bytes }) => bytes.equals(input.bytes));
      if (ok !== known) fail(`verify: ok is ${ok}, and the file ${known ? 'is' : 'is not'} one of the whole ones`);
    } else if (ok || random.below(100) === 0) {
      const problem = referenceProblem(input.bytes);
      if (ok && problem !== undefined) fail(`verify finds nothing, the reference reader: ${problem}`);
      // The reference reader does not count the records of a bucket.
      if (!ok && problem === undefined && findings.some(({ code }) => code !== 'HMAP_BUCKET_LOAD')) {
        fail(`verify: ${findings[0]!.message}; the reference reader finds nothing`);
      }
    }
    return result;
  }

  #open(check: Check, { of }: Input, random: Random, verified: Verification, truth: Truth): void {
    const mapping = random.pick(WORKING);
    const full = check === 'full';
    const bytes = random.below(2) === 0 || !of.strings;
    const what = `open, ${check}, ${mapping}`;
    let table: Table<unknown, Key> | undefined;
    const { code } = attempt(this.counts, what, full ? [...REFUSALS, ...DAMAGE] : REFUSALS, () => {
      table = open(this.#path, { check, mapping, key: bytes ? 'bytes' : 'string' }) as Table<unknown, Key>;
    });
    if (code !== undefined && code !== 'HMAP_DAMAGED' && !verified.findings.some((finding) => finding.code === code)) {
      fail(`${what}: ${code}, which verify has not found`);
    }
    if (code !== 'HMAP_DAMAGED' && !truth.opensWith(code)) {
      fail(`${what}: ${code ?? 'opened'}, the reference reader: ${truth.refusal ?? 'opened'}`);
    }
    if (full && (code === undefined) !== verified.ok) fail(`${what}: ${code}, verify: ${verified.ok}`);
    if (table === undefined) return;
    if (check === 'header') this.counts.opened++;
    try {
      const strict = this.#strict && (check === 'touch' || full);
      const situation = { of, random, counts: this.counts, check, strict, whole: verified.ok, truth };
      askKeys(table, situation, 6);
      walkThrough(table, situation);
      // With more of the blocks known, or all of them.
      askKeys(table, situation, 2);
      table.residentBytes();
    } finally {
      table.close();
    }
  }

  async #measure({ of }: Input, verified: Verification): Promise<void> {
    try {
      const { entries, payloadBytes, header, fileBytes, sections } = await stat(this.#path);
      this.counts.answers++;
      const sum = Object.values(sections).reduce((a, b) => a + b, 0);
      if (sum !== fileBytes) fail(`stat: sections of ${sum} bytes in a file of ${fileBytes}`);
      const right = of.answers.length;
      if (this.#strict && (entries !== right || payloadBytes !== header.keyBytes + header.valueBytes)) {
        fail(`stat: ${entries} entries of ${payloadBytes} bytes, not ${right}`);
      }
    } catch (error) {
      if (error instanceof Wrong) throw error;
      this.counts.refusals++;
      const code = codeOf(error, 'stat', [...REFUSALS, ...damageFor(this.#strict, 'touch')]);
      if (verified.ok) fail(`stat: ${code} in a file that is whole`);
    }
  }

  /** Records by themselves: without a look at the checksums, so that what they show may be wrong. */
  #inspect({ of }: Input, random: Random, verified: Verification): void {
    const codes = verified.ok ? [] : [...REFUSALS, ...DAMAGE];
    const bucket = random.below(2 ** (of.header.segmentBits + of.header.bucketBits));
    attempt(this.counts, 'inspectBucket', [...codes, 'RangeError of bucket'], () => inspectBucket(this.#path, bucket));
    const answer = of.answers.length > 0 ? random.pick(of.answers) : undefined;
    for (const key of [answer?.key ?? '', of.absent[0]!]) {
      const reply = attempt(this.counts, 'inspectKey', codes, () => inspectKey(this.#path, key).record);
      if (reply.code !== undefined || reply.value === undefined) continue;
      const record = reply.value as { key: Uint8Array };
      if (!same(Buffer.from(record.key), Buffer.from(key as string))) fail(`inspectKey: a record of another key`);
    }
  }

  /** As `hmap dump` does; what it prints is read again. */
  async #dump({ of }: Input, random: Random): Promise<void> {
    const format = random.pick(FORMATS);
    const check = random.pick(['none', 'touch', 'touch'] as const);
    this.counts.dumps++;
    let dump: Buffer;
    try {
      dump = await dumpOf(this.#path, format, check);
      this.counts.answers++;
    } catch (error) {
      this.counts.refusals++;
      const damage = damageFor(this.#strict, check);
      codeOf(error, `dump as ${format}, ${check}`, [...REFUSALS, ...damage, 'HMAP_NOT_REPRESENTABLE']);
      return;
    }
    if (this.#strict && check === 'touch') {
      const right = await this.#dumpOfWhole(of, format);
      if (right === undefined || !right.equals(dump)) fail(`dump as ${format}: not that of the whole file`);
      return;
    }
    try {
      await readFrom(format, piecesOf(dump, 4096), format === 'lines' ? 'none' : of.valueType);
    } catch (error) {
      codeOf(error, `reading a dump as ${format}`, INPUT_REFUSALS);
    }
  }

  async #dumpOfWhole(of: Sample, format: (typeof FORMATS)[number]): Promise<Buffer | undefined> {
    const id = `${format} ${of.name}`;
    if (!this.#dumps.has(id)) this.#dumps.set(id, await dumpOf(of.path, format, 'none').catch(() => undefined));
    return this.#dumps.get(id);
  }

  /** A table that takes the file up in place of a whole one, with a walk of the whole one under way. */
  #reload(input: Input, random: Random, verified: Verification): void {
    const { of } = input;
    rmSync(this.#live, { force: true });
    linkSync(of.path, this.#live);
    const mapping = random.pick(WORKING);
    const table = open(this.#live, { mapping, key: 'bytes' });
    try {
      const walk = table.entries();
      const first = walk.next();
      rmSync(this.#live);
      renameSync(this.#path, this.#live);
      const reply = attempt(this.counts, 'reload', [...REFUSALS, 'HMAP_VALUE_TYPE'], () => table.reload());
      if (reply.code === undefined) {
        this.counts.reloads++;
        const { counts } = this;
        const truth = new Truth(input.bytes);
        askKeys(table, { of, random, counts, check: 'touch', strict: this.#strict, whole: verified.ok, truth }, 4);
      }
      let steps = first.done ? 0 : 1;
      for (const [key] of walk) {
        if (!same(key, Uint8Array.from(of.answers[steps++]!.key))) fail(`a walk over the old version: step ${steps}`);
      }
      if (steps !== of.answers.length) fail(`a walk over the old version: ${steps} steps`);
      // Refused, the table stays what it was.
      for (const { key, value } of reply.code === undefined ? [] : of.answers.slice(0, 3)) {
        if (!same(table.get(key), value)) fail(`after a reload that was refused: another value of ${show(key)}`);
      }
    } finally {
      table.close();
    }
  }
}

function referenceProblem(bytes: Buffer): string | undefined {
  try {
    return new ReferenceReader(bytes).check()[0];
  } catch (error) {
    return (error as Error).message;
  }
}
