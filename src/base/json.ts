// What JSON does not give back. Knows JSON; does not know whose values they are.

/** What of a value `JSON.stringify` would change without a word, and what it should be. */
export interface JsonLoss {
  readonly expected: string;
  readonly actual: unknown;
}

/**
 * What was lost when `JSON.stringify` made `text` of `value`; `undefined` if nothing was. A member of an object that is
 * `undefined` is none: without it, to ask for it gives the same.
 * @throws what a `toJSON` throws
 */
export function jsonLoss(value: unknown, text: string): JsonLoss | undefined {
  // All that is lost becomes one of these; few texts hold them, and only those are looked at again.
  if (!text.includes('null') && !text.includes('{}')) return undefined;
  // Not by recursion, nor by a replacer, which takes several times as long.
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const item = written(rest.pop());
    if (typeof item === 'number' && !Number.isFinite(item))
      return { expected: 'numbers that are finite', actual: item };
    if (typeof item !== 'object' || item === null) continue;
    if (isHidden(item)) return { expected: 'plain objects and arrays', actual: item };
    const inner = Object.values(item);
    if (Array.isArray(item)) {
      // A hole is no value, but an element.
      const lost = (inner.length < item.length ? item : inner).findIndex(isNothing);
      if (lost >= 0) return { expected: 'arrays of values that JSON has', actual: item[lost] };
    }
    for (const one of inner) rest.push(one);
  }
  return undefined;
}

/** What `JSON.stringify` takes in the place of a value. */
function written(value: unknown): unknown {
  const own = value as { toJSON?: unknown } | null | undefined;
  return typeof value === 'object' && typeof own?.toJSON === 'function' ? own.toJSON('') : value;
}

function isNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol';
}

/** Whether an object has content that is not in its members: a Map, a Set, a RegExp, a Promise. */
function isHidden(item: object): boolean {
  if (Array.isArray(item) || Object.keys(item).length > 0) return false;
  const kind = Object.prototype.toString.call(item);
  return !['[object Object]', '[object Number]', '[object String]', '[object Boolean]'].includes(kind);
}
