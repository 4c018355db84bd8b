// What the demo and its processes say to one another. Types only.

import type { MappingKind } from '../../src/index.js';
import type { Memory } from './memory.js';

/** How a process holds the data. `bare` holds none: it is the floor that the others are measured from. */
export type Holding = 'hmap' | 'map' | 'bare';

/** What a key is given as: text, any bytes, or a string of which each code unit is one byte. */
export type KeyForm = 'utf8' | 'bytes' | 'latin1';

/** How the text that a `Map` is loaded from is written: words, one a line; or lines of base64, space, rank. */
export type SourceFormat = 'words' | 'ranks';

/** What one process is to do. */
export interface Task {
  holding: Holding;
  /** The .hmap file. */
  table: string;
  /** The text that a `Map` is loaded from. */
  source: string;
  sourceFormat: SourceFormat;
  /** All keys and their values, shuffled (queries.ts). */
  queries: string;
  keyForm: KeyForm;
}

/** What a process has found once it has looked up every key. */
export interface Lookups {
  /** From the start of the process to its first value in hand. */
  firstLookupMs: number;
  /** Median over the batches; `undefined` if nothing was looked up. */
  lookupNs: number | undefined;
  /** Keys that gave the right value. */
  right: number;
  mapping: MappingKind | undefined;
}

/** The demo says `measure` once every process is ready, and `exit` once every one has measured. */
export type ToReader = 'measure' | 'exit';

export type FromReader =
  | { kind: 'ready'; lookups: Lookups }
  | { kind: 'memory'; memory: Memory }
  | { kind: 'failed'; message: string };
