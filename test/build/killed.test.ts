// Builds that are killed or stopped at any moment, and builds of one output at the same time: what is under its name is
// always whole, and nothing else stays. Which files of killed builds may be removed is leftovers.test.ts; what a disk
// refuses is refusing-disk.test.ts.

import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build, verify } from '../../src/index.js';
import { Random } from '../support/random.js';
import { contentOf, temporaryFolder } from '../support/temp.js';
import { assertSameFile, type Running, start } from '../support/tools.js';
import type { Order, Task } from './doomed.js';
import { TEMPORARY } from './temporary-names.js';
import { entriesOf, KINDS, type Kind, optionsOf, versionIn } from './versions.js';

const DOOMED = fileURLToPath(new URL('./doomed.js', import.meta.url));
const windows = process.platform === 'win32';
const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** The version that is there before, and the one that is built afterwards. */
const OLD = 0;
const NEXT = 1_000_000;

/** A process that builds; see there. */
class Doomed {
  readonly child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  #said = '';

  /**
   * @param before the number of the call of the file system before which it is killed
   * @param prefix what comes before the command
   */
  constructor(
    path: string,
    kind: Kind,
    task: Task,
    { before, prefix = [] }: { before?: number; prefix?: string[] } = {},
  ) {
    const [command, ...args] = [...prefix, process.execPath, DOOMED, path, kind, task];
    if (before !== undefined) args.push(`${before}`);
    this.child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.child, 'close');
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  /** Waits for a word of the process, or its end. */
  async says(word: string): Promise<void> {
    let over = false;
    const closed = this.#closed.then(() => {
      over = true;
    });
    while (!this.has(word) && !over) {
      await Promise.race([closed, new Promise((resolve) => this.child.stdout!.once('data', resolve))]);
    }
  }

  has(word: string): boolean {
    return this.#said.includes(`${word}\n`);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    assert.deepEqual(await this.#closed, [null, 'SIGKILL']);
  }
}

/** Calls `act` for each item, four at a time. */
async function fourAtOnce<T>(items: Iterable<T>, act: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items].reverse();
  const lane = async () => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await act(item);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

