// Tries one damaged file in every way that there is, and holds what comes back to what may come back. Knows the public
// methods and the answers of the whole file; does not know what was done to the file.

import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AnyKey,
  type Check,
  inspectBucket,
  inspectKey,
  type Layout,
  type List,
  open,
  stat,
  type Table,
  type Verification,
  verify,
} from '../../src/index.js';
import { FORMATS } from '../../tools/formats/format.js';
import { ReferenceKeyless } from '../conformance/reference-keyless.js';
import { ReferenceReader } from '../conformance/reference-reader.js';
import { WORKING } from '../support/mappings.js';
import type { Random } from '../support/random.js';
import { KEY_TYPES } from '../support/raw-table.js';
import { dumpOf, piecesOf, readFrom, readKeylessFrom } from '../support/tools.js';
import type { Input } from './fuzz-damage.js';
import { askKeyless, walkKeyless } from './fuzz-keyless-questions.js';
import { askKeys, askMisfits, attempt, DAMAGE, damageFor, type Situation, walkThrough } from './fuzz-questions.js';
import {
  FORMS,
  type Form,
  type KeylessSample,
  keyOfBytes,
  PAGE,
  type Sample,
  type TableSample,
} from './fuzz-samples.js';
import { Truth } from './fuzz-truth.js';
import { type Counts, codeOf, fail, INPUT_REFUSALS, noCounts, same, show, Wrong } from './fuzz-verdict.js';

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

/** Bytes of a dump that is read again. */
const MOST_READ = 2 ** 20;

type Opened = Table<unknown, AnyKey> | List;

/** What is known of a file that can be opened in any of the ways. */
type AnySituation = Omit<Situation<Sample>, 'bytes'>;

