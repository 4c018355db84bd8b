// The tables of the soak test: each entry of a version says which version it belongs to. Knows nothing of readers.

export interface Version {
  number: number;
  /** Entries. */
  size: number;
}

/**
 * Entries of version `number`: never the same as of the one before, so that an answer of the wrong version is also a
 * miss.
 */
export function sizeOf(number: number): number {
  return 2000 + ((number * 37) % 101);
}

export function keyOf(i: number): string {
  return `key ${i}`;
}

/** Values are long enough for the table to have several blocks. */
export function answerOf(key: string, number: number): Buffer {
  const value = Buffer.alloc(60, number % 251);
  value.writeUInt32LE(number, 0);
  value.writeUInt32LE(sizeOf(number), 4);
  value.writeUInt32LE(Number(key.slice(4)), 8);
  return value;
}

/** The version of an answer. */
export function versionOf(key: string, answer: unknown): Version {
  if (!(answer instanceof Uint8Array)) throw new Error(`${key}: ${String(answer)} instead of a value`);
  const bytes = Buffer.from(answer);
  const number = bytes.readUInt32LE(0);
  if (!bytes.equals(answerOf(key, number))) throw new Error(`${key}: a value of no version: ${bytes.toString('hex')}`);
  return { number, size: bytes.readUInt32LE(4) };
}