describe('a killed build', () => {
  const folder = temporaryFolder({ after });
  const oldFile = (kind: Kind) => join(folder, `old-${kind}.hmap`);
  /**
   * Milliseconds that a build takes here, at once with others: from when it is ready, and from when its entries were
   * taken.
   */
  const spans = {} as Record<Kind, { ready: number; read: number }>;

  before(async () => {
    await fourAtOnce(KIND_NAMES, async (kind) => {
      await build(oldFile(kind), entriesOf(kind, OLD), optionsOf(kind, OLD));
      const process = new Doomed(join(folder, `span-${kind}.hmap`), kind, 'once');
      const times: number[] = [];
      for (const word of ['ready', 'read', 'done']) {
        await process.says(word);
        times.push(performance.now());
      }
      await process.kill();
      spans[kind] = { ready: times[2]! - times[0]!, read: times[2]! - times[1]! };
    });
  });

  /** What a killed build has left of its output `path`. */
  interface Left {
    /** Undefined when there is no file. */
    version: number | undefined;
    /** Sizes of temporary files. */
    temporary: number[];
    /** Names of the one output. */
    names: number;
  }

  /** Holds a folder to what a killed build may leave, builds again, and holds it to what that must leave. */
  async function examine(path: string, kind: Kind, pid: number, what: string): Promise<Left> {
    const place = join(path, '..');
    const temporary = readdirSync(place).filter((name) => name !== 'out.hmap');
    for (const name of temporary) assert.deepEqual(TEMPORARY.exec(name)?.slice(1, 3), ['out.hmap', `${pid}`], what);
    const left = {
      version: existsSync(path) ? await versionIn(path, kind) : undefined,
      temporary: temporary.map((name) => statSync(join(place, name)).size),
      names: existsSync(path) ? statSync(path).nlink : 0,
    };
    await build(path, entriesOf('small', NEXT), optionsOf('small', NEXT));
    assert.equal(await versionIn(path, 'small'), NEXT, what);
    assert.deepEqual(readdirSync(place), ['out.hmap'], what);
    return left;
  }

  /** A fresh folder's output, with an old file of a kind. */
  function placeFor(run: string, old: Kind | undefined): string {
    const place = join(folder, run);
    mkdirSync(place);
    const path = join(place, 'out.hmap');
    if (old !== undefined) copyFileSync(oldFile(old), path);
    return path;
  }

  test('at 200 moments', async (t) => {
    const random = new Random(1);
    const runs = Array.from({ length: 200 }, (_, i) => {
      const kind = random.pick(KIND_NAMES);
      const task: Task = i % 2 === 0 ? 'again' : random.pick(['once', 'new'] as const);
      const from = random.pick(['ready', 'read'] as const);
      // Later versions take a fraction of the time of the first one.
      const moment = (random.u32() / 2 ** 32) * (task === 'again' ? 2 : 1.2);
      return { i, kind, task, from, moment };
    });
    const counts = { nothing: 0, old: 0, new: 0, leftovers: 0, 'leftovers with content': 0 };
    await fourAtOnce(runs, async ({ i, kind, task, from, moment }) => {
      const path = placeFor(`${i}`, task === 'again' ? kind : undefined);
      const process = new Doomed(path, kind, task);
      await process.says(from);
      await sleep(moment * spans[kind][from]);
      await process.kill();

      const what = `run ${i}: ${kind}, ${task}, ${moment * spans[kind][from]} ms after ${from}`;
      const { version, temporary } = await examine(path, kind, process.child.pid!, what);
      if (task === 'again') assert.ok(version !== undefined, `${what}: the old file is lost`);
      else assert.ok(version === undefined || version === 1, what);
      counts[version === undefined ? 'nothing' : version === OLD ? 'old' : 'new']++;
      if (temporary.length > 0) counts.leftovers++;
      if (temporary.some((size) => size > 0)) counts['leftovers with content']++;
    });
    t.diagnostic(JSON.stringify(counts));
    assert.equal(counts.nothing + counts.old + counts.new, 200);
    for (const [name, count] of Object.entries(counts)) assert.ok(count > 0, `${name}: ${JSON.stringify(counts)}`);
  });

  const NOTHING = 'nothing, 0 temporary, 0 names';
  for (const { kind, task, old, stages } of [
    {
      kind: 'small',
      task: 'once',
      old: true,
      // The first temporary file shows which rights a new one gets here.
      stages: [
        'old, 0 temporary, 1 names',
        'old, 1 temporary, 1 names',
        'old, 0 temporary, 1 names',
        'old, 1 temporary, 1 names',
        'new, 0 temporary, 1 names',
      ],
    },
    {
      kind: 'small',
      task: 'new',
      old: false,
      stages: [
        NOTHING,
        'nothing, 1 temporary, 0 names',
        NOTHING,
        'nothing, 1 temporary, 0 names',
        'new, 1 temporary, 2 names',
        'new, 0 temporary, 1 names',
      ],
    },
    {
      kind: 'spilling',
      task: 'once',
      old: false,
      stages: [
        NOTHING,
        'nothing, 1 temporary, 0 names',
        NOTHING,
        'nothing, 1 temporary, 0 names',
        'nothing, 2 temporary, 0 names',
        'nothing, 1 temporary, 0 names',
        'new, 0 temporary, 1 names',
      ],
    },
  ] as const) {
    const what = `${kind}, ${task}, ${old ? 'an' : 'no'} old file`;
    test(`before each of its calls of the file system: ${what}`, { skip: windows && 'no signals' }, async (t) => {
      const seen: string[] = [];
      for (let over = false; !over; ) {
        const next = [1, 2, 3, 4].map((more) => seen.length + more);
        await fourAtOnce(next, async (call) => {
          const path = placeFor(`${kind}-${task}-${call}`, old ? kind : undefined);
          const process = new Doomed(path, kind, task, { before: call });
          await process.says('done');
          over ||= process.has('done');
          await process.kill();
          const { version, temporary, names } = await examine(path, kind, process.child.pid!, `call ${call}`);
          const what = version === undefined ? 'nothing' : version === OLD ? 'old' : 'new';
          seen[call - 1] = `${what}, ${temporary.length} temporary, ${names} names`;
        });
      }
      t.diagnostic(`${seen.length} kills`);
      assert.deepEqual(
        seen.filter((stage, i) => stage !== seen[i - 1]),
        stages,
      );
    });
  }
});

