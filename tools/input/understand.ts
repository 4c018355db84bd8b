// Finds out what an input is: by what was said, by its name, or by its first bytes. Knows names and looks; reads no
// entries.

import { statSync } from 'node:fs';
import type { ListType } from '../../src/index.js';
import { type BuildValueType, systemError } from '../../src/internal.js';
import { INPUTS, type InputName } from '../formats/format.js';
import { defaultValue, formatByName } from '../formats/formats.js';
import type { Head } from '../formats/head.js';
import { formatByLook, holdsKeys, jsonForm } from '../formats/look.js';
import { type ReadOptions, WHOLE } from '../formats/read-options.js';
import { unpackedName } from './packing.js';
import { isAddress, type Source } from './source.js';

export interface Understood {
  readonly format: InputName;
  /** Type of the values where none is named. */
  readonly value: BuildValueType | ListType;
}

/**
 * The format of an input, and what its values are by themselves.
 * @param name the name of the input in messages
 * @throws {TypeError} if nothing tells the format
 */
export async function understand(
  input: string,
  name: string,
  source: Source,
  chosen: InputName | undefined,
  options: ReadOptions,
): Promise<Understood> {
  const format = chosen ?? (await formatOf(input, name, source, options));
  return { format, value: await defaultOf(format, source, options) };
}

async function formatOf(input: string, name: string, source: Source, options: ReadOptions): Promise<InputName> {
  if (input !== '-' && !isAddress(input)) needFile(input);
  const byName = formatByName(unpackedName(input));
  // Columns of a list of lines are separated by something.
  if ((byName === undefined || byName === 'lines') && options.delimiter !== undefined) {
    return options.quote ? 'csv' : 'tsv';
  }
  if (byName !== undefined && byName !== 'cdb-binary' && byName !== 'json') return byName;
  const head = await source.head();
  if (byName === 'json') return jsonForm(textOf(head)) ?? 'json';
  const found = formatByLook(head.bytes, head.isWhole);
  if (found !== undefined) return found;
  // An empty text has no more than its name.
  if (byName !== undefined) return 'cdb';
  throw new TypeError(
    `--format: cannot tell the format of ${name} from its name or its first bytes; choose one of ${INPUTS.join(', ')}`,
  );
}

const textOf = ({ bytes, isWhole }: Head): string => {
  const end = isWhole ? -1 : bytes.lastIndexOf(0x0a);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end).replace(/^\ufeff/, '');
};

async function defaultOf(format: InputName, source: Source, options: ReadOptions): Promise<BuildValueType | ListType> {
  const { position, values, value, key, keys } = options;
  if (position !== undefined) return 'uint';
  if ((values !== undefined && values.length > 1) || value === WHOLE) return 'json';
  const hasColumns = [value, values, key, keys].some((option) => option !== undefined);
  if (format === 'json' && !hasColumns && holdsKeys((await source.head()).bytes, options.at)) return 'none';
  return defaultValue(format);
}

/** The name of an input in messages: an address without its password. */
export function nameOf(input: string): string {
  return input === '-' ? 'stdin' : isAddress(input) ? input.replace(/\/\/[^@/]*@/, '//') : input;
}

/** That there is no such file matters more than what it would be. */
function needFile(path: string): void {
  try {
    statSync(path);
  } catch (error) {
    throw systemError(error, 'read', path);
  }
}
