// Hex dumps. Knows nothing of what the bytes are.

const ROW = 16;
/** Longer parts are cut off; `getView` returns all of them. */
const MOST_ROWS = 64;

/** Rows of offset, hexadecimal and ASCII, the name after the first. */
export function hexDump(bytes: Uint8Array, offset: number, name: string): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += ROW) {
    if (at >= ROW * MOST_ROWS) return `${text}  ... ${bytes.length - at} bytes more\n`;
    const row = Array.from(bytes.subarray(at, at + ROW));
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    const label = at === 0 ? `  ${name}` : '';
    text += `  ${String(offset + at).padStart(10)}  ${hex.padEnd(3 * ROW)} |${ascii.padEnd(ROW)}|${label}\n`;
  }
  return text;
}
