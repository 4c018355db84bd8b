// What the helps of the commands have in common: examples, and rarer options that the usual help leaves out, so that it
// fits on a screen. Knows commander; knows no command.

import type { Command } from 'commander';

/** Adds examples to a command's help. */
export function examples(command: Command, ...lines: string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

/**
 * Leaves options out of a command's help, and adds `--help-all`, which shows them.
 * @param names of the options, as they are given
 */
export function rare(command: Command, names: readonly string[]): Command {
  const hidden = command.options.filter(({ long }) => names.includes(long ?? ''));
  if (hidden.length !== names.length) throw new TypeError(`of ${names.join(', ')}, only ${hidden.length} are there`);
  for (const option of hidden) option.hideHelp();
  command.option('--help-all', `display help with ${hidden.length} more options`);
  // Once the whole line is known to be right, as for --help.
  command.on('option:help-all', () => {
    for (const option of hidden) option.hideHelp(false);
    command.options.find(({ long }) => long === '--help-all')?.hideHelp();
    command.help();
  });
  return command;
}
