// hmap stat: what a file is, what its bytes are spent on, and how it lies in memory.

import type { Command } from 'commander';
import { HmapError, stat, type TableStat } from '../../src/index.js';
import { complain, EXIT, exitWith, jsonLine } from '../terminal/cli.js';
import { coloured, hasColours } from '../terminal/colours.js';
import { examples } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { headerJson } from './header-json.js';
import type { OtherLayouts } from './other-layouts.js';
import { FEW, statText } from './stat-page.js';

interface Options {
  json?: boolean;
  layouts?: boolean;
}

export function addStat(program: Command): void {
  const command = program
    .command('stat')
    .summary('show what the bytes are spent on, what is in memory, and how full the buckets are')
    .description(
      'Shows entries, sections and their share of the file, bytes per entry over the payload (keys and values), what of the file is in memory, how full the buckets are beside what chance would give, ' +
        'how long keys and values are, the largest entries, the fullest buckets, and what other types and layouts would take. Cost: one pass over the file, and another one for other layouts. Of a damaged file it shows what the records seem to be; the exit code is then 1.',
    )
    .argument('<file>', 'the .hmap file')
    .option('--layouts', 'show other types and layouts, and distinct values, also of more than a million entries')
    .option('--no-layouts', 'do not show them, which saves a pass')
    .option('--json', 'print JSON')
    .action(runStat);
  examples(command, 'hmap stat table.hmap', 'hmap stat --json table.hmap | jq .overheadPerEntry');
}

async function runStat(file: string, options: Options): Promise<void> {
  const progress = new Progress();
  let result: TableStat;
  let damaged: HmapError | undefined;
  let others: OtherLayouts | undefined;
  try {
    const onProgress = (done: number, total: number) => progress.update('reading', 'bytes', done, total);
    try {
      result = await stat(file, { onProgress });
    } catch (error) {
      if (!(error instanceof HmapError) || error.code !== 'HMAP_DAMAGED') throw error;
      damaged = error;
      // What is damaged may be a value, which nothing here depends on.
      result = await stat(file, { onProgress, check: 'header' });
    }
    const { header, entries } = result;
    const isWanted = options.layouts ?? (entries <= FEW && entries > 0);
    if (isWanted && header.fingerprint === null && damaged === undefined) {
      const { otherLayouts } = await import('./other-layouts.js');
      others = await otherLayouts(file, header, (done) => progress.update('comparing', 'entries', done, entries));
    }
  } finally {
    progress.stop();
  }
  if (options.json) {
    process.stdout.write(jsonLine({ ...result, header: headerJson(result.header), ...others }));
  } else {
    const page = statText(result, others);
    process.stdout.write(`${hasColours() ? coloured(page) : page}\n`);
  }
  if (damaged !== undefined) complain(damaged);
  exitWith(damaged === undefined ? EXIT.fine : EXIT.findings);
}
