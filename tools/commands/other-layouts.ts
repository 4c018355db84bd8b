// What the entries of a file would take in other types and layouts, as `hmap plan` predicts it for an input. Knows scans;
// the arithmetic is plan/predict.ts.

import { setImmediate as turn } from 'node:timers/promises';
import type { Header, StoredType } from '../../src/index.js';
import {
  ByteBuffer,
  type ByteSlice,
  DECODERS,
  type ElementScan,
  type EntryScan,
  isStruct,
  KEY_DECODERS,
  scanFile,
} from '../../src/internal.js';
import { numberText } from '../formats/numbers.js';
import { structJson } from '../formats/struct-text.js';
import type { Facts } from '../plan/facts.js';
import { fingerprinted, representations } from '../plan/predict.js';
import { Survey, type ValueSource } from '../plan/survey.js';

/** A way to hold the entries, and the options of `hmap build` for it. */
export interface OtherLayout {
  readonly name: string;
  readonly options: readonly string[];
  readonly fileBytes: number;
}

export interface OtherLayouts {
  /** All that hold the entries without loss, the smallest first, and then those without the keys themselves. */
  readonly layouts: readonly OtherLayout[];
  /** Distinct values, if they were not too many to count, and how many bytes they have. */
  readonly distinct: { readonly count: number; readonly bytes: number } | null;
}

const STRIDE = 2 ** 14;
const NOTHING: ByteSlice = { buffer: new ByteBuffer(0), at: 0, length: 0 };

/**
 * Reads the file once.
 * @param report told of the entries that are done
 */
export async function otherLayouts(
  path: string,
  header: Header,
  report: (entries: number) => void,
): Promise<OtherLayouts> {
  const survey = new Survey(sourceOf(header));
  await scanFile(path, 'touch', async (scan) => {
    const entry = scan.layout === 'hash' ? entryOf(scan as EntryScan) : elementOf(scan as ElementScan);
    for (let done = 1; scan.step(); done++) {
      const [key, value] = entry();
      survey.add(key.buffer, key.at, key.length, value.buffer, value.at, value.length);
      if (done % STRIDE !== 0) continue;
      report(done);
      await turn();
    }
  });
  const facts = withOrder(survey.facts);
  const made = [...representations(facts), ...fingerprinted(facts)];
  const layouts = made.map(({ name, options, total }) => ({ name, options, fileBytes: total }));
  return { layouts, distinct: facts.values?.distinct ?? null };
}

/** A table has its keys in the order of their hashes; a list could have them in their own. */
function withOrder(facts: Facts): Facts {
  const { integers } = facts.keys;
  const isDense = integers !== undefined && integers.most - integers.least + 1n === BigInt(facts.entries);
  return { ...facts, keys: { ...facts.keys, inOrder: isDense } };
}

function sourceOf({ layout, valueType }: Header): ValueSource {
  if (layout === 'bits' || valueType === 'none') return 'none';
  return valueType === 'json' || isStruct(valueType) ? 'json' : 'bytes';
}

function entryOf(scan: EntryScan): () => readonly [key: ByteSlice, value: ByteSlice] {
  const { keyType, valueType } = scan.header;
  const key = keyType === 'bytes' ? undefined : KEY_DECODERS[keyType];
  const value = valueTextOf(valueType);
  return () => {
    const { buffer, at, length } = scan.key;
    const keyText = key === undefined ? scan.key : sliceOf(String(key(buffer, at, length)));
    return [keyText, value === undefined ? scan.value : sliceOf(value(scan.value))];
  };
}

/** The text of a value; `undefined` where its bytes are that. */
function valueTextOf(type: StoredType): ((value: ByteSlice) => string) | undefined {
  if (isStruct(type)) {
    const json = structJson(type);
    return ({ buffer, at }) => json(buffer.view, at);
  }
  switch (type) {
    case 'none':
    case 'bytes':
    case 'utf8':
    case 'json':
    case 'enum':
      return undefined;
    case 'f32':
    case 'f64':
      return ({ buffer, at, length }) => numberText(DECODERS[type](buffer, at, length));
    default:
      return ({ buffer, at, length }) => String(DECODERS[type](buffer, at, length));
  }
}

function elementOf(scan: ElementScan): () => readonly [key: ByteSlice, value: ByteSlice] {
  const { layout, valueType } = scan.header;
  const hasBytes = valueType === 'utf8' || valueType === 'bytes';
  return () => {
    const key = sliceOf(String(scan.index));
    if (layout === 'bits') return [key, NOTHING];
    return [key, hasBytes ? scan.bytes : sliceOf(numberText(scan.number))];
  };
}

function sliceOf(text: string): ByteSlice {
  const buffer = new ByteBuffer(Buffer.from(text, 'latin1'));
  return { buffer, at: 0, length: buffer.size };
}
