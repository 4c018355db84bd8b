// The types and layouts that are compared with each other: one table of each, all of the same numbers. Knows how each
// is made and asked; times nothing.

import { build } from '../../src/index.js';
import { KEY_BYTES, scramble, writeKey } from './generate.js';

/** One of 1,000 numbers for each index; what all the tables hold, each in its form. */
export function numberOf(index: number): number {
  return scramble(index ^ 0x5bd1) % 1000;
}

export const kindOf = (number: number): string => `kind ${number} of a thousand`;

export const recordOf = (number: number) => ({
  active: number % 2 === 0,
  level: number % 128,
  country: number,
  score: -number,
  price: number / 4,
});

export const SCHEMA = {
  struct: { active: 'bool', level: 'u7', country: 'u10', score: 'i20', price: 'f32' },
} as const;

/** Whether an integer is in the set: half of them are. */
export function isIn(integer: number): boolean {
  return scramble(integer) % 2 === 0;
}

const scratch = Buffer.alloc(KEY_BYTES);

/** The text key of an index. */
export function keyOf(index: number, seed: number): string {
  return scratch.toString('latin1', 0, writeKey(index, seed, scratch, 0));
}

/** A number as a key: any u32, each once. */
export function idOf(index: number, seed: number): number {
  return scramble(index ^ seed);
}

/** Files by what is in them. */
export const FORM_FILES = ['u16', 'utf8', 'enum', 'struct', 'u32 keys', 'list u10', 'list utf8', 'bits'] as const;
export type FormFile = (typeof FORM_FILES)[number];

/** Makes a file of `entries` entries; of the integers below that. */
export async function makeForm(file: FormFile, path: string, entries: number, seed: number): Promise<void> {
  function* pairs<K, V>(key: (index: number) => K, value: (number: number) => V): Generator<[K, V]> {
    for (let index = 0; index < entries; index++) yield [key(index), value(numberOf(index))];
  }
  function* each<V>(value: (index: number) => V): Generator<V> {
    for (let index = 0; index < entries; index++) yield value(index);
  }
  const text = (index: number) => keyOf(index, seed);
  const same = (number: number) => number;
  switch (file) {
    case 'u16':
      await build(path, pairs(text, same), { value: 'u16' });
      return;
    case 'utf8':
    case 'enum':
      await build(path, pairs(text, kindOf), { value: file });
      return;
    case 'struct':
      await build(path, pairs(text, recordOf), { value: SCHEMA });
      return;
    case 'u32 keys':
      await build(
        path,
        pairs((index) => idOf(index, seed), same),
        { value: 'u16', key: 'u32' },
      );
      return;
    case 'list u10':
      await build(path, each(numberOf), { layout: 'list', value: 'u10' });
      return;
    case 'list utf8':
      await build(
        path,
        each((index) => kindOf(numberOf(index))),
        { layout: 'list', value: 'utf8' },
      );
      return;
    case 'bits': {
      const integers = function* () {
        for (let integer = 0; integer < entries; integer++) if (isIn(integer)) yield integer;
      };
      await build(path, integers(), { layout: 'bits' });
      return;
    }
  }
}
