// No change of a byte escapes verify: every byte of small files, one by one, and bytes all over a larger one, many at a
// time. Each must be found by a range that covers it. HMAP_TEST_BYTES=1000000 changes so many bytes of the larger file,
// and every byte of every golden file.

import assert from 'node:assert/strict';
import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { build, type Finding, type StoredType, verify } from '../../src/index.js';
import { fileHeader } from '../../src/storage/open-file.js';
import { FIXTURES, fixturePath } from '../support/fixtures.js';
import { Random } from '../support/random.js';
import { canonicalParts, placesOf, type RawOptions, schemaOf } from '../support/raw-table.js';

const BLOCK = 65_536;
const asked = process.env.HMAP_TEST_BYTES;
const CHANGES = Number(asked ?? 30_000);

// Some thousand files are written; where memory can hold them, no disk has to.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hmap-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of a file in which bytes are changed and put back. */
class Copy {
  readonly path: string;
  readonly bytes: Buffer;
  readonly #fd: number;
  readonly #changed: number[] = [];

  constructor(original: string) {
    this.path = join(folder, 'copy.hmap');
    copyFileSync(original, this.path);
    this.bytes = readFileSync(this.path);
    this.#fd = openSync(this.path, 'r+');
  }

  /** Gives the byte any other value. */
  change(at: number, random: Random): void {
    writeSync(this.#fd, Buffer.of(this.bytes[at]! ^ random.between(1, 255)), 0, 1, at);
    this.#changed.push(at);
  }

  restore(): void {
    for (const at of this.#changed.splice(0)) writeSync(this.#fd, this.bytes, at, 1, at);
  }

  close(): void {
    closeSync(this.#fd);
    assert.ok(readFileSync(this.path).equals(this.bytes), 'all changes were put back');
  }
}

const range = ({ offset, end }: Finding) => [offset, end];
const having = (findings: readonly Finding[], code: string) => findings.filter((each) => each.code === code);

describe('every byte of a small file', () => {
  for (const fixture of FIXTURES) {
    // All bytes of all of them take a minute. These have a header with metadata, no records, keys and values of any
    // length.
    const all = asked !== undefined || ['empty', 'example', 'json'].includes(fixture.name);
    test(`${fixture.name}${all ? '' : ': some'}`, async (t) => {
      // As the file has it: a text for a schema, and what became of `uint`.
      const value = fileHeader(fixturePath(`${fixture.name}.hmap`)).valueType as StoredType;
      const parts = canonicalParts(fixture.entries, { ...fixture.options, value } as RawOptions);
      const places = placesOf(parts);
      const paddings = [
        [192 + 24 * parts.segments.length + parts.metadata.length + schemaOf(parts).length, places.headerEnd],
        ...places.segments.map(({ heapEnd }) => [heapEnd, Math.ceil(heapEnd / 8) * 8]),
        [places.dictionary.end, places.long],
        [places.indexEnd, places.checksums],
      ] as [number, number][];
      const isPadding = (at: number) => paddings.some(([from, to]) => from <= at && at < to);
      const random = new Random(FIXTURES.indexOf(fixture));
      const copy = new Copy(fixturePath(`${fixture.name}.hmap`));
      let changes = 0;
      for (let at = 0; at < copy.bytes.length; at++) {
        if (!all && random.below(copy.bytes.length) > 500) continue;
        // What has a meaning has several ways to be wrong.
        for (let times = isPadding(at) ? 1 : 3; times > 0; times--) {
          copy.change(at, random);
          const { findings, ok } = await verify(copy.path);
          assert.equal(ok, false, `byte ${at}`);
          assertFound(at, findings, places, copy.bytes.length);
          const padding = having(findings, 'HMAP_PADDING').map(range);
          if (isPadding(at)) assert.deepEqual(padding, [[at, at + 1]]);
          copy.restore();
          changes++;
        }
      }
      copy.close();
      assert.ok(changes >= (all ? copy.bytes.length : 200), `${changes} changes`);
      t.diagnostic(`${changes} changes of ${copy.bytes.length} bytes, all found`);
    });
  }
});

/** Holds the findings to what a single change of the byte must give. */
function assertFound(at: number, findings: Finding[], places: ReturnType<typeof placesOf>, fileBytes: number): void {
  const { headerEnd, checksums } = places;
  const codes = findings.map(({ code }) => code);
  const blocks = having(findings, 'HMAP_BLOCK_CHECKSUM').map(range);
  const where = `byte ${at}: ${codes.slice(0, 5)}`;
  if (at >= checksums) {
    const start = at - ((at - checksums) % 8);
    assert.deepEqual(findings.map(range), [[start, start + 8]], where);
    assert.deepEqual(codes, ['HMAP_CHECKSUMS_SUM']);
  } else if (at >= headerEnd) {
    const start = at - ((at - headerEnd) % BLOCK);
    assert.deepEqual(blocks, [[start, Math.min(start + BLOCK, checksums)]], where);
    assert.ok(!codes.includes('HMAP_CHECKSUMS_SUM'), where);
  } else {
    assert.deepEqual(blocks, [], where);
    const [first] = findings;
    if (at < 8) {
      assert.deepEqual([codes.length, range(first!)], [1, [0, 8]], where);
      assert.match(first!.code, /^HMAP_(NOT_A_TABLE|TEXT_DAMAGE)$/);
    } else if (at < 10) {
      assert.deepEqual([codes, range(first!)], [['HMAP_VERSION'], [8, 10]], where);
    } else if (at >= 16 && at < 20) {
      // A header that is longer than the file, or is no longer known to be one: the field is reported, or what would be
      // missing.
      const size = having(findings, 'HMAP_HEADER_FIELD').map(range);
      if (first!.code === 'HMAP_TRUNCATED') assert.equal(first!.offset, fileBytes, where);
      else assert.deepEqual(size, [[16, 20]], where);
    } else {
      assert.deepEqual([first!.code, range(first!)], ['HMAP_HEADER_CHECKSUM', [0, headerEnd]], where);
    }
  }
}

describe('bytes of a larger file, in many blocks at a time', () => {
  test(`${CHANGES} changes`, async (t) => {
    const random = new Random(7);
    const original = join(folder, 'original.hmap');
    const value = (i: number) => Buffer.alloc(random.between(500, 2000), `${i} `);
    const entries = Array.from({ length: 3000 }, (_, i) => [`key ${i}`, value(i)] as const);
    const { fileBytes } = await build(original, entries, { value: 'bytes' });
    const copy = new Copy(original);
    const checksums = Number(copy.bytes.readBigUInt64LE(88));
    const headerEnd = copy.bytes.readUInt32LE(16);
    const blocks = Math.ceil((checksums - headerEnd) / BLOCK);
    assert.ok(blocks > 40 && (await verify(copy.path)).ok);

    const startedAt = performance.now();
    let changes = 0;
    let rounds = 0;
    for (; changes < CHANGES; rounds++) {
      const damaged = new Set<number>();
      for (let i = 0; i < blocks; i++) {
        if (random.below(10) === 0) continue;
        const start = headerEnd + i * BLOCK;
        copy.change(random.between(start, Math.min(start + BLOCK, checksums) - 1), random);
        damaged.add(i);
        changes++;
      }
      const inSums = random.below(2) === 0;
      if (inSums) {
        const at = random.between(checksums, fileBytes - 1);
        copy.change(at, random);
        damaged.add(Math.floor((at - checksums) / 8));
        changes++;
      }
      const { findings } = await verify(copy.path);
      const expected = [...damaged].sort((a, b) => a - b).map((i) => headerEnd + i * BLOCK);
      assert.deepEqual(
        having(findings, 'HMAP_BLOCK_CHECKSUM').map(range),
        expected.map((start) => [start, Math.min(start + BLOCK, checksums)]),
        `round ${rounds}`,
      );
      const sums = having(findings, 'HMAP_CHECKSUMS_SUM').map(range);
      assert.deepEqual(sums, inSums ? [[checksums, fileBytes]] : [], `round ${rounds}`);
      copy.restore();
    }
    copy.close();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    t.diagnostic(`${changes} changes of ${fileBytes} bytes in ${rounds} verifications, all found, in ${seconds} s`);
  });
});
