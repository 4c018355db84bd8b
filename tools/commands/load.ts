// hmap load: puts the entries of a table into a Redis server, or a cluster.

import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { HmapError } from '../../src/index.js';
import { ByteBuffer, type EntryScan, scanFile } from '../../src/internal.js';
import { LoadState } from '../load/load-state.js';
import { isAsWritten, REDIS_FORMS, RedisEntries, type RedisEntry, type RedisForm } from '../load/redis-entries.js';
import { RedisServers, withoutPassword } from '../load/redis-servers.js';
import {
  counted,
  EXIT,
  exitWith,
  grouped,
  jsonLine,
  parseInteger,
  printable,
  SIGNAL_EXIT,
  say,
  warn,
} from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { Reservoir } from './dump-filter.js';

/** Entries that are sent at a time, and confirmed together; fewer where they are large. */
const BATCH = 5000;
const BATCH_BYTES = 4 * 2 ** 20;
/** Keys that are named of those that are not as they were written. */
const NAMED = 3;

interface Options {
  cluster?: boolean;
  prefix: string;
  as: RedisForm;
  ttl?: number;
  resume?: boolean;
  state?: string;
  verify: number | 'all';
  seed: number;
  switch?: string;
  replicas?: number;
  patience: number;
  json?: boolean;
}

export function addLoad(program: Command): void {
  const command = program
    .command('load')
    .summary('put the entries of a table into a Redis server or cluster')
    .description(
      'Puts the entries of a table into a Redis server, or a cluster, whose servers may go and come meanwhile; reads some of them back; and can switch those who read to the new version by one key. ' +
        'Needs the package ioredis; without it, hmap dump --format resp <file> | redis-cli --pipe does the plain case.',
    )
    .argument('<file>', 'the .hmap file')
    .argument('<server>', 'its address, redis://host:port, or rediss:// with TLS', parseAddress)
    .option('--cluster', 'the server is one of a cluster')
    .option('--prefix <text>', 'what all keys begin with, such as v42:', '')
    .addOption(
      new Option('--as <form>', 'a string with the text of the value, a hash of its fields, or a string with its JSON')
        .choices(REDIS_FORMS)
        .default('string'),
    )
    .option('--ttl <seconds>', 'how long the entries live (default: for ever)', parseInteger(1, 2 ** 31 - 1))
    .option('--resume', 'go on where an earlier load was stopped')
    .option('--state <file>', 'where is noted how far the load is (default: <file>.load.json here, until it is done)')
    .option('--verify <count>', 'entries to read back at the end: a number, drawn at random, or all', parseVerify, 1000)
    .option('--seed <number>', 'another choice of these for each', parseInteger(0, 0xffff_ffff), 0)
    .option('--switch <key>', 'at the end, if all is well, set this key to the prefix: for readers that ask it first')
    .option(
      '--replicas <count>',
      'replicas that must have an entry before it counts (default: 1 where there are any)',
      parseInteger(0, 100),
    )
    .option(
      '--patience <seconds>',
      'how long servers may be away before the load gives up',
      parseInteger(1, 86_400),
      60,
    )
    .option('--json', 'print what was done as JSON')
    .action(runLoad);
  examples(
    command,
    'hmap load table.hmap redis://127.0.0.1:6379 --prefix v2: --switch current',
    'hmap load table.hmap redis://10.0.0.1:7000 --cluster --verify all',
    'hmap load --resume table.hmap redis://10.0.0.1:7000 --cluster',
    'hmap dump --format resp table.hmap | redis-cli --pipe',
  );
}

