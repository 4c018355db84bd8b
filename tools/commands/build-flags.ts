// The options of `hmap build`, and which of them go together. Knows flags; builds nothing.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DuplicatePolicy, FingerprintBits, HashHeader, KeyForm, Layout, ListType } from '../../src/index.js';
import {
  type BuildValueType,
  checkValueType,
  FINGERPRINT_BITS,
  isListType,
  KEY_FORMS,
  LAYOUTS,
  LIST_TYPES,
  VALUE_TYPES,
} from '../../src/internal.js';
import { collectPair, parseInteger, parseMemory, parseShards } from '../terminal/cli.js';
import type { InputFlags } from './input-flags.js';

export interface BuildFlags extends InputFlags {
  layout: Layout | 'auto';
  key?: KeyForm;
  fingerprint?: FingerprintBits;
  value?: BuildValueType | ListType;
  base?: number;
  length?: number;
  duplicates?: DuplicatePolicy;
  memory?: number;
  seed?: number | 'random';
  meta?: Record<string, string>;
  shard?: HashHeader['shard'];
  shards?: number;
  dryRun?: boolean;
  force?: boolean;
  json?: boolean;
}

export function addBuildFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '-v, --value <type>',
        `type of the values: ${VALUE_TYPES.filter((type) => type !== 'enum').join(', ')}; uint: the narrowest that holds all; ` +
          "enum: few distinct strings; 'struct(NAME:TYPE,...)'; of lists also u1 to u53 and i1 to i53 (default: by the format)",
      ).argParser(parseValue),
    )
    .addOption(
      new Option('--layout <layout>', 'by key, by index, or a set of integers, whose smaller form auto finds')
        .choices([...LAYOUTS, 'auto'])
        .default('hash'),
    )
    .option('--base <number>', 'first index of a list, or smallest integer of a bit array (default: 0)', parseSigned)
    .option(
      '--length <count>',
      'number of bits of a bit array (default: just enough for the largest integer)',
      parseCount,
    )
    .addOption(
      new Option('-k, --key <type>', 'type of the keys (default: bytes, the text unchanged)').choices(KEY_FORMS),
    )
    .addOption(
      new Option('--fingerprint <bits>', 'bits of a hash in place of each key: finds others, too, 1 in 2^bits / 2.5')
        .choices(FINGERPRINT_BITS.map(String))
        .argParser(parseFingerprint),
    )
    .addOption(
      new Option('-d, --duplicates <policy>', 'what to do with keys that occur again')
        .choices(['error', 'first', 'last', 'collect'])
        .default('error'),
    )
    .option('-m, --memory <size>', 'memory for entries, such as 512M; at least 1M (default: 256M)', parseMemory)
    .option(
      '--seed <number>',
      'seed of the hash, or random: one that nobody can have chosen keys for (default: 0; another one if too many keys share a bucket)',
      parseSeed,
    )
    .option(
      '--shard <i/n>',
      'build only shard i of n, from 0; n is a power of two: for several machines, each of which reads the whole input',
      parseShard,
    )
    .option(
      '--shards <count>',
      'make a folder of so many files, a power of two, in place of one file: hmap join makes one of them',
      parseShards,
    )
    .option('--meta <name=value>', 'text to keep in the header; may be repeated', collectPair)
    .option('--dry-run', 'show what would be stored of the first 1,000 entries')
    .option('--force', 'replace the output if it exists')
    .option('--json', 'print what was built as JSON on stdout');
}

/** The type of values that an argument names. */
function parseValue(text: string): BuildValueType | ListType {
  if (isListType(text)) return text;
  try {
    return checkValueType(text.replace(/\s+/g, '') as BuildValueType);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InvalidArgumentError(`${error.message}.`);
  }
}

function parseFingerprint(text: string): FingerprintBits {
  const bits = FINGERPRINT_BITS.find((one) => String(one) === text);
  if (bits !== undefined) return bits;
  throw new InvalidArgumentError(`Allowed choices are ${FINGERPRINT_BITS.join(', ')}.`);
}

const parseNumber = parseInteger(0, 0xffff_ffff);

function parseSeed(text: string): number | 'random' {
  return text === 'random' ? text : parseNumber(text);
}

function parseShard(text: string): HashHeader['shard'] {
  const [, index, given] = /^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? [];
  const count = given === undefined ? 0 : parseShards(given);
  if (Number(index) < count) return { index: Number(index), bits: Math.log2(count) };
  throw new InvalidArgumentError('Expected a shard such as 0/16.');
}

function parseSigned(text: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Expected an integer.');
}

const parseCount = parseInteger(0, Number.MAX_SAFE_INTEGER);

/** Whether a type is one of hash tables. */
function isHashType(type: BuildValueType | ListType): type is BuildValueType {
  return type.startsWith('struct(') || type === 'uint' || (VALUE_TYPES as readonly string[]).includes(type);
}

/** Options of one layout that another does not have. */
export function checkLayout(options: BuildFlags): void {
  const { layout } = options;
  const wrong = (name: keyof BuildFlags, given: unknown, ...layouts: BuildFlags['layout'][]) => {
    if (given !== undefined && !layouts.includes(layout)) {
      throw new TypeError(`--${name}: does not apply to the layout '${layout}'`);
    }
  };
  wrong('base', options.base, 'list', 'bits');
  wrong('length', options.length, 'bits');
  wrong('seed', options.seed, 'hash');
  wrong('key', options.key, 'hash');
  wrong('shard', options.shard, 'hash');
  wrong('shards', options.shards, 'hash');
  if (options.shard !== undefined && options.shards !== undefined) {
    throw new TypeError('--shard and --shards: give one of them, one shard or all');
  }
  wrong('fingerprint', options.fingerprint, 'hash');
  wrong('value', options.value, 'hash', 'list');
  if (options.valueFrom !== undefined && layout !== 'hash') {
    throw new TypeError(`--value-from: does not apply to the layout '${layout}'`);
  }
  wrong('duplicates', options.duplicates === 'error' ? undefined : options.duplicates, 'hash');
  if (layout === 'hash' && options.value !== undefined && !isHashType(options.value)) {
    throw new TypeError(`--value: ${options.value} is for --layout list`);
  }
  if (layout === 'list' && options.value !== undefined && !isListType(options.value)) {
    throw new TypeError(`--value: ${options.value} is not a type of list elements: use ${LIST_TYPES}`);
  }
}
