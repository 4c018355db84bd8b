// hmap completion: a script for a shell, which completes commands, options, their values and files. Made from the commands
// themselves, so that it knows what they know.

import { type Command, Option } from 'commander';
import { KEY_FORMS, VALUE_TYPES } from '../../src/internal.js';
import { type CompletedCommand, type CompletedOption, SHELLS, type Shell, scripts } from '../terminal/completion.js';
import { examples } from '../terminal/help.js';

export function addCompletion(program: Command, loadAll: () => Promise<readonly Command[]>): void {
  const command = program
    .command('completion')
    .summary('print a script that completes commands in a shell')
    .description('Prints a script for a shell, which then completes commands, options, their values and files.')
    .argument('<shell>', SHELLS.join(', '))
    .action(async (shell: string) => {
      const script = scripts[shell as Shell] as (typeof scripts)[Shell] | undefined;
      if (script === undefined) throw new TypeError(`<shell>: expected one of ${SHELLS.join(', ')}, got ${shell}`);
      const commands = (await loadAll()).map(completed);
      process.stdout.write(script(commands));
    });
  examples(
    command,
    'hmap completion bash >> ~/.bashrc',
    'hmap completion zsh > ~/.zfunc/_hmap      # with fpath+=~/.zfunc before compinit in ~/.zshrc',
    'hmap completion fish > ~/.config/fish/completions/hmap.fish',
  );
}

/** Values of options that are checked by code of their own. */
const VALUES: Record<string, readonly string[]> = {
  '--value': [...VALUE_TYPES, 'uint'],
  '--key': KEY_FORMS,
  '--missing': ['skip', 'error'],
  '--quote': ['none'],
  '--delimiter': ['tab', 'spaces'],
  '--seed': ['random'],
  '--encoding': ['utf-8', 'latin1', 'utf-16le', 'none'],
};

/** Options whose value is a file. */
const FILES = ['--output'];

function completed(command: Command): CompletedCommand {
  const help = new Option('-h, --help', 'display help for command');
  return {
    name: command.name(),
    summary: command.summary(),
    // Inputs of these are of any kind; others read tables.
    files: filesOf(command.name()),
    options: [...command.options, help].map((option): CompletedOption => {
      const long = option.long ?? '';
      const takesValue = option.required || option.optional;
      return {
        names: [option.short, option.long].filter((name): name is string => typeof name === 'string'),
        summary: option.description,
        value: !takesValue ? undefined : FILES.includes(long) ? 'file' : (option.argChoices ?? VALUES[long] ?? []),
      };
    }),
  };
}

function filesOf(name: string): CompletedCommand['files'] {
  if (name === 'completion') return SHELLS;
  return name === 'build' || name === 'plan' || name === 'merge' ? 'any' : 'tables';
}
