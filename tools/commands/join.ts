// hmap join: makes one table of its shards.

import { type Command, Option } from 'commander';
import type { MergeSummary } from '../../src/index.js';
import { joinShards } from '../../src/internal.js';
import { counted, humanBytes, jsonLine, parseMemory, printable, say } from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { shardsOf } from './shard-folder.js';
import { stoppable } from './stoppable.js';

interface Options {
  output: string;
  memory?: number;
  check: 'header' | 'touch';
  force?: boolean;
  json?: boolean;
}

export function addJoin(program: Command): void {
  const command = program
    .command('join')
    .summary('make one table of its shards')
    .description(
      'Makes one table of its shards: byte for byte the file that was divided, or that a build of all entries would have made. Takes a folder with a manifest, the manifest, or the shards themselves in any order; one that is missing, or of another version than ' +
        'the manifest means, is named. The shards are read twice, in fixed memory.',
    )
    .argument('<shard...>', 'the folder, the manifest, or all shards')
    .requiredOption('-o, --output <file>', 'the .hmap file to make')
    .option('-m, --memory <size>', 'memory for entries that are built anew (default: 256M)', parseMemory)
    .option('--force', 'replace the output if it exists')
    .addOption(
      new Option('--check <what>', 'what to compare with its checksum: the header, or each block before it is used')
        .choices(['header', 'touch'])
        .default('touch'),
    )
    .option('--json', 'print the summary as JSON')
    .action(runJoin);
  examples(command, 'hmap join shards -o whole.hmap');
}

async function runJoin(given: string[], options: Options): Promise<void> {
  const paths = given.length === 1 && !given[0]!.endsWith('.hmap') ? shardsOf(given[0]!).paths : given;
  const { output, memory, check, force, json } = options;
  const progress = new Progress();
  const work = async (signal: AbortSignal) => {
    const summary = await joinShards(paths, output, {
      check,
      overwrite: force === true,
      signal,
      ...(memory !== undefined && { memory }),
      onProgress: ({ phase, entries, total }) =>
        progress.update(phase === 'write' ? 'writing' : 'counting', 'entries', entries, total),
    });
    progress.stop();
    report(summary, paths.length, output, json === true);
  };
  await stoppable(output, work).finally(() => progress.stop());
}

function report(summary: MergeSummary, shards: number, output: string, json: boolean): void {
  if (json) {
    process.stdout.write(jsonLine({ ...summary, shards }));
    return;
  }
  const { entries, fileBytes, seconds, reseeded } = summary;
  const anew = reseeded === 0 ? '' : `; ${counted(reseeded, 'shard')} built anew with another seed`;
  say(
    `${printable(output)}: ${counted(entries, 'entry', 'entries')} of ${counted(shards, 'shard')}, ${humanBytes(fileBytes)}, ${seconds.toFixed(2)} s${anew}`,
  );
}
