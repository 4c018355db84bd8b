// A process in which calls of the file system fail, each in turn, while it builds. Says what came of each build; does
// not check it.
//
// Arguments: an empty folder, and a Setting as JSON. Prints an Account as JSON.

import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HmapError } from '../../src/base/errors.js';
import { build } from '../../src/build/build.js';
import { type Call, intercept } from '../support/faults.js';
import { contentOf, openFilesIn } from '../support/temp.js';
import { entriesOf, type Kind, optionsOf } from './versions.js';

export interface Setting {
  kind: Kind;
  /** Files that are there before each build, by name; the output is out.hmap. */
  files: Record<string, string>;
  overwrite: boolean;
  /** With which code each call fails. */
  faults: Partial<Record<Call, string>>;
  /** Most bytes that a read or write may do. */
  most?: number;
}

/** What came of one build. */
export interface Outcome {
  call?: Call;
  /** Which of its calls failed, from 1. */
  nth?: number;
  error?: { name: string; code: unknown; message: string; ours: boolean };
  /** What the folder then holds; see contentOf. */
  folder: Record<string, string>;
  /** Files in it that are still open. */
  open: string[];
}

export interface Account {
  before: Record<string, string>;
  /** A build without faults. */
  whole: Outcome;
  faults: Outcome[];
}

const [folder, text] = process.argv.slice(2) as [string, string];
const { kind, files, overwrite, faults, most = Number.POSITIVE_INFINITY } = JSON.parse(text) as Setting;

function reset(): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
    chmodSync(join(folder, name), 0o640);
  }
}

/** @param stop what ends the faults */
async function outcome(stop = () => {}): Promise<Outcome> {
  let error: Outcome['error'];
  try {
    await build(join(folder, 'out.hmap'), entriesOf(kind, 1), { ...optionsOf(kind, 1), overwrite });
  } catch (thrown) {
    const { name, code, message } = thrown as NodeJS.ErrnoException;
    error = { name, code, message, ours: thrown instanceof HmapError };
  } finally {
    stop();
  }
  return { ...(error && { error }), folder: contentOf(folder), open: openFilesIn(folder) };
}

/** Builds with one call that fails, of those of this name; `undefined` when there are not so many. */
async function withFault(call: Call, nth: number, code: string): Promise<Outcome | undefined> {
  reset();
  let calls = 0;
  const stop = intercept([call], (_, args, go) => {
    if (++calls !== nth) return go(...args);
    const error = Object.assign(new Error(`${code}: made to fail, ${call}`), { code, errno: -1, syscall: call });
    if (call === 'fsync') return setImmediate(args.at(-1) as (error: Error) => void, error);
    // Both have done something when they fail.
    if (call === 'closeSync') go(...args);
    if (call === 'writeSync') go(args[0], args[1], args[2], (args[3] as number) >> 1, args[4]);
    throw error;
  });
  const found = await outcome(stop);
  return calls < nth ? undefined : { call, nth, ...found };
}

async function run(): Promise<void> {
  reset();
  const account: Account = { before: contentOf(folder), whole: await outcome(), faults: [] };
  if (most < Number.POSITIVE_INFINITY) {
    reset();
    const stop = intercept(['readSync', 'writeSync'], (_, [fd, buffer, offset, length, position], go) =>
      go(fd, buffer, offset, Math.min(length as number, most), position),
    );
    account.faults.push(await outcome(stop));
  }
  for (const [call, code] of Object.entries(faults) as [Call, string][]) {
    for (let nth = 1; ; nth++) {
      const found = await withFault(call, nth, code);
      if (found === undefined) break;
      account.faults.push(found);
    }
  }
  process.stdout.write(JSON.stringify(account));
}

void run();
