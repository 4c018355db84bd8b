// Runs one trial in a process of its own and hands back what it printed. Knows processes; does not know what they measure.

import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** Trials that are running; they must not outlive the bench. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** How to start a process. */
export interface Start {
  /** A compiled module of this folder. */
  readonly script: string;
  /** Given as JSON in the first argument; `taskOf` reads it. */
  readonly task: unknown;
  /** Options for node itself. */
  readonly flags?: readonly string[];
}

function launch({ script, task, flags = [] }: Start): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const args = [...flags, path, JSON.stringify(task)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  child.on('close', () => running.delete(child));
  return child;
}

function ended(child: ChildProcess, script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${script} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** Runs a module that prints one JSON value. */
export async function runFresh<T>(start: Start): Promise<T> {
  const child = launch(start);
  const [printed] = await Promise.all([text(child.stdout!), ended(child, start.script)]);
  return JSON.parse(printed) as T;
}

/** Runs a module until it prints its one line of JSON; `ms` is the time from the start of the process to that line. */
export async function timeToLine<T>(start: Start): Promise<{ ms: number; line: T }> {
  const began = performance.now();
  const child = launch(start);
  let ms = 0;
  child.stdout!.once('data', () => {
    ms = performance.now() - began;
  });
  const [printed] = await Promise.all([text(child.stdout!), ended(child, start.script)]);
  return { ms, line: JSON.parse(printed) as T };
}
