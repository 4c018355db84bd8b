// The physical memory of several processes that hold the same table at the same time. Does not know how a process holds
// it.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Context } from './context.js';
import type { Subject } from './model.js';
import type { Samples } from './samples.js';
import type { Holding, Message, Task } from './shared-child.js';

const CHILD = fileURLToPath(new URL('shared-child.js', import.meta.url));
const COUNTS = [1, 2, 4, 8];
/** PSS hardly differs from one trial to the next. */
const MOST_ROUNDS = 3;

interface Contender {
  readonly holding: Holding;
  readonly subject: Subject;
  readonly metric: string;
  readonly note: string;
  /** Numbers of processes, where not all of `COUNTS`. */
  readonly counts?: readonly number[];
}

const CONTENDERS: readonly Contender[] = [
  { holding: 'none', subject: 'node', metric: 'pss', note: 'bare processes' },
  {
    holding: 'modules',
    subject: 'node',
    metric: 'pss, modules loaded',
    note: 'hmap and koffi loaded, no table opened',
  },
  { holding: 'hmap', subject: 'hmap', metric: 'pss', note: 'every page touched through a view' },
  {
    holding: 'hmap, iterated',
    subject: 'hmap',
    metric: 'pss, iterated',
    note: 'all entries read as strings and numbers besides',
    counts: [1, 8],
  },
  { holding: 'Map', subject: 'Map', metric: 'pss', note: 'filled from the TSV' },
];

/** Runs `count` processes at once; gives the sum of their PSS, or `undefined` if the system does not say. */
async function pssOf(task: Task, count: number): Promise<number | undefined> {
  const children = Array.from({ length: count }, () =>
    fork(CHILD, [JSON.stringify(task)], { execArgv: ['--expose-gc'] }),
  );
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', killAll);
  try {
    await Promise.all(children.map((child) => next(child, 'ready')));
    let total: number | undefined = 0;
    for (const message of await Promise.all(children.map(measure))) {
      total = message.pss === undefined || total === undefined ? undefined : total + message.pss;
    }
    return total;
  } finally {
    killAll();
    process.off('exit', killAll);
  }
}

function measure(child: ChildProcess): Promise<Extract<Message, { kind: 'memory' }>> {
  const heard = next(child, 'memory');
  child.send('measure');
  return heard;
}

async function next<K extends Message['kind']>(child: ChildProcess, kind: K): Promise<Extract<Message, { kind: K }>> {
  const over = new AbortController();
  const { signal } = over;
  const exited = once(child, 'exit', { signal }).then(([code, by]) => {
    throw new Error(`a process that holds the table ended too early (${by ?? `exit code ${code}`})`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), exited])) as [Message];
    if (message.kind !== kind) throw new Error(`expected '${kind}' from a process, got '${message.kind}'`);
    return message as Extract<Message, { kind: K }>;
  } finally {
    over.abort();
    exited.catch(() => {});
  }
}

export async function measureShared(context: Context, samples: Samples): Promise<void> {
  const { tsv, tables, entries } = await context.files('1M', 'u32');
  const rounds = Math.min(context.rounds, MOST_ROUNDS);
  for (let round = 0; round < rounds; round++) {
    for (const count of COUNTS) {
      for (const { holding, subject, metric, note, counts } of CONTENDERS) {
        if (counts !== undefined && !counts.includes(count)) continue;
        context.log(`${metric} ${subject} 1M, ${count} processes, round ${round + 1} of ${rounds}`);
        const pss = await pssOf({ holding, table: tables.hmap!, tsv, entries }, count);
        if (pss === undefined) {
          context.log('pss: not measured, the system does not say');
          return;
        }
        const figure = { metric, subject, dataset: '1M', values: 'u32', unit: 'bytes', count, note } as const;
        samples.add(figure, pss);
      }
    }
  }
}
