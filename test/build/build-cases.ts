// What tests of builds share: building with little memory, and builds that must fail. Knows what a failed build may
// leave.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { type BuildOptions, type BuildSummary, build, type Key } from '../../src/index.js';
import type { Random } from '../support/random.js';
import { keysOf, oracle } from '../support/samples.js';
import { failure, openFilesIn, temporaryFolder } from '../support/temp.js';

export const MIB = 2 ** 20;

export const shared = temporaryFolder(nodeTest);

export const scratchPath = join(shared, 'table.hmap');

export type Pair = readonly [key: Key, value: unknown];

export type Input = Iterable<unknown> | AsyncIterable<unknown>;

/**
 * `build` for arguments of any kind; with the least memory unless the options say otherwise, which saves the making of
 * it.
 */
export function buildAny(path: string, entries: unknown, options: unknown): Promise<BuildSummary> {
  const given = typeof options === 'object' && options !== null ? { memory: MIB, ...options } : options;
  return build(path, entries as Iterable<never>, given as BuildOptions);
}

/** The file of some entries, and what its build says. */
export async function fileOf(entries: Input, options: BuildOptions): Promise<{ file: Buffer; summary: BuildSummary }> {
  const summary = await buildAny(scratchPath, entries, options);
  assert.deepEqual(readdirSync(shared), ['table.hmap'], 'a build leaves its file and nothing else');
  assert.deepEqual(openFilesIn(shared), []);
  const file = readFileSync(scratchPath);
  assertSums(file);
  return { file, summary };
}

/** Holds the block checksums to what the bytes give, as section 8 of the format has it. */
export function assertSums(file: Buffer): void {
  const start = file.readUInt32LE(16);
  const end = Number(file.readBigUInt64LE(88));
  assert.equal(file.readBigUInt64LE(104), oracle.h64Raw(file.subarray(end)));
  for (let at = start, sum = end; at < end; at += 65_536, sum += 8) {
    const block = file.subarray(at, Math.min(end, at + 65_536));
    assert.equal(file.readBigUInt64LE(sum), oracle.h64Raw(block), `the block at ${at} of ${file.length}`);
  }
}

export async function bytesOf(entries: Input, options: BuildOptions): Promise<Buffer> {
  return (await fileOf(entries, options)).file;
}

export function assertSame(actual: Buffer, expected: Buffer, what: string): void {
  assert.ok(actual.equals(expected), `${what}: ${actual.length} bytes, expected ${expected.length} other ones`);
}

export interface Scope {
  after(remove: () => void): void;
}

/** Folders of assertFails, one for each test. */
export const failing = new WeakMap<Scope, string>();

export const PLACES = ['new.hmap', 'old.hmap'];

export let turn = 0;

/** Runs a build that must fail, in the place of an old file and where there is none. */
export async function assertFails(
  t: Scope,
  act: (path: string) => Promise<unknown>,
  check: (error: unknown) => void,
  places = PLACES,
): Promise<void> {
  let folder = failing.get(t);
  if (folder === undefined) {
    folder = temporaryFolder(t);
    failing.set(t, folder);
    await buildAny(join(folder, 'old.hmap'), [['old', 1]], { value: 'u8' });
  }
  for (const name of places) {
    const path = join(folder, name);
    check(await failure(folder, () => act(path)));
  }
}

/** One of many builds that must fail: in turn in the place of an old file and where there is none. */
export function assertRefuses(
  t: Scope,
  entries: unknown,
  options: unknown,
  check: (error: unknown) => void,
): Promise<void> {
  return assertFails(t, (path) => buildAny(path, entries, options), check, [PLACES[turn++ % 2]!]);
}

export async function* slowly<T>(items: Iterable<T>): AsyncGenerator<T> {
  let i = 0;
  for (const item of items) {
    if (i++ % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    yield item;
  }
}

export function textsOf(count: number, random: Random, longest: number): Map<string, string> {
  const long = random.text(longest);
  return new Map(keysOf('mixed', count, random).map((key) => [key, long.slice(0, random.below(longest))]));
}
