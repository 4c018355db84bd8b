// What the modules below this room ask of Node, for where there is no Node: the bundler puts this file in the place of
// `node:...`, of the global `Buffer`, of `base/text.js`, which is fast with Node's Buffer alone, and of `base/nearest.js`, which
// is not worth its bytes there (tools/rollup.config.js).
// Only what they use, and only as they use it.

/** In the place of Node's class. */
export class Buffer extends Uint8Array {
  static override from(
    source: ArrayBufferLike | ArrayLike<number> | Iterable<number>,
    offset?: unknown,
    length?: unknown,
  ): Buffer {
    if (source instanceof Uint8Array) return new Buffer(source);
    if (Symbol.iterator in source || 'length' in source) return new Buffer(source as ArrayLike<number>);
    return new Buffer(source as ArrayBuffer, offset as number | undefined, length as number | undefined);
  }

  static byteLength(text: string): number {
    return new TextEncoder().encode(text).length;
  }

  override toString(encoding: 'utf8' | 'latin1' | 'hex' = 'utf8', start = 0, end: number = this.length): string {
    const bytes = new Uint8Array(this.buffer, this.byteOffset + start, end - start);
    if (encoding === 'utf8') return decoder.decode(bytes);
    let text = '';
    for (const byte of bytes) {
      text += encoding === 'hex' ? byte.toString(16).padStart(2, '0') : String.fromCharCode(byte);
    }
    return text;
  }

  /** With bytes, copies them. */
  override fill(value: unknown, start?: number, end?: number): this {
    if (value instanceof Uint8Array) this.set(value);
    else super.fill(value as number, start, end);
    return this;
  }

  readUIntLE(at: number, width: number): number {
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + this[at + i]!;
    return value;
  }
}

/** Of `base/text.js`. */
export function decodeText({ bytes }: { readonly bytes: Uint8Array }, at: number, length: number): string {
  return decoder.decode(bytes.subarray(at, at + length));
}

/** Of `base/nearest.js`. */
export function nearest(): undefined {}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Of `node:util/types`. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]' && ArrayBuffer.isView(value);
}

export function isNativeError(value: unknown): value is Error {
  return value instanceof Error;
}

/** Of `node:buffer`: the longest string of V8. */
export const constants = { MAX_STRING_LENGTH: 2 ** 29 - 24 };

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Of `node:worker_threads`. There is nothing to mark. */
export function markAsUntransferable(): void {}

/** Of `node:url`. Nothing here has a path. */
export function fileURLToPath(url: unknown): string {
  throw new TypeError(`path: there are no files here, got ${String(url)}`);
}

const { TextDecoder: Decoder, TextEncoder: Encoder } = globalThis;

/** Of `node:util`. */
export { Decoder as TextDecoder, Encoder as TextEncoder };
