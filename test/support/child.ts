// Runs scripts against the compiled library in processes of their own, where a crash shows as a signal.

import { spawn } from 'node:child_process';
import { LIBRARY_URL, PACKAGE_ROOT } from './root.js';

export interface Outcome {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

interface Settings {
  /** Options for node itself. */
  flags?: readonly string[];
  /** A limit for the process, as the shell's `ulimit` takes it. */
  limit?: string;
  /** A file to which the process writes its id before it starts: the list of a cgroup's processes. */
  join?: string;
  /** After how many it is killed; 20 if nothing is said. */
  seconds?: number;
}

/**
 * Runs a module in which the library is `hmap`. Killed after 20 s.
 * @param args what the script finds in `process.argv` from 1 on
 */
export function runModule(script: string, args: readonly string[] = [], settings: Settings = {}): Promise<Outcome> {
  const whole = `import * as hmap from ${JSON.stringify(LIBRARY_URL.href)};\n${script}`;
  return runNode([...(settings.flags ?? []), '--input-type=module', '-e', whole, '--', ...args], settings);
}

/** What Node prints when node:ffi is loaded. */
const FFI_WARNING = /^\(node:\d+\) ExperimentalWarning: FFI .*\n\(Use .*\n/gm;

/** Runs node. Killed after 20 s, or as many as `seconds` says. */
export function runNode(args: readonly string[], settings: Omit<Settings, 'flags'> = {}): Promise<Outcome> {
  const { limit, join, seconds = 20 } = settings;
  const steps = [
    ...(limit === undefined ? [] : [`ulimit ${limit}`]),
    ...(join === undefined ? [] : [`echo $$ > ${join}`]),
  ];
  const node = [process.execPath, ...args];
  const [command, ...rest] = steps.length === 0 ? node : ['sh', '-c', `${steps.join('; ')}; exec "$0" "$@"`, ...node];
  return new Promise((resolve, reject) => {
    const child = spawn(command!, rest, {
      cwd: PACKAGE_ROOT,
      timeout: 1000 * seconds,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const outcome: Outcome = { status: null, signal: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      outcome.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      outcome.stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      resolve({ ...outcome, status, signal, stderr: outcome.stderr.replace(FFI_WARNING, '') });
    });
  });
}