function parseAddress(text: string): string {
  if (/^rediss?:\/\/[^/]/.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('Expected an address such as redis://127.0.0.1:6379.');
}

const parseCount = parseInteger(0, Number.MAX_SAFE_INTEGER);

function parseVerify(text: string): number | 'all' {
  return text === 'all' ? text : parseCount(text);
}

async function runLoad(file: string, address: string, options: Options): Promise<void> {
  const stop = new AbortController();
  for (const signal of Object.keys(SIGNAL_EXIT) as (keyof typeof SIGNAL_EXIT)[]) {
    process.once(signal, () => stop.abort(signal));
  }
  const progress = new Progress();
  let state: LoadState | undefined;
  const work = async (scan: EntryScan) => {
    const loading = new Loading(scan, file, address, options, stop.signal, progress);
    state = loading.state;
    return loading.run();
  };
  try {
    const outcome = await scanFile(file, 'touch', (scan) => {
      if (scan.layout !== 'hash') {
        const message = `${file}: the layout is '${scan.layout}'; only tables by key can be loaded`;
        throw new HmapError('HMAP_LAYOUT', message, { path: file, expected: 'hash', actual: scan.layout });
      }
      return work(scan as EntryScan);
    });
    progress.stop();
    exitWith(report(outcome, address, options));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const hint = state === undefined ? '' : `; hmap load --resume goes on (${printable(state.path)})`;
    warn(`stopped${hint}`);
    exitWith(SIGNAL_EXIT[stop.signal.reason as keyof typeof SIGNAL_EXIT]);
  } finally {
    progress.stop();
  }
}

interface Outcome {
  readonly entries: number;
  readonly loaded: number;
  readonly seconds: number;
  readonly masters: number;
  readonly replicas: number;
  readonly verified: number;
  readonly wrong: readonly string[];
  readonly wrongCount: number;
  readonly switchedFrom?: string | null;
}

class Loading {
  readonly state: LoadState;
  readonly #scan: EntryScan;
  readonly #file: string;
  readonly #address: string;
  readonly #options: Options;
  readonly #signal: AbortSignal;
  readonly #progress: Progress;
  readonly #entries: RedisEntries;

  constructor(
    scan: EntryScan,
    file: string,
    address: string,
    options: Options,
    signal: AbortSignal,
    progress: Progress,
  ) {
    const { as, prefix, ttl, state } = options;
    const { header } = scan;
    this.#scan = scan;
    this.#file = file;
    this.#address = address;
    this.#options = options;
    this.#signal = signal;
    this.#progress = progress;
    this.#entries = new RedisEntries(header, as, prefix, ttl);
    this.state = new LoadState(state ?? `${basename(file)}.load.json`, {
      table: `${header.fileBytes}-${header.checksums.sum.toString(16)}`,
      server: withoutPassword(address),
      prefix,
      as,
      ttl: ttl ?? null,
    });
  }

  async run(): Promise<Outcome> {
    const { cluster = false, replicas, patience, resume = false } = this.#options;
    const from = (resume ? this.state.resume() : undefined) ?? 0;
    const started = performance.now();
    const servers = await RedisServers.connect(this.#address, {
      isCluster: cluster,
      replicas,
      patience: 1000 * patience,
      signal: this.#signal,
      warn,
    });
    try {
      const total = this.#scan.header.entries;
      await this.#load(servers, from, total);
      const seconds = (performance.now() - started) / 1000;
      const { verified, wrong, wrongCount } = await this.#verify(servers);
      const isWhole = wrongCount === 0;
      const switched = isWhole && this.#options.switch !== undefined ? await this.#switch(servers) : {};
      if (isWhole) this.state.remove();
      const { masters } = servers;
      return {
        entries: total,
        loaded: total - from,
        seconds,
        masters,
        replicas: servers.replicas,
        verified,
        wrong,
        wrongCount,
        ...switched,
      };
    } finally {
      servers.close();
    }
  }

  async #load(servers: RedisServers, from: number, total: number): Promise<void> {
    let confirmed = 0;
    let batch: RedisEntry[] = [];
    let bytes = 0;
    const flush = async () => {
      if (batch.length === 0) return;
      await servers.write(batch);
      confirmed += batch.length;
      batch = [];
      bytes = 0;
      this.state.note(confirmed);
      this.#progress.update('loading', 'entries', confirmed, total);
    };
    this.state.note(from, true);
    try {
      while (this.#scan.step()) {
        if (confirmed < from) {
          confirmed++;
          continue;
        }
        const { key, value } = this.#scan;
        batch.push(this.#entries.entry(key, value));
        bytes += key.length + value.length;
        if (batch.length >= BATCH || bytes >= BATCH_BYTES) await flush();
      }
      await flush();
    } finally {
      // Also where it ends early.
      this.state.note(Math.max(confirmed, from), true);
    }
  }

  async #verify(servers: RedisServers): Promise<Pick<Outcome, 'verified' | 'wrong' | 'wrongCount'>> {
    const { verify, seed } = this.#options;
    const wrong: string[] = [];
    let [verified, wrongCount] = [0, 0];
    const check = async (entries: readonly RedisEntry[]) => {
      await servers.read(entries, (entry, reply) => {
        verified++;
        if (isAsWritten(entry, reply)) return;
        wrongCount++;
        if (wrong.length < NAMED) wrong.push(entry.key.toString());
      });
      this.#progress.update('verifying', 'entries', verified, verify === 'all' ? this.#scan.header.entries : verify);
    };
    if (verify === 0) return { verified, wrong, wrongCount };
    const reservoir = verify === 'all' ? undefined : new Reservoir(verify, seed);
    let batch: RedisEntry[] = [];
    await scanFile(this.#file, 'touch', async (scan) => {
      const { key, value } = scan as EntryScan;
      while (scan.step()) {
        if (reservoir !== undefined) {
          reservoir.add(() => ({ key: copyOf(key), value: copyOf(value), index: 0, number: 0 }));
          continue;
        }
        batch.push(this.#entries.entry(key, value));
        if (batch.length < BATCH) continue;
        await check(batch);
        batch = [];
      }
    });
    for (const kept of reservoir?.entries ?? []) batch.push(this.#entries.entry(kept.key, kept.value));
    for (let at = 0; at < batch.length; at += BATCH) await check(batch.slice(at, at + BATCH));
    return { verified, wrong, wrongCount };
  }

  async #switch(servers: RedisServers): Promise<Pick<Outcome, 'switchedFrom'>> {
    const { switch: name = '', prefix } = this.#options;
    const before = await servers.call('GET', name);
    await servers.call('SET', name, prefix);
    return { switchedFrom: before === null ? null : String(before) };
  }
}

