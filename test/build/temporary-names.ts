// The names of the temporary files beside an output. Knows what they mean; does not know who may remove them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../../src/index.js';

/** A temporary file's name: of which output, process, and place. */
export const TEMPORARY: RegExp = /^\.(.*)\.(\d+)-([0-9a-f]{8})-[0-9a-f]{8}\.tmp(?:\.spill)?$/s;

/** The name of the temporary file while this process builds an output, which it replaces. */
export async function temporaryNameOf(folder: string, output: string): Promise<string> {
  const names: string[] = [];
  const looking = function* (): Generator<[string, number]> {
    names.push(...readdirSync(folder).filter((name) => TEMPORARY.test(name)));
    yield ['a', 1];
  };
  await build(join(folder, output), looking(), { value: 'u8' });
  assert.equal(names.length, 1);
  return names[0]!;
}

/** The number of a process that has ended. */
export function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}
