// The start of an input, looked at before it is read. Knows no formats.

/** Bytes that are looked at. */
export const HEAD_BYTES = 64 * 1024;

export interface Head {
  readonly bytes: Buffer;
  /** Whether that is the whole input. */
  readonly isWhole: boolean;
  /** The whole input, its start included. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Lets go of the input if the pieces are not taken. */
  close(): Promise<void>;
}

/** Takes the first bytes, at least so many, or all. */
export async function headOf(pieces: AsyncIterable<Uint8Array>, least: number = HEAD_BYTES): Promise<Head> {
  const iterator = pieces[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let bytes = 0;
  let isWhole = false;
  while (bytes < least && !isWhole) {
    const next = await iterator.next();
    isWhole = next.done === true;
    if (next.done) break;
    // A copy: the next one may come in the same memory.
    taken.push(Uint8Array.from(next.value));
    bytes += next.value.length;
  }
  const close = async () => void (await iterator.return?.());
  return { bytes: Buffer.concat(taken), isWhole, pieces: rejoined(taken, iterator), close };
}

async function* rejoined(taken: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* taken;
    for (;;) {
      const next = await rest.next();
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
