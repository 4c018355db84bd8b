// npm run bench: measures hmap and its peers. Knows the order of a run and its options; what is measured is in the
// files beside it.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { complain, EXIT, parseInteger, SIGNAL_EXIT, say } from '../terminal/cli.js';
import { billion } from './billion.js';
import { buildGroups } from './builds.js';
import { stopChildren } from './child.js';
import { lookupGroups } from './lookups.js';
import { memoryGroups } from './memory.js';
import type { Figure, Run } from './model.js';
import { CACHE } from './places.js';
import { Session } from './session.js';
import { endText, figuresText } from './show.js';

interface Options {
  full?: boolean;
  billion?: boolean;
  only?: string;
  rounds: number;
  seed: number;
  json: string;
}

const SEED = 20_240_501;

async function bench({ full = false, billion: isBillion = false, only, rounds, seed, json }: Options): Promise<void> {
  const began = performance.now();
  const log = (text: string) => say(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  if (isBillion) {
    await billion(CACHE, log);
    return;
  }
  const session = await Session.start({ full, only, rounds, seed, cache: CACHE, log });
  process.on('exit', () => session.stop());
  const memory = session.wants('memory') ? memoryGroups(session) : [];
  const groups = [...lookupGroups(session), ...buildGroups(session), ...memory];
  const figures: Figure[] = [];
  for (const [i, group] of groups.entries()) {
    const found = await group.measure();
    figures.push(...found);
    process.stdout.write(figuresText(found));
    const left = groups.slice(i + 1).map(({ name }) => name);
    log(left.length === 0 ? 'all is measured' : `left: ${left.join('; ')}`);
  }
  const run: Run = {
    node: process.version,
    v8: process.versions.v8,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    versions: session.versions(),
    command: ['npm run bench --', ...process.argv.slice(2).map(quoted)].join(' '),
    seed,
    seconds: (performance.now() - began) / 1000,
    figures,
    absent: session.absentees,
  };
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify(run, undefined, 2)}\n`);
  process.stdout.write(endText(run));
  session.stop();
}

/** An argument as a shell takes it. */
function quoted(text: string): string {
  return /^[\w./=:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const program = new Command('bench')
  .description('Measures hmap and its peers: lookups, builds, memory. Keeps data and peers in tools/bench/cache.')
  .option('--full', '10,000,000 entries, the names of npm and a build of 100,000,000 as well')
  .option('--billion', 'a set of a billion keys instead, in one file and in shards: takes minutes, and 30 GB of disk')
  .option(
    '--only <pattern>',
    'a regular expression; only what it matches, such as "get hmap 1M" or "build" or "memory"',
  )
  .option('--rounds <n>', 'how often each trial is run', parseInteger(1, 1000), 3)
  .option('--seed <n>', 'of data and queries', parseInteger(0, 2 ** 31 - 1), SEED)
  .option('--json <file>', 'where the figures go', join(CACHE, 'results', `${process.version}.json`))
  .action(bench);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stopChildren();
    process.exit(SIGNAL_EXIT[signal]);
  });
}
program.parseAsync().catch((error: unknown) => {
  complain(error);
  stopChildren();
  process.exitCode = EXIT.failed;
});
