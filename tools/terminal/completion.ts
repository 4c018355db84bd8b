// Scripts that complete a program's commands in shells. Knows the languages of these shells; does not know the program.

/** An option: its names, and what its value is, if it takes one. */
export interface CompletedOption {
  readonly names: readonly string[];
  readonly summary: string;
  /** Words to choose from, none of them if it may be anything. */
  readonly value: readonly string[] | 'file' | undefined;
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** What its arguments are. */
  readonly files: 'tables' | 'any' | readonly string[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

type MakeScript = (commands: readonly CompletedCommand[]) => string;

/** A text between single quotes, as all three shells take it. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
/** In fish a quote is escaped within quotes. */
const fishQuoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** What is before the first stop, colon or bracket: a list has no room for more. */
function short(summary: string): string {
  const [first] = summary.split(/[;.:] | \(/);
  return first!;
}

function bash(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, options, files }) => {
    const valued = options.filter(({ value }) => value !== undefined);
    const values = valued.map(({ names, value }) => {
      const reply =
        value === 'file'
          ? '_hmap_files'
          : `COMPREPLY=($(compgen -W ${quoted((value as readonly string[]).join(' '))} -- "$current"))`;
      return `        ${names.join('|')}) ${reply}; return ;;`;
    });
    const all = options.flatMap(({ names }) => names);
    const rest =
      typeof files === 'string'
        ? files === 'any'
          ? '_hmap_files'
          : '_hmap_tables'
        : `COMPREPLY=($(compgen -W ${quoted(files.join(' '))} -- "$current"))`;
    return `    ${name})
      case "$previous" in
${values.join('\n')}
      esac
      if [[ $current == -* ]]; then COMPREPLY=($(compgen -W ${quoted(all.join(' '))} -- "$current"))
      else ${rest}; fi ;;`;
  });
  return `# Completes hmap in bash. Made by: hmap completion bash
_hmap_files() { local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$current")); }
_hmap_tables() { local IFS=$'\\n'; COMPREPLY=($(compgen -f -X '!*.hmap' -- "$current") $(compgen -d -- "$current")); }
_hmap() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W ${quoted([...commands.map(({ name }) => name), 'help', '--help', '--version'].join(' '))} -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    help) COMPREPLY=($(compgen -W ${quoted(commands.map(({ name }) => name).join(' '))} -- "$current")) ;;
  esac
}
complete -o filenames -F _hmap hmap
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  /** Within a specification, brackets and colons mean something. */
  const plain = (text: string) => text.replaceAll(/[[\]:\\]/g, '\\$&');
  const cases = commands.map(({ name, options, files }) => {
    const specs = options.map(({ names, summary, value }) => {
      const action =
        value === undefined
          ? ''
          : value === 'file'
            ? ':file:_files'
            : `:value:(${value.map((word) => plain(word).replaceAll(/[() ]/g, '\\$&')).join(' ')})`;
      const text = `[${plain(short(summary))}]${action}`;
      if (names.length === 1) return quoted(`${names[0]}${text}`);
      return `${quoted(`(${names.join(' ')})`)}{${names.join(',')}}${quoted(text)}`;
    });
    const rest =
      typeof files === 'string'
        ? files === 'any'
          ? "'*:file:_files'"
          : `'*:table:_files -g "*.hmap(-.)"'`
        : quoted(`1:value:(${files.join(' ')})`);
    return `    ${name})\n      _arguments -s ${[...specs, rest].join(' \\\n        ')} ;;`;
  });
  const list = commands.map(({ name, summary }) => quoted(`${name}:${summary.replaceAll(':', '\\:')}`));
  return `#compdef hmap
# Completes hmap in zsh. Made by: hmap completion zsh
_hmap() {
  local -a commands
  commands=(
    ${list.join('\n    ')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
    help) _describe command commands ;;
  esac
}
if [[ $funcstack[1] == _hmap ]]; then _hmap "$@"; else compdef _hmap hmap; fi
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const lines = [
    '# Completes hmap in fish. Made by: hmap completion fish',
    'complete -c hmap -f',
    ...commands.map(
      ({ name, summary }) =>
        `complete -c hmap -n "not __fish_seen_subcommand_from ${names}" -a ${name} -d ${fishQuoted(summary)}`,
    ),
  ];
  for (const { name, options, files } of commands) {
    const where = `complete -c hmap -n "__fish_seen_subcommand_from ${name}"`;
    for (const { names: flags, summary, value } of options) {
      const flag = flags
        .map((each) => (each.startsWith('--') ? `-l ${each.slice(2)}` : `-s ${each.slice(1)}`))
        .join(' ');
      const takes = value === undefined ? '' : value === 'file' ? ' -r -F' : ` -x -a ${fishQuoted(value.join(' '))}`;
      lines.push(`${where} ${flag}${takes} -d ${fishQuoted(short(summary))}`);
    }
    if (typeof files !== 'string') lines.push(`${where} -a ${fishQuoted(files.join(' '))}`);
    else if (files === 'any') lines.push(`${where} -F`);
    else lines.push(`${where} -k -a "(__fish_complete_suffix .hmap)"`);
  }
  return `${lines.join('\n')}\n`;
}

export const scripts: Readonly<Record<Shell, MakeScript>> = { bash, zsh, fish };
