// What separates the columns of a text: guessed from its first lines, or as it was said. Knows lines; does not know what
// columns are for.

/** Guessed, from the most usual on. */
const CANDIDATES = [',', ';', '\t', '|'];
/** Lines that are looked at. */
const LINES = 20;
/** Any run of spaces and tabs. */
export const SPACES = '\\s+';

/** What a delimiter is as an argument: `\t` and `tab` are a tab, `\s+` and `spaces` any run of spaces and tabs. */
export function parseDelimiter(text: string): string {
  if (text === '\\t' || text === 'tab') return '\t';
  return text === 'spaces' ? SPACES : text;
}

/** A delimiter for people. */
export function shownDelimiter(delimiter: string): string {
  if (delimiter === SPACES) return 'spaces';
  return delimiter === '\t' ? 'tabs' : `'${delimiter}'`;
}

/** The delimiter that a first line `sep=;` names, as spreadsheets write it, and the bytes of that line; else `undefined`. */
export function namedDelimiter(head: string): { delimiter: string; bytes: number } | undefined {
  const line = /^sep=(.)\r?\n/.exec(head);
  return line === null ? undefined : { delimiter: line[1]!, bytes: line[0].length };
}

/**
 * The delimiter that stands in each of the first lines, outside quotes, and equally often if there is such a one.
 * @param head the start of a text, of which the last line may be cut
 * @param isWhole whether that is all of it
 */
export function guessDelimiter(head: string, isWhole: boolean, comment: string | undefined): string | undefined {
  const even = evenDelimiter(head, isWhole, comment);
  if (even !== undefined) return even;
  const rows = firstRows(head, isWhole, comment);
  return rows.length === 0 ? undefined : CANDIDATES.find((delimiter) => rows.every((row) => row.includes(delimiter)));
}

/** The delimiter that stands equally often in each of the first lines. */
export function evenDelimiter(head: string, isWhole: boolean, comment: string | undefined): string | undefined {
  const rows = firstRows(head, isWhole, comment);
  if (rows.length === 0) return undefined;
  const even = CANDIDATES.filter((delimiter) => {
    const [first, ...others] = rows.map((row) => row.split(delimiter).length);
    return first! > 1 && others.every((count) => count === first);
  });
  const isText = (row: string) => !/(?<!\d),(?! )|,(?![\d ])/.test(row);
  if (even.length > 1 && even.includes(',') && rows.every(isText)) {
    // Commas between digits are those of decimals, and commas before spaces those of text.
    return even.find((delimiter) => delimiter !== ',');
  }
  return even[0];
}

/** The first rows, without what is in quotes. */
function firstRows(head: string, isWhole: boolean, comment: string | undefined): string[] {
  const bare = head.replace(/"(?:[^"]|"")*"/g, '');
  // What is left of quotes is open, and may hold anything.
  const open = bare.indexOf('"');
  const lines = (open < 0 ? bare : bare.slice(0, open)).split(/\r?\n/);
  if (!isWhole || open >= 0) lines.pop();
  return lines
    .filter((line) => line.trim() !== '' && (comment === undefined || !line.startsWith(comment)))
    .slice(0, LINES);
}
