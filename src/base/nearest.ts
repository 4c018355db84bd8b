// The word that was probably meant, for messages. Knows letters.

/** The choice that is at most two edits away (insertions, deletions, substitutions), if there is one. */
export function nearest(word: string, choices: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = 3;
  for (const choice of choices) {
    const distance = editDistance(word, choice);
    // Of a short word, most letters must be the same.
    if (distance < least && 2 * distance <= word.length) {
      least = distance;
      best = choice;
    }
  }
  return best;
}

// Wagner and Fischer, "The String-to-String Correction Problem", 1974, one row at a time.
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, substitute));
    }
    row = next;
  }
  return row[b.length]!;
}
