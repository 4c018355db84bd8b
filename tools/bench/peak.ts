// Loaded before another program (`node --import`): when that ends, writes its peak of physical memory, in bytes, to the
// file that the environment names. Knows nothing of the program.

import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const path = process.env.BENCH_PEAK_FILE;
  if (path !== undefined) writeFileSync(path, String(peakBytes()));
});

/** What getrusage reports is not used on Linux: there a process inherits the peak of the one that started it. */
function peakBytes(): number {
  if (process.platform !== 'linux') return 1024 * process.resourceUsage().maxRSS;
  const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return 1024 * Number(kilobytes);
}
