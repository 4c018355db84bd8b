// A Map from `key<TAB>number` lines, as a program that has no table would fill it.

const TAB = 9;
const NEWLINE = 10;
const ZERO = 48;

/** Each key is a string of its own: pieces of one large string would keep all of it. */
export function readMap(lines: Buffer): Map<string, number> {
  const map = new Map<string, number>();
  for (let at = 0; at < lines.length; ) {
    const tab = lines.indexOf(TAB, at);
    const key = lines.toString('latin1', at, tab);
    let value = 0;
    for (at = tab + 1; at < lines.length && lines[at] !== NEWLINE; at++) value = 10 * value + lines[at]! - ZERO;
    at++;
    map.set(key, value);
  }
  return map;
}
