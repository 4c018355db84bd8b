// What a verification finds is the same in the core and without it, in files that are whole and in damaged ones.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import {
  type BuildOptions,
  build,
  type Entry,
  open,
  type ValueType,
  type Verification,
  verify,
} from '../../src/index.js';
import { Random } from '../support/random.js';
import { keysOf, sampleOf, VALUE_TYPES } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);

async function found(path: string, isOff: boolean): Promise<Omit<Verification, 'seconds'>> {
  const before = process.env.HMAP_NO_CORE;
  if (isOff) process.env.HMAP_NO_CORE = '1';
  else delete process.env.HMAP_NO_CORE;
  try {
    const { seconds, ...rest } = await verify(path);
    assert.ok(seconds >= 0);
    return rest;
  } finally {
    if (before === undefined) delete process.env.HMAP_NO_CORE;
    else process.env.HMAP_NO_CORE = before;
  }
}

async function findings(path: string): Promise<Omit<Verification, 'seconds'>> {
  const [core, script] = [await found(path, false), await found(path, true)];
  assert.deepEqual(core, script);
  return core;
}

/** Tables of each shape of records, and of each type of values. */
async function* tables(): AsyncGenerator<{ name: string; path: string }> {
  const random = new Random(20);
  const kinds = ['mixed', 'one length', 'prefixes', 'non-ASCII', 'words'] as const;
  for (const [i, value] of [...VALUE_TYPES, 'uint' as const].entries()) {
    const kind = kinds[i % kinds.length]!;
    for (const segmentBytes of [2 ** 31 - 1, 16_384]) {
      const keys = keysOf(kind, 900, random);
      const entries = keys.map(
        (key) => [key, value === 'uint' ? random.below(70_000) : sampleOf(value, random)] as const,
      );
      const name = `${kind} ${value} ${segmentBytes}`;
      const path = join(folder, `${name}.hmap`);
      const options = { value, segmentBytes } as unknown as BuildOptions<ValueType>;
      await build(path, entries as Iterable<Entry<ValueType>>, options);
      yield { name, path };
    }
  }
  for (const key of ['u32', 'u64', 'uuid'] as const) {
    const path = join(folder, `${key}.hmap`);
    const keyOf = (i: number) =>
      key === 'u32'
        ? i * 77
        : key === 'u64'
          ? BigInt(i) * 77n
          : `${i.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
    const entries = Array.from({ length: 900 }, (_, i) => [keyOf(i), i] as const);
    await build(path, entries as never, { key, value: 'u16' } as never);
    yield { name: key, path };
  }
}

describe('in the core and without it', () => {
  test('whole files are whole, with all their entries', async () => {
    for await (const { name, path } of tables()) {
      const { total, entries } = await findings(path);
      assert.deepEqual([total, entries], [0, 900], name);
    }
  });

  test('damage is found where it is', async () => {
    const random = new Random(21);
    const damaged = join(folder, 'damaged.hmap');
    let seen = 0;
    for await (const { name, path } of tables()) {
      const whole = readFileSync(path);
      const { index, checksums } = headerOf(path);
      for (let round = 0; round < 40; round++) {
        const bytes = Buffer.from(whole);
        for (let left = random.between(1, 3); left > 0; left--) {
          const from = random.below(2) === 0 ? index.offset : 4096;
          const at = random.between(from, checksums.offset - 1);
          bytes[at] = random.below(3) === 0 ? random.below(256) : bytes[at]! ^ (1 << random.below(8));
        }
        writeFileSync(damaged, bytes);
        const { total } = await findings(damaged).catch((error: unknown) => {
          throw new Error(`${name}, round ${round}: ${(error as Error).message}`);
        });
        if (total > 0) seen++;
      }
    }
    assert.ok(seen > 1000, `${seen} with findings`);
  });
});

/** Index lines that agree with each other and point to nowhere: to say so must not depend on what lies there. */
test('lines that lie outside the heap, all by the same number', async () => {
  const damaged = join(folder, 'shifted.hmap');
  const tables = {
    'keys of several lengths': [Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]), { value: 'u32' }],
    'keys of one length': [Array.from({ length: 5000 }, (_, i) => [i, i]), { key: 'u32', value: 'u32' }],
  } as const;
  for (const [name, [entries, options]] of Object.entries(tables)) {
    const path = join(folder, `${name}.hmap`);
    await build(path, entries as never, options as never);
    const { index } = headerOf(path);
    const line = 4 * index.offsetBits + 8;
    for (const shift of [1, 0x10_0000, 0x2000_0000, 0x4000_0000, 0x8000_0000, 0xffff_ff00]) {
      for (const first of [0, 3]) {
        const bytes = readFileSync(path);
        for (let group = first; group < index.bytes / line; group++) {
          const at = index.offset + group * line;
          bytes.writeUInt32LE((bytes.readUInt32LE(at) + shift) >>> 0, at);
        }
        writeFileSync(damaged, bytes);
        assert.ok((await findings(damaged)).total > 0, `${name}, ${shift}`);
      }
    }
  }
});

function headerOf(path: string) {
  using table = open(path);
  return table.header;
}
