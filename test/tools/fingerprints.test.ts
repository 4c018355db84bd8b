// Tests fingerprints in place of keys through the program: what it builds, what it says of the price, what it answers,
// and what it cannot do without keys.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { type BuildSummary, open, type TableStat, type Verification } from '../../src/index.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const keys = Array.from({ length: 20_000 }, (_, i) => `user${i}@example.org`);
const lines = join(folder, 'keys.txt');
const pairs = join(folder, 'pairs.tsv');
const set = join(folder, 'set.hmap');
const map = join(folder, 'map.hmap');
let summary: BuildSummary;

before(async () => {
  writeFileSync(lines, keys.map((key) => `${key}\n`).join(''));
  writeFileSync(pairs, keys.map((key, i) => `${key}\t${i * 5}\n`).join(''));
  summary = JSON.parse((await fine(['build', '--fingerprint', '16', '--json', lines, set])).stdout) as BuildSummary;
});

describe('build', () => {
  test('says what an entry takes, and how often another key is found', async () => {
    const { stderr } = await fine(['build', '--fingerprint', '8', '--value', 'uint', pairs, map]);
    assert.match(stderr, /20,000 entries of u24, .*, 4\.\d\d bytes per entry, 1 in 1\d\d other keys is found, /);
    assert.equal(summary.fingerprint?.bits, 16);
    assert.equal(summary.entries, 20_000);
  });

  test('refuses other bits, and layouts without keys', async () => {
    const output = join(folder, 'none.hmap');
    assertRefused(await hmap(['build', '--fingerprint', '12', lines, output]), /Allowed choices are 8, 16, 24, 32/);
    const bits = await hmap(['build', '--fingerprint', '8', '--layout', 'bits', lines, output]);
    assertRefused(bits, /--fingerprint: does not apply to the layout 'bits'/);
  });
});

describe('a table without keys', () => {
  test('answers', async () => {
    const ran = await hmap(['get', set, keys[0]!, 'nobody@example.org', keys.at(-1)!]);
    assert.deepEqual(
      [ran.code, ran.stdout, ran.stderr],
      [1, 'true\ntrue\n', 'hmap: not found: "nobody@example.org"\n'],
    );
    const { stdout } = await fine(['get', '--json', map, keys[7]!]);
    assert.deepEqual(JSON.parse(stdout), { key: keys[7], found: true, value: 35 });
  });

  test('cannot be dumped', async () => {
    for (const args of [
      ['dump', set],
      ['dump', '--format', 'jsonl', map],
      ['dump', '--bucket', '0', set],
    ]) {
      assertRefused(await hmap(args), /^hmap: .*: the table stores fingerprints of its keys, not the keys$/m);
    }
    const { stdout } = await fine(['dump', '--header', set]);
    const header = JSON.parse(stdout) as { fingerprint: object };
    using table = open(set, { fingerprint: true });
    assert.deepEqual(header.fingerprint, table.header.fingerprint);
  });

  test('verify and stat say how often they mislead', async () => {
    const { falsePositiveRate } = summary.fingerprint!;
    const words = `fingerprints of 16 bits, 1 in ${Math.round(1 / falsePositiveRate)} other keys is found`;
    const verified = await fine(['verify', set]);
    assert.ok(verified.stdout.replaceAll(',', '').includes(words.replaceAll(',', '')), verified.stdout);
    const json = JSON.parse((await fine(['verify', '--json', set])).stdout) as Verification;
    assert.deepEqual(json.fingerprint, { bits: 16, falsePositiveRate });
    const page = (await fine(['stat', map])).stdout;
    assert.match(page, /^keys +fingerprints of 8 bits, \d+ with a long one; 1 in \d+ other keys is found$/m);
    const { sections } = JSON.parse((await fine(['stat', '--json', map])).stdout) as TableStat;
    assert.match(page, new RegExp(`^fingerprints +${sections.fingerprints.toLocaleString('en')} `, 'm'));
  });
});

interface Planned {
  fingerprinted: { name: string; options: string[]; total: number; falsePositiveRate: number }[];
}

describe('plan', () => {
  test('predicts the table with each number of bits', async () => {
    for (const input of [lines, pairs]) {
      const { fingerprinted } = JSON.parse((await fine(['plan', '--json', input])).stdout) as Planned;
      assert.equal(fingerprinted.length, 4);
      for (const [i, { name, options, total, falsePositiveRate }] of fingerprinted.entries()) {
        const bits = 8 * (i + 1);
        assert.match(name, new RegExp(`^(set|map, u24), fingerprints of ${bits} bits$`));
        const output = join(folder, `${bits}.hmap`);
        const args = ['build', '--json', '--force', ...options, input, output];
        const built = JSON.parse((await fine(args)).stdout) as BuildSummary;
        assert.equal(built.fingerprint?.falsePositiveRate, falsePositiveRate);
        // The number of long ones is a matter of chance.
        const exactly = total - 16 * Math.round(20_000 * (1 - Math.exp(-falsePositiveRate)));
        if (input === lines) assert.equal(built.fileBytes, total, name);
        else assert.ok(Math.abs(built.fileBytes - built.sections.fingerprints - exactly) <= 8, name);
        assert.ok(Math.abs(built.fileBytes - total) < 0.02 * total, name);
      }
    }
  });

  test('shows them on a table of their own', async () => {
    const { stdout } = await fine(['plan', lines]);
    assert.match(stdout, /^Without the keys themselves: /m);
    assert.match(stdout, /^set, 16 bits +[\d,]+ +2\.\d\d +1 in 2\d,\d{3}$/m);
  });
});
