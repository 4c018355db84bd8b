// What tests of `hmap build` share: its formats by example, and files of text. Knows the formats.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import type { Key, ValueType } from '../../src/index.js';
import type { FormatName } from '../../tools/formats/format.js';
import { temporaryFolder } from '../support/temp.js';

export const MIB = 2 ** 20;

export const folder = temporaryFolder(nodeTest);

export let names = 0;

/** A path in the folder that nothing has yet. */
export const fresh = (ending = '.hmap') => join(folder, `${names++}${ending}`);

/** Writes a text file. */
export function textFile(ending: string, content: string | Uint8Array): string {
  const path = fresh(ending);
  writeFileSync(path, content);
  return path;
}

export type Entries = readonly (readonly [Key, unknown])[];

export interface Sample {
  ending: string;
  text: string | Uint8Array;
  /** The type of values where none is named. */
  value: ValueType;
  entries: Entries;
}

export const bytes = (text: string) => Buffer.from(text, 'latin1');

export const SAMPLES: Record<FormatName, Sample> = {
  tsv: {
    ending: '.tsv',
    text: 'apple\tred\n pear \t"gr,een"\n\tno key\nno value\t\nä€\t\u{1f600}\n',
    value: 'utf8',
    entries: [
      ['apple', 'red'],
      [' pear ', '"gr,een"'],
      ['', 'no key'],
      ['no value', ''],
      ['ä€', '\u{1f600}'],
    ],
  },
  csv: {
    ending: '.csv',
    text: 'apple,red\n pear ,"gr,""een"\n,no key\nno value,\n"ä\n€","\u{1f600}\t"\n',
    value: 'utf8',
    entries: [
      ['apple', 'red'],
      [' pear ', 'gr,"een'],
      ['', 'no key'],
      ['no value', ''],
      ['ä\n€', '\u{1f600}\t'],
    ],
  },
  json: {
    ending: '.json',
    text: '{"apple": {"b":[1, 2.50],"a":null},\n "\\t" : "\\u00e9\\n",\n"ä": null , "": [ ]}\n',
    value: 'json',
    entries: [
      ['apple', { b: [1, 2.5], a: null }],
      ['\t', 'é\n'],
      ['ä', null],
      ['', []],
    ],
  },
  jsonl: {
    ending: '.jsonl',
    text: '{"key":"apple","value":{"b":[1, 2.50],"a":null}}\n\n{ "value" : "\\u00e9\\n" , "key" : "\\t" }\n{"key":{"base64":"/wA="},"value":false}\n',
    value: 'json',
    entries: [
      ['apple', { b: [1, 2.5], a: null }],
      ['\t', 'é\n'],
      [Buffer.of(0xff, 0), false],
    ],
  },
  cdb: {
    ending: '.cdb',
    text: bytes('+5,3:apple->red\n+0,0:->\n+2,6:\n\0->a\n->\xff\n\n+3,4:+1,->->\n\n\n\n'),
    value: 'bytes',
    entries: [
      ['apple', bytes('red')],
      ['', bytes('')],
      ['\n\0', bytes('a\n->\xff\n')],
      ['+1,', bytes('->\n\n')],
    ],
  },
  lines: {
    ending: '.txt',
    text: 'apple\npear, "green"\n\n\ttab\t\nä\n',
    value: 'none',
    entries: ['apple', 'pear, "green"', '', '\ttab\t', 'ä'].map((key) => [key, true]),
  },
};

export const FORMATS = Object.entries(SAMPLES) as [FormatName, Sample][];
