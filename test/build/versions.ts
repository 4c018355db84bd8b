// Tables in numbered versions, each of which shows in every byte what it is. Knows nothing of how a build may end.

import assert from 'node:assert/strict';
import type { BuildOptions } from '../../src/index.js';

/** What builds are interrupted: how many entries of how many bytes, and with how much memory. */
export const KINDS = {
  /** Little but its publication takes time. */
  small: { entries: 50, bytes: 20, memory: 2 ** 20 },
  /** Most of it goes through the spill file. */
  spilling: { entries: 9000, bytes: 200, memory: 2 ** 20 },
  /** Goes through the spill file with few calls. */
  heavy: { entries: 28, bytes: 40_000, memory: 2 ** 20 },
  /** Writing takes longer than reading. */
  large: { entries: 2500, bytes: 2500, memory: 2 ** 24 },
} as const;
export type Kind = keyof typeof KINDS;

export function optionsOf(kind: Kind, version: number): BuildOptions<'bytes'> {
  return { value: 'bytes', memory: KINDS[kind].memory, metadata: { kind, version } };
}

function fill(value: Buffer, version: number, i: number): void {
  value.fill((version * 31 + i) & 0xff);
  value.writeUInt32LE(version, 0);
  value.writeUInt32LE(i, 4);
}

/** The entries of a version; the values are one piece of memory, used again. */
export function* entriesOf(kind: Kind, version: number): Generator<[string, Buffer]> {
  const value = Buffer.alloc(KINDS[kind].bytes);
  for (let i = 0; i < KINDS[kind].entries; i++) {
    fill(value, version, i);
    yield [`key ${i}`, value];
  }
}

/** Which version a file is. It must be whole. */
export async function versionIn(path: string, kind: Kind): Promise<number> {
  // Only here: processes that just build should not wait for it.
  const { open, verify } = await import('../../src/index.js');
  const { ok, findings } = await verify(path);
  assert.ok(ok, JSON.stringify(findings));
  using table = open(path, { value: 'bytes', mapping: 'copy' });
  const { version } = table.header.metadata;
  assert.ok(typeof version === 'number');
  assert.deepEqual(table.header.metadata, { kind, version });
  assert.equal(table.size, KINDS[kind].entries);
  const expected = Buffer.alloc(KINDS[kind].bytes);
  for (const [key, value] of table) {
    fill(expected, version, Number(key.slice('key '.length)));
    assert.ok(expected.equals(value), `version ${version}, ${key}`);
  }
  return version;
}
