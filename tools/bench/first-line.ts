// Times a process from its start to its first line. Knows processes; does not know what they do.

import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { start } from './child.js';

/**
 * Runs a file of the bench, which prints one line of JSON; `ms` is the time from the start of the process to that line.
 */
export async function timeToLine<T>(script: string, task: unknown): Promise<{ ms: number; line: T }> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const began = performance.now();
  const child = start(process.execPath, [path, JSON.stringify(task)]);
  let ms = 0;
  child.stdout!.once('data', () => {
    ms = performance.now() - began;
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const [line, errors] = await Promise.race([Promise.all([text(child.stdout!), text(child.stderr!)]), failed]);
  if (line === '') throw new Error(`${script} printed nothing: ${errors.trim().split('\n')[0] ?? ''}`);
  return { ms, line: JSON.parse(line) as T };
}
