// hmap join: makes one table of its shards.

import type { Command } from 'commander';
import type { MergeSummary } from '../../src/index.js';
import { checkedShards, gatherShards, joinShards } from '../../src/internal.js';
import { counted, humanBytes, jsonLine, printable, say } from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { addMergeFlags, type MergeFlags, mergeOptionsOf } from './merge-flags.js';
import { stoppable } from './stoppable.js';

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
    .action(runJoin);
  addMergeFlags(command).option(
    '--manifest',
    'join nothing, and write a manifest for shards that were built one by one; --output is their folder',
  );
  examples(command, 'hmap join shards -o whole.hmap', 'hmap join --manifest --force shards/*.hmap -o shards');
}

async function runJoin(given: string[], options: MergeFlags & { manifest?: boolean }): Promise<void> {
  if (options.manifest) {
    await writeManifest(given, options);
    return;
  }
  const paths = given.length === 1 && !given[0]!.endsWith('.hmap') ? checkedShards(given[0]!) : given;
  const { output, json } = options;
  const progress = new Progress();
  const work = async (signal: AbortSignal) => {
    const summary = await joinShards(paths, output, mergeOptionsOf(options, signal, progress));
    progress.stop();
    report(summary, paths.length, output, json === true);
  };
  await stoppable(output, work).finally(() => progress.stop());
}

async function writeManifest(given: string[], { output, force = false, json = false }: MergeFlags): Promise<void> {
  const { entries, fileBytes } = await gatherShards(given, output, force);
  if (json) process.stdout.write(jsonLine({ path: output, shards: given.length, entries, fileBytes }));
  else
    say(
      `${printable(output)}: ${counted(given.length, 'shard')} of ${counted(entries, 'entry', 'entries')}, ${humanBytes(fileBytes)}`,
    );
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
