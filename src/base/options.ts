// Checks the options that callers give. Knows what a good message is; does not know what any option means.

/**
 * Refuses a value that cannot be a path.
 * @throws {TypeError}
 */
export function checkPath(path: unknown): void {
  if (typeof path !== 'string' || path === '') throw new TypeError('path: expected a string that is not empty');
}

/**
 * Refuses unknown options, and names the nearest known one; and `null`, which would pass for an option that is not
 * given in one place, and not in another.
 * @throws {TypeError}
 */
export function checkOptions(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options: expected an object');
  for (const [name, value] of Object.entries(options)) {
    if (known.includes(name)) {
      if (value === null) throw new TypeError(`${name}: expected a value, or no option of this name, got null`);
      continue;
    }
    const near = nearest(name, known);
    const hint = near === undefined ? `the options are ${known.join(', ')}` : `did you mean '${near}'?`;
    throw new TypeError(`options: '${name}' is not known; ${hint}`);
  }
}

/**
 * The options, without what other code has put into `Object.prototype`: a caller has given none of that.
 */
export function ownOptions<T>(options: T): T {
  if (typeof options !== 'object' || options === null) return options;
  let isPolluted = false;
  for (const _ in Object.prototype) isPolluted = true;
  if (!isPolluted) return options;
  const own = Object.create(null) as Record<string, unknown>;
  for (const name in options) {
    if (!(name in Object.prototype) || Object.hasOwn(options, name)) own[name] = options[name];
  }
  return own as T;
}

/**
 * Returns `value` if it is one of `choices`.
 * @throws {TypeError} naming the option
 */
export function oneOf<T>(name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  const hint = typeof value === 'string' ? nearest(value, choices.map(String)) : undefined;
  const meant = hint === undefined ? '' : `; did you mean '${hint}'?`;
  throw new TypeError(`${name}: expected one of ${choices.join(', ')}, got ${String(value)}${meant}`);
}

/** The choice that is at most two edits away (insertions, deletions, substitutions), if there is one. */
export function nearest(word: string, choices: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = 3;
  for (const choice of choices) {
    const distance = editDistance(word, choice);
    if (distance < least) {
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

/** Names the kind of a value, for messages. */
export function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
