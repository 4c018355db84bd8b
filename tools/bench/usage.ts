// Loaded before another program (`node --import`): when that ends, writes what it took to the file that the environment
// names, as JSON: processor time of all its threads in seconds, and the bytes that it has written. Knows nothing of the
// program.

import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const path = process.env.BENCH_USAGE_FILE;
  if (path === undefined) return;
  const { user, system } = process.cpuUsage();
  writeFileSync(path, JSON.stringify({ seconds: (user + system) / 1e6, written: writtenBytes() }));
});

/** What was handed to the system to be written; 0 where it does not say. */
function writtenBytes(): number {
  if (process.platform !== 'linux') return 0;
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
}