describe('two builds at once', () => {
  /** A process that builds the output on request. */
  class Rival {
    readonly #child: ChildProcess;

    constructor(path: string, kind: Kind) {
      this.#child = fork(DOOMED, [path, kind, 'told']);
    }

    /** Waits for what it has to say; `undefined` when it has ended. */
    async answer(): Promise<unknown> {
      const stop = new AbortController();
      const { signal } = stop;
      const said = once(this.#child, 'message', { signal }).then(([message]) => message);
      const gone = once(this.#child, 'exit', { signal }).then(() => undefined);
      said.catch(() => {});
      gone.catch(() => {});
      const answer = await Promise.race([said, gone]);
      stop.abort();
      return answer;
    }

    build(order: Order): Promise<unknown> {
      this.#child.send(order);
      return this.answer();
    }

    end(): void {
      this.#child.kill();
    }
  }

  test('the file is one of them, whole, and nothing else is left', async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    const kind = 'spilling';
    const rivals = [new Rival(path, kind), new Rival(path, kind)];
    t.after(() => {
      for (const rival of rivals) rival.end();
    });
    for (const rival of rivals) assert.equal(await rival.answer(), 'ready');
    const random = new Random(2);
    const won = [0, 0];
    for (let round = 0; round < 30; round++) {
      const overwrite = round < 20;
      if (!overwrite) rmSync(path);
      const answers = await Promise.all(
        rivals.map((rival, i) => rival.build({ version: 2 * round + i, delay: random.below(8), overwrite })),
      );
      const version = await versionIn(path, kind);
      const winner = version - 2 * round;
      assert.ok(winner === 0 || winner === 1, `round ${round}: ${version}`);
      const loser = overwrite ? 'built' : 'HMAP_OUTPUT_EXISTS';
      assert.deepEqual([answers[winner], answers[1 - winner]], ['built', loser], `round ${round}`);
      assert.deepEqual(readdirSync(folder), ['out.hmap'], `round ${round}`);
      won[winner]!++;
    }
    t.diagnostic(JSON.stringify({ won }));
  });

  const unshare = ['unshare', '--pid', '--fork', '--kill-child', 'sh', '-c', '"$0" "$@" & wait'];
  const skip =
    spawnSync(unshare[0]!, [...unshare.slice(1), 'true']).status !== 0 && 'no process numbers of their own here';
  test('where the numbers of processes are others', { skip }, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.hmap');
    const temporary = () => readdirSync(folder).filter((name) => TEMPORARY.test(name));
    const entries = async function* () {
      yield ['a', 1] as const;
      const ours = temporary();
      const other = new Doomed(path, 'small', 'once', { prefix: unshare });
      await other.says('done');
      await other.kill();
      assert.equal(await versionIn(path, 'small'), 1);
      assert.deepEqual(temporary(), ours, 'the other build has left ours alone');
      yield ['b', 2] as const;
    };
    const { entries: count } = await build(path, entries(), { value: 'u8' });
    assert.equal(count, 2);
    assert.deepEqual(readdirSync(folder), ['out.hmap']);

    const killed = new Doomed(path, 'small', 'once', { prefix: unshare, before: 8 });
    await killed.says('done');
    const left = temporary();
    assert.equal(left.length, 1);
    await build(path, [], { value: 'u8' });
    assert.deepEqual(temporary(), left, 'its process may live, for all that is known here');
    const longAgo = Date.now() / 1000 - 25 * 3600;
    utimesSync(join(folder, left[0]!), longAgo, longAgo);
    await build(path, [], { value: 'u8' });
    assert.deepEqual(temporary(), []);
  });
});