/** Tries files; keeps the counts over all of them, by the form of the file that each was made of. */
export class Trial {
  readonly forms = Object.fromEntries(FORMS.map((form) => [form, noCounts()])) as Record<Form, Counts>;
  #counts: Counts = noCounts();
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
    this.#counts = this.forms[input.of.form];
    this.#counts.inputs++;
    // A new file each time: to write an old one anew would wait for the disk.
    rmSync(this.#path, { force: true });
    writeFileSync(this.#path, input.bytes);
    const verified = await this.#verify(input, random);
    const truth = new Truth(input.bytes);
    for (const check of CHECKS) this.#open(check, input, random, verified, truth);
    await this.#measure(input, verified);
    if (truth.layout === 'hash' && !truth.fingerprint) this.#inspect(input, random, verified);
    else this.#inspectKeyless(verified);
    if (random.below(3) === 0) await this.#dump(input, random);
    // Last, since it takes the file away.
    if (random.below(3) === 0) this.#reload(input, random, verified);
  }

  async #verify(input: Input, random: Random): Promise<Verification> {
    const result = await verify(this.#path);
    const { findings, total, ok } = result;
    this.#counts.verified++;
    if (ok !== (total === 0) || findings.length !== Math.min(total, 1000))
      fail(`verify: ${total} findings, ok is ${ok}`);
    // Twice, where offsets fall; one bit each, in a list.
    if (result.entries > 8 * input.bytes.length)
      fail(`verify: ${result.entries} records in ${input.bytes.length} bytes`);
    // Each record, offset and gap may break a rule or three.
    if (total > 4 * input.bytes.length + 100) fail(`verify: ${total} findings in ${input.bytes.length} bytes`);
    for (const { code, message, offset } of findings) {
      const fits = /^HMAP_[A-Z_]+$/.test(code) && /^\P{Cc}{8,1000}$/u.test(message);
      if (!fits || !(offset >= 0 && offset <= Math.max(input.bytes.length, PAGE))) {
        fail(`verify: the finding ${JSON.stringify({ code, message, offset })}`);
      }
    }
    if (ok) this.#counts.whole++;
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
    const warm = random.pick(['none', 'none', 'buckets', 'all'] as const);
    const full = check === 'full';
    const { layout, fingerprint } = truth;
    const bytes = layout === 'hash' && (random.below(2) === 0 || !(of as TableSample).strings);
    const what = `open, ${check}, ${mapping}`;
    let opened: Opened | undefined;
    const { code } = attempt(this.#counts, what, full ? [...REFUSALS, ...DAMAGE] : REFUSALS, () => {
      opened = openAs(this.#path, layout, { check, mapping, warm, fingerprint, ...(bytes && { key: 'bytes' }) });
    });
    if (code !== undefined && code !== 'HMAP_DAMAGED' && !verified.findings.some((finding) => finding.code === code)) {
      fail(`${what}: ${code}, which verify has not found`);
    }
    if (code !== 'HMAP_DAMAGED' && !truth.opensWith(code)) {
      fail(`${what}: ${code ?? 'opened'}, the reference reader: ${truth.refusal ?? 'opened'}`);
    }
    if (full && (code === undefined) !== verified.ok) fail(`${what}: ${code}, verify: ${verified.ok}`);
    if (opened === undefined) return;
    if (check === 'header') this.#counts.opened++;
    try {
      const strict = this.#strict && (check === 'touch' || full);
      const counts = this.#counts;
      const situation = { of: this.#like(of, layout), random, counts, check, strict, whole: verified.ok, truth };
      ask(opened, situation, bytes, 6);
      walk(opened, situation, bytes);
      // With more of the blocks known, or all of them.
      ask(opened, situation, bytes, 2);
      if (isTable(opened)) askMisfits(opened, { ...(situation as Situation), bytes });
      opened.residentBytes();
    } finally {
      opened.close();
    }
    if (check === 'touch') this.#openOtherwise(layout, fingerprint);
  }

  /** A file that can be opened, as what it is not. */
  #openOtherwise(layout: Layout, fingerprint: boolean): void {
    if (layout === 'hash') {
      const wrong = { fingerprint: !fingerprint };
      const open = () => openAs(this.#path, layout, wrong);
      const { code } = attempt(this.#counts, 'open as the other kind', ['HMAP_FINGERPRINT'], open);
      if (code === undefined) fail(`opened with ${JSON.stringify(wrong)}`);
    }
    for (const other of ['hash', 'list', 'bits'] as const) {
      if (other === layout) continue;
      const { code } = attempt(this.#counts, `open as ${other}`, ['HMAP_LAYOUT'], () => openAs(this.#path, other, {}));
      if (code === undefined) fail(`opened as ${other}, its layout is ${layout}`);
    }
  }

  /** The sample itself; where it is of another layout than what the file has become, one that can be asked about. */
  #like(of: Sample, layout: Layout): Sample {
    return of.layout === layout ? of : this.#samples.find((sample) => sample.layout === layout)!;
  }

  async #measure({ of }: Input, verified: Verification): Promise<void> {
    try {
      const { entries, payloadBytes, header, fileBytes, sections } = await stat(this.#path);
      this.#counts.answers++;
      const sum = Object.values(sections).reduce((a, b) => a + b, 0);
      if (sum !== fileBytes) fail(`stat: sections of ${sum} bytes in a file of ${fileBytes}`);
      if (this.#strict && (entries !== of.entries || payloadBytes !== header.keyBytes + header.valueBytes)) {
        fail(`stat: ${entries} entries of ${payloadBytes} bytes, not ${of.entries}`);
      }
    } catch (error) {
      if (error instanceof Wrong) throw error;
      this.#counts.refusals++;
      const code = codeOf(error, 'stat', [...REFUSALS, ...damageFor(this.#strict, 'touch')]);
      if (verified.ok) fail(`stat: ${code} in a file that is whole`);
    }
  }

  /** Records by themselves: without a look at the checksums, so that what they show may be wrong. */
  #inspect({ bytes, of: sample }: Input, random: Random, verified: Verification): void {
    const of = this.#like(sample, 'hash') as TableSample;
    const codes = verified.ok ? [] : [...REFUSALS, ...DAMAGE];
    const bucket = random.below(2 ** (of.header.segmentBits + of.header.bucketBits));
    attempt(this.#counts, 'inspectBucket', [...codes, 'RangeError of bucket'], () => inspectBucket(this.#path, bucket));
    const type = KEY_TYPES[bytes[61] ?? 0] ?? 'bytes';
    const answer = of.answers.length > 0 ? random.pick(of.answers) : undefined;
    for (const key of [answer?.key ?? Buffer.alloc(0), of.absent[0]!]) {
      const asked = keyOfBytes(type, key);
      const reply = attempt(this.#counts, 'inspectKey', codes, () => inspectKey(this.#path, asked).record);
      if (reply.code !== undefined || reply.value === undefined) continue;
      const record = reply.value as { key: Uint8Array };
      if (!same(keyOfBytes(type, record.key), asked)) fail(`inspectKey: a record of another key`);
    }
  }

  /** There are no records to show. */
  #inspectKeyless(verified: Verification): void {
    const codes = ['HMAP_LAYOUT', 'HMAP_FINGERPRINT', ...(verified.ok ? [] : REFUSALS)];
    for (const inspect of [() => inspectBucket(this.#path, 0), () => inspectKey(this.#path, 'key')]) {
      if (attempt(this.#counts, 'inspect', codes, inspect).code === undefined) fail('inspect: records of no table');
    }
  }

  /** As `hmap dump` does; what it prints is read again. */
  async #dump({ of }: Input, random: Random): Promise<void> {
    const format = random.pick(FORMATS);
    const check = random.pick(['none', 'touch', 'touch'] as const);
    this.#counts.dumps++;
    let dump: Buffer;
    try {
      dump = await dumpOf(this.#path, format, check === 'none' ? 'header' : check);
      this.#counts.answers++;
    } catch (error) {
      this.#counts.refusals++;
      const damage = damageFor(this.#strict, check);
      codeOf(error, `dump as ${format}, ${check}`, [
        ...REFUSALS,
        ...damage,
        'HMAP_NOT_REPRESENTABLE',
        'HMAP_FINGERPRINT',
      ]);
      return;
    }
    if (this.#strict && check === 'touch') {
      const right = await this.#dumpOfWhole(of, format);
      if (right === undefined || !right.equals(dump)) fail(`dump as ${format}: not that of the whole file`);
      return;
    }
    // To hold what was read of more than that would take the memory that no file may take.
    if (dump.length > MOST_READ) return;
    try {
      const pieces = piecesOf(dump, 4096);
      // What a hostile file has become may have no such format.
      if (of.layout !== 'hash') await readKeylessFrom(format === 'cdb' ? 'lines' : format, pieces, of.built);
      else await readFrom(format, pieces, format === 'lines' ? 'none' : of.valueType, of.keyType);
    } catch (error) {
      codeOf(error, `reading a dump as ${format}`, INPUT_REFUSALS);
    }
  }

  async #dumpOfWhole(of: Sample, format: (typeof FORMATS)[number]): Promise<Buffer | undefined> {
    const id = `${format} ${of.path}`;
    if (!this.#dumps.has(id)) this.#dumps.set(id, await dumpOf(of.path, format, 'header').catch(() => undefined));
    return this.#dumps.get(id);
  }

  /** A file that is taken up in place of a whole one, with an iteration of the whole one under way. */
  #reload(input: Input, random: Random, verified: Verification): void {
    const { of } = input;
    rmSync(this.#live, { force: true });
    linkSync(of.path, this.#live);
    const mapping = random.pick(WORKING);
    const more = of.layout === 'hash' && { key: 'bytes', fingerprint: of.fingerprint };
    const opened = openAs(this.#live, of.layout, { mapping, ...more });
    // The values of a table depend on nothing but the file; what an array has are its keys.
    const right = of.layout === 'hash' ? of.answers.map(({ value }) => value) : of.values;
    try {
      const old = opened.values();
      const first = old.next();
      rmSync(this.#live);
      renameSync(this.#path, this.#live);
      const codes = [...REFUSALS, 'HMAP_VALUE_TYPE', 'HMAP_KEY_TYPE', 'HMAP_LAYOUT', 'HMAP_FINGERPRINT'];
      const reply = attempt(this.#counts, 'reload', codes, () => opened.reload());
      const truth = new Truth(input.bytes);
      if (reply.code === undefined) {
        this.#counts.reloads++;
        const strict = this.#strict;
        const counts = this.#counts;
        ask(opened, { of, random, counts, check: 'touch', strict, whole: verified.ok, truth }, true, 4);
      }
      let steps = first.done ? 0 : 1;
      for (const value of old) {
        if (!same(value, right[steps++])) fail(`an iteration over the old version: step ${steps}`);
      }
      if (steps !== right.length) fail(`an iteration over the old version: ${steps} steps`);
      // Refused, it stays what it was.
      if (reply.code !== undefined) this.#stays(opened, of, random);
    } finally {
      opened.close();
    }
  }

  #stays(opened: Opened, of: Sample, random: Random): void {
    const truth = new Truth(of.bytes);
    ask(opened, { of, random, counts: noCounts(), check: 'touch', strict: true, whole: true, truth }, true, 3);
    if (opened.size !== of.entries) fail(`after a reload that was refused: ${show(opened.size)} entries`);
  }
}

function openAs(path: string, layout: Layout, options: object): Opened {
  return open(path, { ...options, layout } as never) as unknown as Opened;
}

function isTable(opened: Opened): opened is Table<unknown, AnyKey> {
  return 'getView' in opened;
}

function ask(opened: Opened, situation: AnySituation, bytes: boolean, count: number): void {
  if (isTable(opened)) askKeys(opened, { ...(situation as Situation), bytes }, count);
  else askKeyless(opened, situation as Situation<KeylessSample>, count);
}

function walk(opened: Opened, situation: AnySituation, bytes: boolean): void {
  if (isTable(opened)) walkThrough(opened, { ...(situation as Situation), bytes });
  else walkKeyless(opened, situation as Situation<KeylessSample>);
}

function referenceProblem(bytes: Buffer): string | undefined {
  try {
    const plain = bytes[63] === 1 || bytes[63] === 2;
    return new (plain ? ReferenceKeyless : ReferenceReader)(bytes).check()[0];
  } catch (error) {
    return (error as Error).message;
  }
}
