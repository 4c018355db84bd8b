// Other spellings of a key that a table does not have: those that people and programs often mix up, and, by going through
// all keys, those that are nearest. Knows texts; the distance is a library's.

import { setImmediate as turn } from 'node:timers/promises';
import { distance } from 'fastest-levenshtein';
import { type HashHeader, open } from '../../src/index.js';
import { type EntryScan, encodeKeyText, KEY_DECODERS, scanFile, scratch } from '../../src/internal.js';

/** A key that the table has. */
export interface Spelling {
  readonly key: string;
  /** In which way it is another one. */
  readonly how: string;
}

/** What often stands between a key and its finder. */
const VARIANTS: readonly [how: string, change: (text: string) => string][] = [
  ['without spaces around it', (text) => text.trim()],
  ['in lower case', (text) => text.toLowerCase()],
  ['in upper case', (text) => text.toUpperCase()],
  ['with a capital letter', (text) => text.slice(0, 1).toUpperCase() + text.slice(1)],
  ['in Unicode form NFC', (text) => text.normalize('NFC')],
  ['in Unicode form NFD', (text) => text.normalize('NFD')],
  ['with a carriage return at its end, as in files of Windows', (text) => `${text}\r`],
  ['with a line feed at its end', (text) => `${text}\n`],
  ['with a space at its end', (text) => `${text} `],
  ['with a zero byte at its end', (text) => `${text}\0`],
  ['with a byte order mark before it', (text) => `\ufeff${text}`],
  ['in quotes', (text) => `"${text}"`],
  ['without quotes', (text) => text.replace(/^(["'])(.*)\1$/s, '$2')],
  ['without zeros before it', (text) => text.replace(/^0+(?=\d)/, '')],
  ['without hyphens', (text) => text.replaceAll('-', '')],
  ['with a slash at its end', (text) => `${text}/`],
  ['without a slash at its end', (text) => text.replace(/\/$/, '')],
];

/** The usual variants of a key that the table has; costs some lookups. */
export function variantsOf(path: string, { keyType }: HashHeader, key: string): Spelling[] {
  // Of a damaged file, too: what is read is checked by whoever asked.
  const table = open(path, { key: 'bytes', check: 'header' });
  try {
    const found = new Map<string, Spelling>();
    for (const [how, change] of VARIANTS) {
      const other = change(key);
      if (other === key || found.has(other)) continue;
      const bytes = keyType === 'bytes' ? Buffer.from(other) : typedKey(keyType, other);
      if (bytes !== undefined && table.has(bytes)) found.set(other, { key: other, how });
    }
    return [...found.values()];
  } finally {
    table.close();
  }
}

function typedKey(type: Exclude<HashHeader['keyType'], 'bytes'>, text: string): Buffer | undefined {
  try {
    return Buffer.from(scratch.bytes.subarray(0, encodeKeyText(type, text)));
  } catch {
    return undefined;
  }
}

const STRIDE = 2 ** 16;
/** Characters beyond which a key is not compared. */
const MOST_LENGTH = 1000;

/**
 * The keys of the table with the fewest edits (insertions, deletions, substitutions) to `key`, the nearest first.
 * @param most how many
 * @param report told of the entries that are done
 */
export async function nearestKeys(
  path: string,
  key: string,
  most: number,
  report: (entries: number) => void,
): Promise<{ key: string; edits: number }[]> {
  const nearest: { key: string; edits: number }[] = [];
  if (key.length > MOST_LENGTH) return nearest;
  await scanFile(path, 'header', async (given) => {
    const scan = given as EntryScan;
    const { keyType } = scan.header;
    let floor = Math.max(2, Math.ceil(key.length / 2));
    for (let done = 1; scan.step(); done++) {
      if (done % STRIDE === 0) {
        report(done);
        await turn();
      }
      const { buffer, at, length } = scan.key;
      // Bytes are at most four for each character, and edits at least as many as lengths differ by.
      if (keyType === 'bytes' && (length > 4 * (key.length + floor) || length < key.length - floor)) continue;
      const text =
        keyType === 'bytes'
          ? buffer.bytes.toString('utf8', at, at + length)
          : String(KEY_DECODERS[keyType](buffer, at, length));
      if (Math.abs(text.length - key.length) > floor) continue;
      const edits = distance(text, key);
      if (edits > floor) continue;
      const place = nearest.findIndex((one) => one.edits > edits);
      nearest.splice(place < 0 ? nearest.length : place, 0, { key: text, edits });
      if (nearest.length > most) nearest.pop();
      if (nearest.length === most) floor = nearest[most - 1]!.edits - 1;
    }
  });
  return nearest;
}
