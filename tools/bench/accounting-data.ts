// The words of the accounting: as many, and as many bytes in all, as those of the experiment that it repeats. Knows no
// tables.

import { readFileSync } from 'node:fs';

export const WORDS = 46_461;
export const WORD_BYTES = 337_670;

/** Picks WORDS words of WORD_BYTES bytes in all, the same each time, in the order of the list. */
export async function accountingWords(): Promise<string[]> {
  const { default: path } = await import('word-list');
  const byLength: string[][] = [];
  for (const word of readFileSync(path, 'utf8').split('\n')) {
    byLength[word.length] ??= [];
    byLength[word.length]!.push(word);
  }
  // Without the empty line after the last word.
  const groups = Array.from(byLength, (words, length) => (length === 0 ? [] : (words ?? [])));
  return pick(groups, quotas(groups.map(({ length }) => length)));
}

/** Evenly spaced words of each length. */
function pick(groups: readonly string[][], counts: readonly number[]): string[] {
  const words = groups.flatMap((group, length) =>
    Array.from({ length: counts[length]! }, (_, i) => group[Math.floor((i * group.length) / counts[length]!)]!),
  );
  return words.sort((a, b) => (a < b ? -1 : 1));
}

/**
 * How many words of each length: the list's own share times a factor for each letter more, chosen so that the mean is
 * right; then moved between neighbouring lengths until the sum is exact.
 */
function quotas(have: readonly number[]): number[] {
  const shares = (factor: number) => {
    const weights = have.map((count, length) => count * factor ** length);
    const scale = WORDS / weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight, length) => Math.min(have[length]!, Math.floor(weight * scale)));
  };
  const total = (counts: readonly number[]) => counts.reduce((sum, count, length) => sum + count * length, 0);
  let [low, high] = [0.1, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (total(shares(middle)) < WORD_BYTES) low = middle;
    else high = middle;
  }
  const counts = shares(low);
  const move = (from: number, to: number) => {
    counts[from]!--;
    counts[to]!++;
  };
  const room = (length: number) => (counts[length] ?? 0) < (have[length] ?? 0);
  for (let left = WORDS - counts.reduce((sum, count) => sum + count, 0); left > 0; left--) {
    counts[have.findIndex((_, length) => length >= Math.floor(WORD_BYTES / WORDS) && room(length))]!++;
  }
  for (let difference = WORD_BYTES - total(counts); difference !== 0; difference -= Math.sign(difference)) {
    const step = Math.sign(difference);
    const from = counts.findIndex((count, length) => length > 3 && count > 0 && room(length + step));
    if (from < 0) throw new Error('the list has no such words');
    move(from, from + step);
  }
  return counts;
}
