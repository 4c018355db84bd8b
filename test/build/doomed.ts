// A process that builds and is killed, or builds on request. Imports what builds need and nothing else: hundreds of it
// are started.
//
// Arguments: output, kind, and what to do. `once`: build version 1. `new`: the same, with overwrite: false. `again`:
// build version after version. `told`: build when a message comes, and answer. Says `ready`, `read` when the first
// version's entries were taken, and `done`. With a number as the fourth argument it is killed before its call of that
// number of the file system, from 1; reads and writes do not count.

import { setTimeout as sleep } from 'node:timers/promises';
import { build } from '../../src/build/build.js';
import { CALLS, intercept } from '../support/faults.js';
import { entriesOf, type Kind, optionsOf } from './versions.js';

export type Task = 'once' | 'new' | 'again' | 'told';

/** What to build when, for `told`. */
export interface Order {
  version: number;
  /** Milliseconds to wait before. */
  delay: number;
  overwrite: boolean;
}

const [path, kind, task, deadly] = process.argv.slice(2) as [string, Kind, Task, string | undefined];

function say(word: string): void {
  process.stdout.write(`${word}\n`);
}

async function version(number: number, overwrite: boolean, taken = () => {}): Promise<void> {
  const entries = function* () {
    yield* entriesOf(kind, number);
    taken();
  };
  await build(path, entries(), { ...optionsOf(kind, number), overwrite });
}

async function run(): Promise<void> {
  if (task === 'told') {
    process.on('message', ({ version: number, delay, overwrite }: Order) => {
      sleep(delay)
        .then(() => version(number, overwrite))
        .then(
          () => process.send!('built'),
          (error) => process.send!(String(error.code ?? error)),
        );
    });
    process.send!('ready');
    return;
  }
  say('ready');
  let calls = 0;
  const die = () => process.kill(process.pid, 'SIGKILL');
  const counted = CALLS.filter((call) => call !== 'readSync' && call !== 'writeSync');
  if (deadly !== undefined) intercept(counted, (_, args, go) => (++calls === Number(deadly) ? die() : go(...args)));
  await version(1, task !== 'new', () => say('read'));
  for (let number = 2; task === 'again'; number++) await version(number, true);
  say('done');
  // Until it is killed.
  setInterval(() => {}, 1000);
}

void run();
