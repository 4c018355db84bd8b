// Runs several processes at once and keeps them in step: all look up, then all measure while all are alive, then all
// go. Does not know what they hold.

import { type ChildProcess, fork } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Memory } from './memory.js';
import type { FromReader, Lookups, Task, ToReader } from './protocol.js';

const READER = fileURLToPath(new URL('reader.js', import.meta.url));

export interface Reading extends Lookups {
  memory: Memory;
}

/** One process of a round. */
class Reader {
  static readonly #running = new Set<Reader>();
  readonly #child: ChildProcess;
  /** Names it in a message. */
  readonly #name: string;

  constructor(task: Task) {
    this.#name = `a process (${task.holding}, ${basename(task.queries)})`;
    this.#child = fork(READER, [JSON.stringify(task)], { execArgv: ['--expose-gc'] });
    // Sending to a process that has just died is an error too; its exit says more.
    this.#child.on('error', () => {});
    Reader.#running.add(this);
  }

  /** Ends every process that is left. */
  static stopAll(): void {
    for (const reader of Reader.#running) reader.stop();
  }

  say(message: ToReader): void {
    this.#child.send(message);
  }

  stop(): void {
    Reader.#running.delete(this);
    this.#child.kill('SIGKILL');
  }

  /** Its next message of a kind. */
  async hear<K extends 'ready' | 'memory'>(kind: K): Promise<Extract<FromReader, { kind: K }>> {
    const message = await this.#next<FromReader>('message');
    if (message.kind === 'failed') throw new Error(`${this.#name} failed: ${message.message}`);
    if (message.kind !== kind) throw new Error(`${this.#name} said '${message.kind}' when '${kind}' was expected`);
    return message as Extract<FromReader, { kind: K }>;
  }

  async ended(): Promise<void> {
    const code = await this.#next<number | null>('exit');
    if (code !== 0) throw new Error(`${this.#name} ended with exit code ${code}`);
  }

  #next<T>(event: 'message' | 'exit'): Promise<T> {
    return new Promise((resolve, reject) => {
      const onEvent = (value: unknown) => settle(() => resolve(value as T));
      const onExit = (code: number | null, signal: string | null) =>
        settle(() => reject(new Error(`${this.#name} ended too early (${signal ?? `exit code ${code}`})`)));
      const settle = (then: () => void) => {
        this.#child.off(event, onEvent).off('exit', onExit).off('error', reject);
        then();
      };
      this.#child.on('error', reject).on(event, onEvent);
      if (event !== 'exit') this.#child.on('exit', onExit);
    });
  }
}

export const stopAllReaders = (): void => Reader.stopAll();

/** Runs one task in `count` processes at once. */
export async function runRound(task: Task, count: number): Promise<Reading[]> {
  const readers = Array.from({ length: count }, () => new Reader(task));
  try {
    const ready = await Promise.all(readers.map((reader) => reader.hear('ready')));
    const measured = readers.map((reader) => reader.hear('memory'));
    for (const reader of readers) reader.say('measure');
    const memories = await Promise.all(measured);
    const ended = readers.map((reader) => reader.ended());
    for (const reader of readers) reader.say('exit');
    await Promise.all(ended);
    return ready.map(({ lookups }, i) => ({ ...lookups, memory: memories[i]!.memory }));
  } finally {
    for (const reader of readers) reader.stop();
  }
}
