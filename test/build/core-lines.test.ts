// Lines of text that the core takes in make the file, or the error, that they make without it: however they are written,
// and however the input is cut into pieces.

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { CoreLines } from '../../src/build/hash/core-lines.js';
import { whyNoCore } from '../../src/core/core.js';
import { type BuildOptions, HmapError, type ValueType } from '../../src/index.js';
import type { FormatName } from '../../tools/formats/format.js';
import { Random } from '../support/random.js';
import { EXTREMES, sampleOf } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';
import { buildFrom } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);

/** Lines that the core has taken. */
let taken = 0;
const { take } = CoreLines.prototype;
CoreLines.prototype.take = function (at) {
  const next = take.call(this, at);
  taken += this.taken;
  return next;
};

/** The file's bytes, or what the error says. */
async function outcome(format: FormatName, pieces: readonly Uint8Array[], options: BuildOptions, isOff: boolean) {
  const before = process.env.HMAP_NO_CORE;
  if (isOff) process.env.HMAP_NO_CORE = '1';
  else delete process.env.HMAP_NO_CORE;
  const path = join(folder, 'table.hmap');
  try {
    const { seconds, path: _, ...summary } = await buildFrom(path, format, pieces, options);
    assert.ok(seconds >= 0);
    return { bytes: readFileSync(path), summary };
  } catch (error) {
    if (!(error instanceof HmapError)) throw error;
    return { code: error.code, message: error.message, line: error.line };
  } finally {
    rmSync(path, { force: true });
    if (before === undefined) delete process.env.HMAP_NO_CORE;
    else process.env.HMAP_NO_CORE = before;
  }
}

/** Cuts into pieces, some of them empty or of a few bytes. */
function cut(text: Buffer, random: Random, most: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < text.length; ) {
    const length = random.below(4) === 0 ? random.below(4) : random.below(most);
    pieces.push(text.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

const NUMBERS = ['u8', 'u16', 'u24', 'u32', 'u40', 'u48', 'u64', 'i8', 'i16', 'i32', 'i64'] as const;
const isNumber = (type: string) => (NUMBERS as readonly string[]).includes(type);

/** A value as a careful or a careless writer has it. */
function textOf(type: ValueType | 'uint', random: Random): string {
  const value = type === 'uint' ? random.below(2 ** 20) : sampleOf(type, random);
  if (type === 'uint' || isNumber(type)) {
    const way = random.below(60);
    if (way === 0 && Number(value) >= 0) return `+${value}`;
    if (way === 1) return String(value).replace(/^-?/, '$&00');
    if (way === 2) return '-0';
    if (way === 3)
      return String(value)
        .replace('-', '-0')
        .padStart(22, '0')
        .replace(/^(0+)-/, '-$1');
    return String(value);
  }
  const text = typeof value === 'string' || type === 'f64' ? String(value) : random.text(random.below(40));
  return text.replace(/[\t\n\r]/g, ' ');
}

describe('lines taken in by the core', () => {
  for (const value of [...NUMBERS, 'uint', 'utf8', 'bytes', 'none', 'enum', 'f64'] as const) {
    test(`with values of ${value}`, async () => {
      const random = new Random(value.length * 31 + value.charCodeAt(0));
      const format: FormatName = value === 'none' ? 'lines' : 'tsv';
      let refused = 0;
      taken = 0;
      for (let round = 0; round < 14; round++) {
        const lines = Array.from({ length: random.between(1, 3000) }, (_, i) => {
          const key = random.below(30) === 0 ? `é${'k'.repeat(random.below(300))} ${i}` : `key ${i}`;
          return value === 'none' ? key : `${key}\t${textOf(value, random)}`;
        });
        if (round === 0 && value === 'none') lines.unshift('');
        if (round === 1 && !isNumber(value)) lines.push(`long\t${'x'.repeat(300_000)}`);
        // What stops a build stops it at the same line.
        const bad = ['no tab', 'two\ttabs\t1', `key\t${2n ** 64n}`, 'key\t', 'key\t-', 'key\t1x', 'key\t1\r2', '\t'];
        if (round > 7) lines.splice(random.below(lines.length), 0, random.pick([...bad, `${'k'.repeat(65_536)}\t1`]));
        const end = round % 3 === 0 ? '\r\n' : '\n';
        const text = Buffer.from(lines.join(end) + (round % 2 === 0 ? end : ''));
        if (round === 5) text[random.below(text.length)] = 0xff;
        const pieces = round === 6 ? [text] : cut(text, random, round === 7 ? 300_000 : 20_000);
        const options = { value, memory: 2 ** (20 + (round % 4)) } as unknown as BuildOptions;
        const core = await outcome(format, pieces, options, false);
        const script = await outcome(format, pieces, options, true);
        if ('code' in core) refused++;
        assert.deepEqual(core, script, `round ${round}`);
      }
      assert.ok(refused < 12, `${refused} refused`);
      const isTaken = value !== 'enum' && value !== 'f64' && (whyNoCore() === undefined || process.env.HMAP_NO_CORE);
      assert.equal(taken > 5000, Boolean(isTaken), `${taken} lines`);
    });
  }

  test('at the ends of each range', async () => {
    for (const value of NUMBERS) {
      const [least, most] = [EXTREMES[value].map(BigInt), EXTREMES[value].map(BigInt)].map((all, i) =>
        all.reduce((a, b) => ((i === 0 ? b < a : b > a) ? b : a)),
      ) as [bigint, bigint];
      for (const number of [least, most, least - 1n, most + 1n]) {
        const text = [Buffer.from(`first\t1\nkey\t${number}\nlast\t2\n`)];
        const core = await outcome('tsv', text, { value }, false);
        assert.deepEqual(core, await outcome('tsv', text, { value }, true));
        assert.equal('code' in core, number < least || number > most, `${value} ${number}`);
      }
    }
  });

  test('with keys that occur twice, and keys chosen to share a bucket', async () => {
    const lines = Array.from({ length: 4000 }, (_, i) => `key ${i % 3000}\t${i % 250}\n`).join('');
    for (const duplicates of ['error', 'first', 'last'] as const) {
      const options = { value: 'u8', duplicates } as BuildOptions;
      const core = await outcome('tsv', [Buffer.from(lines)], options, false);
      assert.deepEqual(core, await outcome('tsv', [Buffer.from(lines)], options, true));
      assert.equal('code' in core, duplicates === 'error');
    }
  });
});
