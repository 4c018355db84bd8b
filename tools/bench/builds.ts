// How long tables take to build: whole processes from a file, and from pairs in memory. Knows how each is started.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cdbBuild, ensureCdbInput } from './cdb.js';
import { run, runTask } from './child.js';
import { ENTRIES } from './data.js';
import type { Answer as IntegersAnswer, Task as IntegersTask } from './integers-child.js';
import { readLines } from './lines.js';
import { NODE_ARGS } from './lookups.js';
import type { Dataset, Figure, Group, Subject } from './model.js';
import type { PairsTask } from './pairs-child.js';
import { HMAP } from './places.js';
import { Samples } from './samples.js';
import type { Session } from './session.js';

interface Build {
  readonly metric: 'build' | 'build pairs' | 'build integers' | 'build columns' | 'dump';
  readonly subject: Subject;
  readonly dataset: Dataset;
  readonly note?: string;
  /** Builds once; gives the seconds. */
  run(): Promise<number>;
}

/** A group for each data set; dumps, which read what builds make, are among them. */
export function buildGroups(session: Session): Group[] {
  const datasets: Dataset[] = session.full ? ['46k', '1M', '10M'] : ['46k', '1M'];
  const wanted = datasets.filter((dataset) => SUBJECTS.some((words) => session.wants(...words, dataset)));
  return wanted.map((dataset) => ({ name: `builds, ${dataset}`, measure: () => measureBuilds(session, dataset) }));
}

/** What there is to be measured of each data set, if all is installed. */
const SUBJECTS = [
  ['build', 'hmap'],
  ['build', 'hmap-js'],
  ['build', 'cdb'],
  ['build pairs', 'hmap'],
  ['build pairs', 'Map'],
  ['build integers', 'hmap'],
  ['build columns', 'hmap'],
  ['dump', 'hmap'],
];

async function measureBuilds(session: Session, dataset: Dataset): Promise<Figure[]> {
  const samples = new Samples();
  const builds = (await buildsOf(session, dataset)).filter(({ metric, subject }) =>
    session.wants(metric, subject, dataset),
  );
  for (let round = 1; round <= session.rounds; round++) {
    for (const { metric, subject, note, run } of builds) {
      const seconds = await run();
      samples.add(
        { metric, subject, dataset, values: 'u32', unit: 's', ...(note === undefined ? {} : { note }) },
        seconds,
      );
      session.log(`${metric} ${subject} ${dataset}: ${seconds.toFixed(2)} s (round ${round} of ${session.rounds})`);
    }
  }
  return samples.figures();
}

async function buildsOf(session: Session, dataset: Dataset): Promise<Build[]> {
  const { tsv } = await session.source(dataset, 'u32');
  const output = join(session.cache, `built-${process.pid}.tmp`);
  const command = [HMAP, 'build', '--value', 'u32', tsv, output];
  const note = 'the command, from tab-separated lines; the file is on the disk when it ends';
  const builds = (['hmap', 'hmap-js'] as const).map((subject): Build => {
    const env = subject === 'hmap' ? {} : { HMAP_NO_CORE: '1' };
    const run = () => fromFile(tsv, output, process.execPath, command, env);
    return { metric: 'build', subject, dataset, note, run };
  });
  if (session.cdb !== undefined) {
    const input = ensureCdbInput(tsv);
    builds.push({
      metric: 'build',
      subject: 'cdb',
      dataset,
      note: 'cdb -c -m; does not wait for the disk',
      run: () => fromFile(input, output, ...cdbBuild(input, output)),
    });
  }
  if (dataset === '46k') return builds;
  for (const subject of ['hmap', 'Map'] as const) {
    const run = () => fromPairs({ subject, tsv, output });
    builds.push({ metric: 'build pairs', subject, dataset, run });
  }
  const entries = ENTRIES[dataset as Exclude<Dataset, 'npm-names'>];
  for (const columns of [false, true]) {
    const metric = columns ? 'build columns' : 'build integers';
    const note = columns ? 'u64 keys and u32 values, 65,536 a chunk' : 'the same as pairs from a generator';
    const run = () => fromIntegers({ entries, output, values: true, columns });
    builds.push({ metric, subject: 'hmap', dataset, note, run });
  }
  const { tables } = await session.files(dataset, 'u32');
  const dumped = 'the command, as jsonl, to a pipe';
  builds.push({ metric: 'dump', subject: 'hmap', dataset, note: dumped, run: () => dump(tables.hmap!) });
  return builds;
}

/** The wall time of a whole process that reads `input`, which is in the page cache. */
async function fromFile(
  input: string,
  output: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  readLines(input, () => {});
  try {
    return (await run(command, args, { env })).seconds;
  } finally {
    rmSync(output, { force: true });
  }
}

/** The wall time of a whole process whose output another one reads and drops. */
async function dump(table: string): Promise<number> {
  readFileSync(table);
  const command = `"${process.execPath}" "${HMAP}" dump "${table}" | cat > /dev/null`;
  return (await run('sh', ['-c', command])).seconds;
}

async function fromIntegers(task: IntegersTask): Promise<number> {
  try {
    return (await runTask<IntegersAnswer>('./integers-child.js', task)).seconds;
  } finally {
    rmSync(task.output, { force: true });
  }
}

async function fromPairs(task: PairsTask): Promise<number> {
  try {
    return (await runTask<{ seconds: number }>('./pairs-child.js', task, NODE_ARGS)).seconds;
  } finally {
    rmSync(task.output, { force: true });
  }
}