describe('a stopped `hmap build`', () => {
  const folder = temporaryFolder({ after });
  const input = join(folder, 'input.tsv');
  const path = (place: string) => join(place, 'out.hmap');

  /** Starts a build, and returns when its temporary file is there and, for `writing`, has content. */
  async function begun(place: string, memory: string, phase: 'reading' | 'writing'): Promise<Running> {
    const running = start(['build', '--force', '-m', memory, input, path(place)]);
    for (let there = false; !there; ) {
      const [name] = readdirSync(place).filter((name) => TEMPORARY.test(name));
      const stat = name === undefined ? undefined : statSync(join(place, name), { throwIfNoEntry: false });
      there = running.child.exitCode !== null || (stat !== undefined && (phase === 'reading' || stat.size > 0));
      await sleep(1);
    }
    return running;
  }

  test('at 20 moments: what it was, or a finished file', { skip: windows && 'no signals' }, async (t) => {
    const random = new Random(3);
    const lines = Array.from({ length: 150_000 }, (_, i) => `key ${i}\t${random.text(40)}\n`);
    writeFileSync(input, lines.join(''));
    const memories = ['1M', '64M'];
    const phases = ['reading', 'writing'] as const;
    // How long it takes here from the start of a phase to the end.
    const spans: Record<string, number> = {};
    for (const memory of memories) {
      for (const phase of phases) {
        const place = join(folder, `${memory}-${phase}`);
        mkdirSync(place);
        const { ended } = await begun(place, memory, phase);
        const started = performance.now();
        assert.equal((await ended).code, 0);
        spans[`${memory} ${phase}`] = performance.now() - started;
      }
    }
    const finished = readFileSync(path(join(folder, '1M-reading')));
    assert.ok((await verify(path(join(folder, '1M-reading')))).ok);
    const counts = { finished: 0, stopped: 0, 'stopped while writing': 0 };
    const runs = Array.from({ length: 20 }, (_, i) => {
      const memory = memories[(i >> 1) & 1]!;
      return { i, memory, phase: phases[i & 1]!, old: i % 8 < 4, moment: (1.2 * random.u32()) / 2 ** 32 };
    });
    await fourAtOnce(runs, async ({ i, memory, phase, old, moment }) => {
      const place = join(folder, `${i}`);
      mkdirSync(place);
      if (old) await build(path(place), entriesOf('small', OLD), optionsOf('small', OLD));
      const before = contentOf(place);
      const { child, ended } = await begun(place, memory, phase);
      await sleep(moment * spans[`${memory} ${phase}`]!);
      const signal = random.pick(['SIGINT', 'SIGTERM'] as const);
      child.kill(signal);
      const ran = await ended;
      const what = `run ${i}: ${JSON.stringify({ ...ran, bytes: undefined })}`;
      if (ran.stderr.startsWith('hmap: stopped')) {
        assert.deepEqual([ran.code, ran.stdout], [signal === 'SIGINT' ? 130 : 143, ''], what);
        assert.equal(ran.stderr, `hmap: stopped; ${path(place)} is unchanged\n`);
        assert.deepEqual(contentOf(place), before, what);
        if (old) assert.equal(await versionIn(path(place), 'small'), OLD);
        counts[phase === 'writing' ? 'stopped while writing' : 'stopped']++;
      } else {
        // The signal may also come when there is nothing more to stop but the process.
        assert.ok(ran.code === 0 || ran.signal === signal, what);
        assertSameFile(path(place), finished, what);
        assert.deepEqual(readdirSync(place), ['out.hmap'], what);
        counts.finished++;
      }
    });
    t.diagnostic(JSON.stringify(counts));
    assert.ok(counts.stopped > 0 && counts['stopped while writing'] > 0, JSON.stringify(counts));
  });
});
