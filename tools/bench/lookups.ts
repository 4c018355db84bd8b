// Runs the trials of lookups, each in a process of its own, all of them once a round. Knows how each subject's trial is
// started.

import { totalmem } from 'node:os';
import { run, runTask } from './child.js';
import type { Source } from './data.js';
import { isIn, type Part, passesOf, planLookups, queriesOf, type Trial } from './lookup-matrix.js';
import { type Figure, type Files, type Group, median } from './model.js';
import { ensureQueries } from './queries.js';
import { Samples } from './samples.js';
import type { Session } from './session.js';
import type { LookupResult, LookupTask } from './task.js';

/** Enough for 10,000,000 entries in a Map; the same for all subjects. */
export const NODE_ARGS = ['--expose-gc', `--max-old-space-size=${Math.floor((totalmem() * 0.6) / 2 ** 20)}`];

const TIMEOUT_MS = 150_000;

/** A group for each data set. */
export function lookupGroups(session: Session): Group[] {
  const parts = planLookups(session.full).map((part) => {
    const trials = part.trials.filter((trial) => session.wants(...wordsOf(trial)));
    return { ...part, trials };
  });
  const wanted = parts.filter(({ trials }) => trials.length > 0);
  return wanted.map((part, db) => ({
    name: `lookups, ${part.dataset}`,
    measure: () => measurePart(session, part, db),
  }));
}

async function measurePart(session: Session, part: Part, db: number): Promise<Figure[]> {
  const samples = new Samples();
  try {
    await session.source(part.dataset, 'u32');
  } catch (error) {
    const why = `${part.dataset}: no data: ${(error as Error).message}`;
    for (const { subject } of part.trials) session.absent(subject, why);
    return [];
  }
  const usesRedis = part.trials.some(({ subject }) => subject === 'redis' || subject === 'redis-pipelined');
  if (usesRedis) await session.redis?.load((await session.source(part.dataset, 'u32')).tsv, db);
  const left = new Set(part.trials);
  for (let round = 1; round <= session.rounds; round++) {
    for (const trial of left) {
      if (!isIn(round, trial)) continue;
      const source = await session.source(part.dataset, trial.values);
      const files = await session.files(part.dataset, trial.values);
      if (!isThere(session, files, trial)) {
        left.delete(trial);
        continue;
      }
      try {
        const ns = median((await runTrial(session, part, trial, source, files, db)).ns);
        samples.add({ ...trial, unit: 'ns' }, ns);
        session.log(`${wordsOf(trial).join(' ')}: ${ns.toFixed(1)} ns (round ${round} of ${session.rounds})`);
      } catch (error) {
        // A peer may be out of its depth; our own table may not.
        if (trial.subject === 'hmap') throw error;
        session.absent(trial.subject, `${wordsOf(trial).join(' ')}: ${(error as Error).message}`);
        left.delete(trial);
      }
    }
  }
  return samples.figures();
}

/** Whether the subject of a trial is there; if it is not, that has been reported. */
function isThere(session: Session, files: Files, { subject }: Trial): boolean {
  if (subject === 'Map' || subject === 'object') return true;
  if (subject === 'redis' || subject === 'redis-pipelined') {
    return session.redis !== undefined && session.folderOf(subject) !== undefined;
  }
  return files.tables[subject] !== undefined;
}

function runTrial(
  session: Session,
  part: Part,
  trial: Trial,
  source: Source,
  files: Files,
  db: number,
): Promise<LookupResult> {
  const { subject, metric, values, count, keys = 'hit', order = 'uniform' } = trial;
  const queries = ensureQueries(source, keys, order, part.most, session.cache);
  const passes = passesOf(trial);
  if (subject === 'cdb') return runCdb(session, files.tables.cdb!, queries, passes);
  const folder = session.folderOf(subject);
  const isRedis = subject === 'redis' || subject === 'redis-pipelined';
  const task: LookupTask = {
    subject,
    metric,
    values,
    entries: source.entries,
    source: source.tsv,
    table: files.tables[subject] ?? source.tsv,
    queries,
    most: queriesOf(part, trial),
    passes,
    ...(folder === undefined ? {} : { folder }),
    ...(count === undefined ? {} : { count }),
    ...(isRedis ? { port: session.redis!.port, db } : {}),
  };
  return runTask(isRedis ? './redis-child.js' : './trial-child.js', task, NODE_ARGS, { timeoutMs: TIMEOUT_MS });
}

async function runCdb(session: Session, table: string, queries: string, passes: number): Promise<LookupResult> {
  const args = [table, `${queries}.keys`, `${queries}.numbers`, String(passes)];
  const { stdout } = await run(session.cdb!.lookup, args, { timeoutMs: TIMEOUT_MS });
  const found = JSON.parse(stdout) as { queries: number; right: number; ns: number[] };
  if (found.right !== found.queries) throw new Error(`${found.right} of ${found.queries} lookups are right`);
  return { ns: found.ns };
}

/** What describes a trial, in the log and for `--only`. */
function wordsOf({ metric, subject, dataset, values, keys, order, count }: Trial): string[] {
  return [metric, subject, dataset, values, keys, order, count?.toString()].filter((word) => word !== undefined);
}
