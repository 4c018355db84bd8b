// hmap split: divides a table into shards.

import type { Command } from 'commander';
import { fileHeader, ShardFolder, writeShard } from '../../src/internal.js';
import { counted, humanBytes, jsonLine, parseShards, printable, say } from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { stoppable } from './stoppable.js';

interface Options {
  shards: number;
  output: string;
  force?: boolean;
  json?: boolean;
}

export function addSplit(program: Command): void {
  const command = program
    .command('split')
    .summary('divide a table into shards')
    .description(
      'Divides a table into shards by the hash of its keys, each of which is a file like any other and the one that a build of its entries would make; and writes a manifest, table.hmaps.json, in one step at the end. ' +
        'hmap join makes the table of them again. The table is read twice, in fixed memory.',
    )
    .argument('<file>', 'the .hmap file')
    .requiredOption('--shards <count>', 'how many: a power of two', parseShards)
    .requiredOption('-o, --output <folder>', 'the folder to make, or to write to')
    .option('--force', 'replace shards that are there')
    .option('--json', 'print the summary as JSON')
    .action(runSplit);
  examples(command, 'hmap split --shards 4 table.hmap -o shards', 'hmap join shards -o whole.hmap');
}

async function runSplit(file: string, { shards, output, force = false, json = false }: Options): Promise<void> {
  const { entries, hash } = fileHeader(file);
  const progress = new Progress();
  const started = performance.now();
  const work = async (signal: AbortSignal) => {
    const folder = new ShardFolder(output, shards, force);
    try {
      let [bytes, done] = [0, 0];
      for (let index = 0; index < shards; index++) {
        const shard = await writeShard(file, folder.next, { index, bits: Math.log2(shards) }, { signal });
        folder.take(shard);
        bytes += shard.fileBytes;
        done += shard.entries;
        progress.update('writing', 'entries', done, entries);
      }
      await folder.publish(hash.seed);
      progress.stop();
      const seconds = (performance.now() - started) / 1000;
      if (json) process.stdout.write(jsonLine({ path: output, shards, entries: done, fileBytes: bytes, seconds }));
      else
        say(
          `${printable(output)}: ${counted(shards, 'shard')} of ${counted(done, 'entry', 'entries')}, ${humanBytes(bytes)}, ${seconds.toFixed(2)} s`,
        );
    } finally {
      progress.stop();
      folder.abandon();
    }
  };
  await stoppable(output, work);
}
