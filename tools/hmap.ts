#!/usr/bin/env node

// The program `hmap`: chooses the command. Each command parses, makes one call, prints and sets the exit code.

import { Command, CommanderError } from 'commander';
import { complain, EXIT, exitWith, printableLines } from './terminal/cli.js';
import { endWithReader } from './terminal/output.js';
import { version } from './terminal/version.js';

type AddCommand = (program: Command) => void;

const COMMANDS: Record<string, () => Promise<AddCommand>> = {
  build: async () => (await import('./commands/build.js')).addBuild,
  get: async () => (await import('./commands/get.js')).addGet,
  explain: async () => (await import('./commands/explain.js')).addExplain,
  dump: async () => (await import('./commands/dump.js')).addDump,
  verify: async () => (await import('./commands/verify.js')).addVerify,
  stat: async () => (await import('./commands/stat.js')).addStat,
  diff: async () => (await import('./commands/diff.js')).addDiff,
  merge: async () => (await import('./commands/merge.js')).addMerge,
  split: async () => (await import('./commands/split.js')).addSplit,
  join: async () => (await import('./commands/join.js')).addJoin,
  load: async () => (await import('./commands/load.js')).addLoad,
  report: async () => (await import('./commands/report.js')).addReport,
  plan: async () => (await import('./commands/plan.js')).addPlan,
  completion: async () => {
    const { addCompletion } = await import('./commands/completion.js');
    return (program) => addCompletion(program, allCommands);
  },
};

/** Every command, for what is made from all of them. */
async function allCommands(): Promise<readonly Command[]> {
  const program = new Command('hmap');
  for (const load of Object.values(COMMANDS)) (await load())(program);
  return program.commands;
}

async function main(): Promise<void> {
  endWithReader();
  const program = new Command('hmap')
    .description('Big read-only tables in one memory-mapped file.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(add --help for more)')
    .exitOverride()
    // Commander repeats arguments as they were given, under a prefix of its own.
    .configureOutput({ outputError: (text, write) => write(printableLines(text.replace(/^error:/, 'hmap:'))) })
    .configureHelp({ helpWidth: Math.min(process.stdout.columns || Number(process.env.COLUMNS) || 100, 120) })
    .addHelpText(
      'after',
      '\nExit codes: 0 success, 1 findings or a missing key, 2 the command could not run.\nData goes to stdout, everything else to stderr.',
    );
  // Only the command that was asked for is loaded; help, and hints at the nearest command, need all.
  const asked = Object.hasOwn(COMMANDS, process.argv[2] ?? '') ? COMMANDS[process.argv[2]!] : undefined;
  for (const load of asked === undefined ? Object.values(COMMANDS) : [asked]) (await load())(program);
  // Commands made before would not inherit these settings.
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version were asked for; all else that commander throws, it has explained already.
      exitWith(error.exitCode === 0 ? EXIT.fine : EXIT.failed);
      return;
    }
    complain(error);
    exitWith(EXIT.failed);
  }
}

void main();
