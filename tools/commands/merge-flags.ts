// The options that commands have in common which make a table of other tables. Knows flags; does not know what is made.

import { type Command, Option } from 'commander';
import type { MergeOptions } from '../../src/index.js';
import { parseMemory } from '../terminal/cli.js';
import type { Progress } from '../terminal/progress.js';

export interface MergeFlags {
  output: string;
  memory?: number;
  check: 'header' | 'touch';
  force?: boolean;
  json?: boolean;
}

export function addMergeFlags(command: Command): Command {
  return command
    .option('-m, --memory <size>', 'memory for entries that are built anew (default: 256M)', parseMemory)
    .option('--force', 'replace the output if it exists')
    .addOption(
      new Option('--check <what>', 'what to compare with its checksum: the header, or each block before it is used')
        .choices(['header', 'touch'])
        .default('touch'),
    )
    .option('--json', 'print the summary as JSON');
}

export function mergeOptionsOf(
  { memory, check, force }: MergeFlags,
  signal: AbortSignal,
  progress: Progress,
): Omit<MergeOptions, 'duplicates'> {
  return {
    check,
    overwrite: force === true,
    signal,
    ...(memory !== undefined && { memory }),
    onProgress: ({ phase, entries, total }) =>
      progress.update(phase === 'write' ? 'writing' : 'counting', 'entries', entries, total),
  };
}
