// Tries damaged dumps: what the formats read is entries or an error of theirs, and what is built of it is whole. Knows
// formats; does not know files of tables.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BitsBuildOptions,
  type BuildOptions,
  type BuildSummary,
  type ListBuildOptions,
  verify,
} from '../../src/index.js';
import { buildKeylessFrom } from '../../tools/commands/keyless.js';
import { FORMATS, type FormatName } from '../../tools/formats/format.js';
import type { Random } from '../support/random.js';
import { buildFrom, dumpOf, NO_COLUMNS, piecesOf, readFrom, readKeylessFrom } from '../support/tools.js';
import { mutate } from './fuzz-damage.js';
import { anySample, type Sample } from './fuzz-samples.js';
import { type Counts, codeOf, fail, INPUT_REFUSALS } from './fuzz-verdict.js';

const READ_REFUSALS = [...INPUT_REFUSALS, 'TypeError of columns'];
/** A bit array takes memory for each integer up to the largest. */
const BUILD_REFUSALS = [...READ_REFUSALS, 'HMAP_DUPLICATE_KEY', 'HMAP_BUCKET_LOAD', 'ENOMEM'];
const MEMORY = 2 ** 20;

/** A damaged dump. */
export interface Text {
  bytes: Buffer;
  format: FormatName;
  /** The first row names the columns. */
  headerRow: boolean;
  of: Sample;
  what: string;
}

/** A dump of a small sample with bytes changed, cut off or put in. */
export async function textOf(samples: readonly Sample[], random: Random): Promise<Text> {
  const small = samples.filter(({ bytes }) => bytes.length < 20_000);
  for (;;) {
    const of = anySample(small, random);
    const format = random.pick(FORMATS);
    const dump = await dumpOf(of.path, format).catch(() => undefined);
    if (dump === undefined || dump.length < 4) continue;
    const headerRow = (format === 'csv' || format === 'tsv') && random.below(3) === 0;
    let bytes = Buffer.from(headerRow ? Buffer.concat([namesOf(of, format), dump]) : dump);
    const what: string[] = [headerRow ? `${format} with names` : format];
    for (let i = random.pick([1, 1, 2, 3]); i > 0; i--) {
      const at = random.below(headerRow && random.below(4) === 0 ? Math.min(40, bytes.length) : bytes.length);
      const few = random.between(1, 9);
      if (random.below(3) === 0) {
        what.push(another(bytes, at, random));
      } else if (random.below(4) > 0) {
        what.push(mutate(bytes, 0, bytes.length, random));
      } else if (random.below(2) === 0) {
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + few), Buffer.alloc(4)]);
        what.push(`${few} bytes lost at ${at}`);
      } else {
        const more = Buffer.from(random.text(few, '"{}[]:,\\\n\r\t +->eE.019-nul\u0000é'));
        bytes = Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
        what.push(`${JSON.stringify(more.toString())} put in at ${at}`);
      }
    }
    return { bytes, format, headerRow, of, what: what.join(', ') };
  }
}

/** Another digit in place of one at `at` or after: most of these are as good as they were. */
function another(bytes: Buffer, at: number, random: Random): string {
  for (let i = at; i < bytes.length; i++) {
    if (!/[0-9a-f]/.test(String.fromCharCode(bytes[i]!))) continue;
    bytes.write(random.text(1, '0123456789'), i);
    return `another digit at ${i}`;
  }
  return 'nothing';
}

/** A row that names the columns of a dump. */
function namesOf(of: Sample, format: FormatName): Buffer {
  const fields = of.layout === 'hash' && of.header.schemaSize > 0 ? of.header.schema.toString().split(',') : ['value:'];
  const names = ['key', ...fields.map((field) => field.slice(0, field.indexOf(':')))];
  return Buffer.from(`${names.join(format === 'csv' ? ',' : '\t')}\n`);
}

export async function tryText(folder: string, text: Text, random: Random, counts: Counts): Promise<void> {
  const { bytes, format, headerRow, of } = text;
  counts.inputs++;
  const pieces = piecesOf(bytes, random.pick([bytes.length, 1000, 100, 7]));
  const columns = { ...NO_COLUMNS, headerRow };
  try {
    const entries =
      of.layout === 'hash'
        ? await readFrom(format, pieces, of.valueType, of.keyType, columns)
        : await readKeylessFrom(format, pieces, of.built, columns);
    if (entries.length > bytes.length) fail(`${entries.length} entries of ${bytes.length} bytes`);
    counts.opened++;
    counts.answers++;
  } catch (error) {
    counts.refusals++;
    codeOf(error, `reading ${format}`, READ_REFUSALS);
    return;
  }
  if (random.below(4) > 0) return;
  const path = join(folder, 'built.hmap');
  rmSync(path, { force: true });
  try {
    const { entries } = await buildText(path, text);
    const result = await verify(path);
    counts.verified++;
    if (!result.ok || result.entries !== entries)
      fail(`built: ${result.entries} of ${entries}, ${result.findings[0]?.message}`);
    counts.whole++;
  } catch (error) {
    codeOf(error, `building from ${format}`, BUILD_REFUSALS);
  }
}

function buildText(path: string, { bytes, format, headerRow, of }: Text): Promise<BuildSummary> {
  const columns = { ...NO_COLUMNS, headerRow };
  if (of.layout === 'hash') {
    const { value, key = 'bytes' } = of.built;
    return buildFrom(path, format, [bytes], { value, key, memory: MEMORY } as BuildOptions, columns);
  }
  const { base = 0 } = of.built;
  const options = { ...of.built, base, memory: MEMORY } as ListBuildOptions | BitsBuildOptions;
  const input = { path: 'input', pieces: () => arriving(bytes) };
  return buildKeylessFrom(path, options, input, 'input', format, columns).then(({ summary }) => summary);
}

async function* arriving(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
