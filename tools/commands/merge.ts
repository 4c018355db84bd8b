// hmap merge: makes one file of several, and applies patches.

import { statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type MergeDuplicates, type MergeInput, type MergeSummary, merge } from '../../src/index.js';
import { fileHeader } from '../../src/internal.js';
import { collectPair, counted, grouped, humanBytes, jsonLine, printable, say, tellIfWaiting } from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { addMergeFlags, type MergeFlags, mergeOptionsOf } from './merge-flags.js';
import { isPatch, PatchTables } from './patch-tables.js';
import { stoppable } from './stoppable.js';

interface Options extends MergeFlags {
  duplicates: MergeDuplicates;
  meta?: Record<string, string>;
}

export function addMerge(program: Command): void {
  const command = program
    .command('merge')
    .summary('make one file of several, or apply a patch')
    .description(
      'Makes one table of several, or applies patches that hmap diff has made. The result is, byte for byte, the file that a build of all entries would make. Where several files have a key, the last ' +
        'one has it, or as --duplicates says; a patch changes what comes before it, of a shard what has its keys. The files are read side by side, in fixed memory, and nothing but the result is written; a file with another seed is built anew first. The output may be one of the files (--force).',
    )
    .argument('<file...>', '.hmap files and patches, in the order in which they count; - is a patch on stdin')
    .requiredOption('-o, --output <file>', 'the .hmap file to make')
    .addOption(
      new Option('--duplicates <policy>', 'which file has a key that several have: last, first, or none: an error')
        .choices(['last', 'first', 'error'])
        .default('last'),
    )
    .option('--meta <name=value>', 'metadata to add to that of the first file; may be repeated', collectPair)
    .action(runMerge);
  addMergeFlags(command);
  examples(
    command,
    'hmap merge monday.hmap tuesday.hmap -o both.hmap',
    'hmap merge table.hmap changes.patch -o table.hmap --force',
    'hmap diff --patch old.hmap new.hmap | hmap merge copy.hmap - -o updated.hmap',
  );
}

async function runMerge(files: string[], options: Options): Promise<void> {
  if (options.output === '-') throw new TypeError('--output: expected a file; a table cannot be written to stdout');
  const first = files[0]!;
  // Asked once: each answer reads a file.
  const patchNames = new Set(files.filter(isPatch));
  if (patchNames.has(first)) {
    throw new TypeError(
      `<file...>: ${first === '-' ? 'stdin' : first} is a patch; name the table that it changes before it`,
    );
  }
  const patch = [...patchNames].find((file) => file !== '-' && isSameFile(file, options.output));
  if (patch !== undefined) throw new TypeError(`--output: ${patch} is one of the patches`);
  if (files.filter((file) => file === '-').length > 1) throw new TypeError('<file...>: stdin can be read once');
  const header = fileHeader(first);
  if (header.layout !== 'hash')
    throw new TypeError(`${first}: merging is for tables; it has the layout '${header.layout}'`);
  const progress = new Progress();
  let patches: PatchTables | undefined;
  const work = async (signal: AbortSignal) => {
    const common = mergeOptionsOf(options, signal, progress);
    const { memory } = common;
    patches = new PatchTables(options.output, header, { signal, ...(memory !== undefined && { memory }) });
    try {
      const inputs: MergeInput[] = [];
      for (const file of files) {
        if (file === '-') tellIfWaiting('a patch');
        inputs.push(...(patchNames.has(file) ? await patches.add(file) : [file]));
      }
      const summary = await merge(inputs, options.output, {
        ...common,
        duplicates: options.duplicates,
        ...(options.meta && { metadata: { ...header.metadata, ...options.meta } }),
      });
      progress.stop();
      report(summary, options);
    } catch (error) {
      throw patches.named(error);
    } finally {
      progress.stop();
      patches.remove();
    }
  };
  await stoppable(options.output, work, () => patches?.stop());
}

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

function report(summary: MergeSummary, { output, json }: Options): void {
  if (json) {
    process.stdout.write(jsonLine(summary));
    return;
  }
  const { entries, replaced, removed, missing, fileBytes, reseeded, seconds } = summary;
  const notes = [
    replaced === 0 ? '' : `${grouped(replaced)} replaced`,
    removed === 0 ? '' : `${grouped(removed)} removed`,
    missing === 0 ? '' : `${grouped(missing)} to be removed were not there`,
  ].filter((note) => note !== '');
  const changes = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  const anew = reseeded === 0 ? '' : `; ${counted(reseeded, 'file')} of another seed built anew`;
  say(
    `${printable(output)}: ${counted(entries, 'entry', 'entries')}${changes}, ${humanBytes(fileBytes)}, ${seconds.toFixed(2)} s${anew}`,
  );
}
