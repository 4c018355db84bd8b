// What tests of tables share: building a table of a Map. Knows the public API.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { type BuildOptions, build, type Entry, type Key, type ValueType } from '../../src/index.js';
import type { Random } from '../support/random.js';
import { sampleOf } from '../support/samples.js';
import { temporaryFolder } from '../support/temp.js';

export const MIB = 2 ** 20;

export const folder = temporaryFolder(nodeTest);

export let files = 0;

/** Builds a table of a Map; with the least memory unless the options say otherwise. */
export async function buildMap(model: ReadonlyMap<Key, unknown>, options: BuildOptions): Promise<string> {
  const path = join(folder, `${files++}.hmap`);
  const summary = await build(path, model as Iterable<Entry<ValueType>>, { memory: MIB, ...options });
  assert.equal(summary.entries, model.size);
  return path;
}

export function modelOf(type: ValueType, keys: readonly string[], random: Random): Map<string, unknown> {
  return new Map(keys.map((key) => [key, sampleOf(type, random)]));
}
