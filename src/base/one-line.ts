// A text in one line, for messages. Knows nothing of what it says.

/**
 * A text in one line, whatever it quotes, and without control characters: it may go to a log or a terminal as it is.
 */
export function oneLine(text: string): string {
  const lines = text.split(/[\n\r]/);
  const joined = lines.length === 1 ? text : lines.map((line) => line.trim()).filter((line) => line !== '');
  return (typeof joined === 'string' ? joined : joined.join(' ')).replace(/\p{Cc}/gu, '\ufffd');
}
