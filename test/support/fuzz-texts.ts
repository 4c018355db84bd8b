// Tries damaged dumps: what the formats read is entries or an error of theirs, and what is built of it is whole. Knows formats; does not know
// files of tables.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ValueType, verify } from '../../src/index.js';
import { FORMATS, type FormatName } from '../../tools/formats/format.js';
import { mutate } from './fuzz-damage.js';
import type { Sample } from './fuzz-samples.js';
import { type Counts, codeOf, fail, INPUT_REFUSALS } from './fuzz-verdict.js';
import type { Random } from './random.js';
import { buildFrom, dumpOf, piecesOf, readFrom } from './tools.js';

const BUILD_REFUSALS = [...INPUT_REFUSALS, 'HMAP_DUPLICATE_KEY', 'HMAP_BUCKET_LOAD'];

/** A damaged dump. */
export interface Text {
  bytes: Buffer;
  format: FormatName;
  valueType: ValueType;
  of: Sample;
  what: string;
}

/** A dump of a small sample with bytes changed, cut off or put in. */
export async function textOf(samples: readonly Sample[], random: Random): Promise<Text> {
  const small = samples.filter(({ bytes }) => bytes.length < 20_000);
  for (;;) {
    const of = random.pick(small);
    const format = random.pick(FORMATS);
    const dump = await dumpOf(of.path, format).catch(() => undefined);
    if (dump === undefined || dump.length < 4) continue;
    let bytes = Buffer.from(dump);
    const what: string[] = [format];
    for (let i = random.pick([1, 1, 2, 3]); i > 0; i--) {
      const at = random.below(bytes.length);
      const few = random.between(1, 9);
      if (random.below(4) > 0) {
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
    return { bytes, format, valueType: of.valueType, of, what: what.join(', ') };
  }
}

export async function tryText(folder: string, text: Text, random: Random, counts: Counts): Promise<void> {
  const { bytes, format, valueType } = text;
  counts.inputs++;
  const pieces = piecesOf(bytes, random.pick([bytes.length, 1000, 100, 7]));
  try {
    const entries = await readFrom(format, pieces, valueType);
    if (entries.length > bytes.length) fail(`${entries.length} entries of ${bytes.length} bytes`);
    counts.opened++;
    counts.answers++;
  } catch (error) {
    counts.refusals++;
    codeOf(error, `reading ${format}`, INPUT_REFUSALS);
    return;
  }
  if (random.below(4) > 0) return;
  const path = join(folder, 'built.hmap');
  rmSync(path, { force: true });
  try {
    const { entries } = await buildFrom(path, format, [bytes], { value: valueType });
    const result = await verify(path);
    counts.verified++;
    if (!result.ok || result.entries !== entries) fail(`built: ${result.findings[0]?.message}`);
    counts.whole++;
  } catch (error) {
    codeOf(error, `building from ${format}`, BUILD_REFUSALS);
  }
}