function copyOf({ buffer, at, length }: EntryScan['key']): EntryScan['key'] {
  return { buffer: new ByteBuffer(Uint8Array.from(buffer.bytes.subarray(at, at + length))), at: 0, length };
}

/** Says what was done; returns the exit code. */
function report(outcome: Outcome, address: string, { json = false, switch: name, prefix }: Options): number {
  const { entries, loaded, seconds, masters, replicas, verified, wrong, wrongCount, switchedFrom } = outcome;
  if (json) {
    process.stdout.write(jsonLine({ server: withoutPassword(address), ...outcome }));
  } else {
    const rest = loaded === entries ? '' : ` (${grouped(entries - loaded)} were there)`;
    const rate = seconds > 0 ? `, ${grouped(Math.round(loaded / seconds))} a second` : '';
    const where = masters === 1 ? '' : ` on ${counted(masters, 'master')}`;
    const copies = replicas === 0 ? '' : `, each confirmed by ${counted(replicas, 'replica')}`;
    say(
      `${withoutPassword(address)}: ${counted(entries, 'entry', 'entries')}${rest} in ${seconds.toFixed(2)} s${rate}${where}${copies}`,
    );
    if (verified > 0 && wrongCount === 0) say(`${counted(verified, 'entry', 'entries')} read back: all right`);
    if (switchedFrom !== undefined) {
      const from = switchedFrom === null ? 'it was not there before' : `it was ${JSON.stringify(switchedFrom)}`;
      say(`${printable(name!)} is now ${JSON.stringify(prefix)}; ${from}`);
    }
  }
  if (wrongCount === 0) return EXIT.fine;
  const named = wrong.map((key) => JSON.stringify(key)).join(', ');
  warn(
    `${grouped(wrongCount)} of ${grouped(verified)} entries that were read back are missing or others: ${named}${wrongCount > wrong.length ? ', ...' : ''}`,
  );
  return EXIT.findings;
}
