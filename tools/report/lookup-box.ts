// The script of a report: the box in which a key is typed and its lookup explained, from the buckets that the page holds.
// Runs in a browser, without any Node API; knows the arithmetic of lookups by the library's own code.

import { bucketCount, bucketOf, segmentOf, shardOf, xxh32 } from '../../src/internal.js';
import type { SampleBucket } from './gather.js';

/** What the page tells of its table. */
export interface BoxData {
  readonly keyType: 'bytes' | 'u32' | 'u64' | 'i64' | 'uuid' | 'hex';
  readonly keyWidth: number | null;
  readonly seed: number;
  readonly shard: { readonly index: number; readonly bits: number };
  readonly segmentBits: number;
  readonly bucketBits: number;
  readonly eighths: number;
  readonly buckets: readonly SampleBucket[];
}

/** What is used of a page; the types of browsers are not those of this project. */
interface PageElement {
  textContent: string | null;
  value: string;
  open: boolean;
  replaceChildren(...children: PageElement[]): void;
  append(...children: (PageElement | string)[]): void;
  addEventListener(type: string, act: (event: { preventDefault(): void }) => void): void;
  setAttribute(name: string, value: string): void;
}
declare const document: {
  getElementById(id: string): PageElement | null;
  createElement(name: string): PageElement;
  querySelectorAll(selector: string): Iterable<PageElement & { dataset: Record<string, string>; open: boolean }>;
};
declare const addEventListener: (type: string, act: () => void) => void;

const data = JSON.parse(document.getElementById('lookup-data')!.textContent!) as BoxData;
const input = document.getElementById('key')!;
const answer = document.getElementById('answer')!;

document.getElementById('lookup-form')!.addEventListener('submit', (event) => {
  event.preventDefault();
  show(explain(input.value));
});
for (const button of document.querySelectorAll('button[data-key]')) {
  button.addEventListener('click', () => {
    input.value = button.dataset.key!;
    show(explain(input.value));
  });
}
// Figures that are folded on a screen are not on paper.
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
});

interface Answer {
  readonly verdict: string;
  readonly steps: readonly string[];
}

function show({ verdict, steps }: Answer): void {
  const list = document.createElement('ol');
  for (const step of steps) {
    const item = document.createElement('li');
    item.textContent = step;
    list.append(item);
  }
  const last = document.createElement('p');
  last.textContent = verdict;
  answer.replaceChildren(list, last);
}

function explain(text: string): Answer {
  const bytes = encode(text);
  if (bytes === undefined) return { verdict: `Not found: this is no key of type ${data.keyType}.`, steps: [] };
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'));
  const steps = [`The key is ${bytes.length} bytes: ${hex.join(' ') || 'none'}.`];
  if (data.keyWidth !== null && bytes.length !== data.keyWidth) {
    return { verdict: `Not found: all keys of the table have ${data.keyWidth} bytes.`, steps };
  }
  const hash = xxh32(new DataView(bytes.buffer), 0, bytes.length, data.seed) >>> 0;
  steps.push(`XXH32 of these bytes with seed ${data.seed} is 0x${hash.toString(16).padStart(8, '0')}.`);
  const shard = shardOf(hash, data);
  if (shard !== data.shard.index) return { verdict: `Not found: its hash is of shard ${shard}, another file.`, steps };
  const segment = segmentOf(hash, data);
  const bucket = bucketOf(hash, data);
  const each = bucketCount(data);
  const index = segment * each + bucket;
  steps.push(`Its top bits choose segment ${segment} of ${2 ** data.segmentBits}, and bucket ${bucket} of ${each}.`);
  const found = data.buckets.find((one) => one.index === index);
  if (found === undefined) {
    return {
      verdict: `This page has only a sample of the buckets, and not this one. In a terminal, hmap explain shows the rest.`,
      steps,
    };
  }
  steps.push(
    `The index says that its records are the bytes [${found.start}, ${found.end}) of the file: ${count(found.records.length)}.`,
  );
  const wanted = hex.join('');
  for (const { key, shown, value, offset } of found.records) {
    if (key === wanted) {
      steps.push(`${shown} at byte ${offset}: this is the one.`);
      return { verdict: value === '' ? 'Found.' : `Found: ${value}`, steps };
    }
    const why = key.length === wanted.length ? 'other bytes' : `${key.length / 2} bytes instead of ${bytes.length}`;
    steps.push(`${shown} at byte ${offset}: passed, it has ${why}.`);
  }
  return {
    verdict:
      found.records.length === 0
        ? 'Not found: its bucket is empty.'
        : 'Not found: no record of its bucket has this key.',
    steps,
  };
}

function count(records: number): string {
  return records === 0 ? 'none' : records === 1 ? 'one record' : `${records} records`;
}

/** The bytes of a key that stands as text; `undefined` if it is none of the type. */
function encode(text: string): Uint8Array<ArrayBuffer> | undefined {
  switch (data.keyType) {
    case 'bytes':
      return Uint8Array.from(new TextEncoder().encode(text));
    case 'u32':
      return integer(text, 4, 0n);
    case 'u64':
      return integer(text, 8, 0n);
    case 'i64':
      return integer(text, 8, -(2n ** 63n));
    case 'uuid':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? digits(text.replaceAll('-', '')) : undefined;
    default:
      return /^([0-9a-f]{2})*$/i.test(text) ? digits(text) : undefined;
  }
}

function integer(text: string, size: number, least: bigint): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[+-]?\d{1,40}$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  if (value < least || value >= 2n ** BigInt(8 * size) + least) return undefined;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value), true);
  return bytes.slice(0, size);
}

function digits(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
