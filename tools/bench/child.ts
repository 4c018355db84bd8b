// Runs other programs and our own children, and sees to it that none outlives the bench. Does not know what they do.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const running = new Set<ChildProcess>();

/** Ends whatever is still running; called when the bench ends, however it does. */
export function stopChildren(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Starts a program that {@link stopChildren} ends. */
export function start(command: string, args: readonly string[], options: RunOptions = {}): ChildProcess {
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After which the program is ended and counts as failed. Default 15 minutes. */
  readonly timeoutMs?: number;
}

export interface Ran {
  readonly stdout: string;
  /** Wall time from the start of the process to its end. */
  readonly seconds: number;
}

/** Runs a program to its end. Rejects, with the last lines of its stderr, where that is not a success. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const began = performance.now();
  const child = start(command, args, options);
  const limit = options.timeoutMs ?? 15 * 60_000;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, limit);
  const output = collect(child.stdout!);
  const errors = collect(child.stderr!);
  let ended = 0;
  child.once('exit', () => {
    ended = performance.now();
  });
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code === 0) return { stdout: output.join(''), seconds: (ended - began) / 1000 };
    const how = late ? `took more than ${limit / 1000} s` : `ended with ${signal ?? `exit code ${code}`}`;
    throw new Error(`${basename(command)} ${how}${lastLines(errors.join(''))}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a file of the bench in a fresh process of this Node with a task, and gives what it prints. */
export async function runTask<R>(
  script: string,
  task: unknown,
  nodeArgs: readonly string[] = [],
  options: RunOptions = {},
): Promise<R> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await run(process.execPath, [...nodeArgs, path, JSON.stringify(task)], options);
  return JSON.parse(stdout) as R;
}

function collect(stream: NodeJS.ReadableStream): string[] {
  const pieces: string[] = [];
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => pieces.push(piece));
  return pieces;
}

function lastLines(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  // V8 and npm say in such lines what was wrong; the others are stacks and notes.
  const telling = lines.filter((line) => /error|fail|fatal|cannot|not found|no such/i.test(line));
  const last = (telling.length > 0 ? telling : lines)
    .slice(0, 2)
    .map((line) => withoutFolders(line.trim()).slice(0, 200));
  return last.length === 0 ? '' : `: ${last.join(' / ')}`;
}

/** Messages go into results that others read: a path of this machine means nothing there. */
function withoutFolders(line: string): string {
  return line.replace(/(?:file:\/\/)?(?:\/[\w.@+-]+)+\/([\w.@+-]+)/g, '$1');
}
