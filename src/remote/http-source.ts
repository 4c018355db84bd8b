// Bytes of a file on a web server, by ranges: which version of the file they are of, retries, limits. Knows HTTP (RFC 9110);
// does not know what the bytes are.

import { HmapError } from '../base/errors.js';

/** What {@link HttpSource} needs to know. */
export interface SourceOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly headers: Readonly<Record<string, string>>;
  /** Requests at a time. */
  readonly concurrency: number;
  /** Times that a request is repeated. */
  readonly retries: number;
  /** Milliseconds that one request may take. */
  readonly timeout: number;
  /** Bytes of a file that may be taken whole, if the server gives no parts of it. */
  readonly mostWhole: number;
}

/** Requests that were made, and bytes of their bodies. */
export interface Traffic {
  requests: number;
  bytes: number;
}

/** What tells a version of the file from another. */
interface Version {
  readonly etag: string | undefined;
  readonly modified: string | undefined;
  readonly total: number | undefined;
}

/** Answers below 500 that may be another one a moment later. */
const TRANSIENT = [408, 425, 429];
/** Milliseconds before the first repetition, on average twice as many before each further one; and the most. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5000;
/** Milliseconds that a server may ask for (`Retry-After`) and get. */
const LONGEST_WISH = 30_000;

/** One version of a file: that of the first answer. */
export class HttpSource {
  readonly url: string;
  readonly traffic: Traffic;
  readonly #options: SourceOptions;
  #version: Version | undefined;
  /** All of a file that the server gives in one piece only. */
  #whole: Uint8Array | undefined;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(url: string, options: SourceOptions, traffic: Traffic) {
    this.url = url;
    this.#options = options;
    this.traffic = traffic;
  }

  /** Size of the file; `undefined` if the server has not said. */
  get total(): number | undefined {
    return this.#version?.total;
  }

  /** Whether the server names the version, so that another one shows. */
  get isPinned(): boolean {
    return this.#whole !== undefined || this.#version?.etag !== undefined || this.#version?.modified !== undefined;
  }

  /**
   * Bytes `[from, end)`; fewer where the file ends.
   * @throws {HmapError} `HMAP_HTTP`, `HMAP_NO_RANGES`, `HMAP_REPLACED`
   * @throws the signal's reason once it is aborted
   */
  async range(from: number, end: number, signal: AbortSignal): Promise<Uint8Array> {
    for (let attempt = 0; ; attempt++) {
      await this.#turn(signal);
      let failure: Failure;
      try {
        // Another request may have brought it.
        if (this.#whole !== undefined) return this.#whole.slice(from, end);
        const answer = await this.#ask(from, end, signal);
        if (answer instanceof Uint8Array) return answer;
        failure = answer;
      } finally {
        this.#running--;
        this.#waiting.shift()?.();
      }
      if (attempt === this.#options.retries || !failure.isTransient) throw failure.error;
      const usual = Math.random() * 2 * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt);
      await pause(failure.wish ?? usual, signal);
    }
  }

  /** Waits until fewer requests are under way than may be. */
  async #turn(signal: AbortSignal): Promise<void> {
    while (this.#running >= this.#options.concurrency) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (signal.aborted) {
      this.#waiting.shift()?.();
      throw signal.reason;
    }
    this.#running++;
  }

  async #ask(from: number, end: number, signal: AbortSignal): Promise<Uint8Array | Failure> {
    const { fetch, headers, timeout } = this.#options;
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => stop.abort(LATE), timeout);
    try {
      this.traffic.requests++;
      const asked = fetch(this.url, {
        // A browser does not let a page choose the encoding, and ignores it.
        headers: { ...headers, 'accept-encoding': 'identity', range: `bytes=${from}-${end - 1}` },
        signal: stop.signal,
      });
      return await this.#take(await orStopped(asked, stop.signal), from, end);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof HmapError) return { error, isTransient: false };
      const why = stop.signal.reason === LATE ? `no answer within ${timeout} ms` : reasonOf(error);
      return { error: this.#error('HMAP_HTTP', why, { cause: error }), isTransient: true };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      // Whatever is left of a body that nobody wants.
      stop.abort();
    }
  }

  async #take(response: Response, from: number, end: number): Promise<Uint8Array | Failure> {
    const { status, headers } = response;
    if (status === 416) throw this.#outside(headers);
    if (status !== 206 && status !== 200) {
      const error = this.#error('HMAP_HTTP', `the server answers ${status}`, { actual: status });
      return { error, isTransient: status >= 500 || TRANSIENT.includes(status), wish: wishOf(headers) };
    }
    const encoding = headers.get('content-encoding')?.toLowerCase() ?? 'identity';
    if (encoding !== 'identity') {
      const why = `the server compresses the file (${encoding}), which has no parts then`;
      throw this.#error('HMAP_HTTP', why, { actual: encoding });
    }
    if (status === 200) return this.#takeWhole(response, from, end);
    const sent = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    const total = sent === null || sent[3] === '*' ? undefined : Number(sent[3]);
    this.#pin(headers, total);
    const wanted = Math.min(end, total ?? end) - from;
    if (sent !== null && (Number(sent[1]) !== from || Number(sent[2]) !== from + wanted - 1)) {
      const range = `${sent[1]}-${sent[2]}`;
      throw this.#error('HMAP_HTTP', `the server sends the bytes ${range} for ${from}-${end - 1}`, { actual: range });
    }
    const body = await this.#body(response, end - from);
    // Where the server does not say how long the file is, a short answer may be its end, but only the first one.
    const isWhole = body.length === wanted || (sent === null && body.length < wanted && from === 0);
    if (isWhole) return body;
    const why = `the server sends ${body.length} bytes for ${wanted}`;
    return { error: this.#error('HMAP_HTTP', why, { expected: wanted, actual: body.length }), isTransient: true };
  }

  /** Takes a file that the server does not give in parts. */
  async #takeWhole(response: Response, from: number, end: number): Promise<Uint8Array | Failure> {
    const { headers } = response;
    const { mostWhole } = this.#options;
    const stated = headers.get('content-length');
    const length = stated === null ? undefined : Number(stated);
    const tooLong = () =>
      this.#error(
        'HMAP_NO_RANGES',
        `the server sends the whole file, which has more than ${mostWhole} bytes (cacheBytes)`,
        {
          expected: mostWhole,
          actual: length,
        },
      );
    this.#pin(headers, length);
    if (length !== undefined && length > mostWhole) throw tooLong();
    const body = await this.#body(response, mostWhole + 1);
    if (body.length > mostWhole) throw tooLong();
    if (length !== undefined && body.length !== length) {
      const why = `the server sends ${body.length} bytes for ${length}`;
      return { error: this.#error('HMAP_HTTP', why, { expected: length, actual: body.length }), isTransient: true };
    }
    this.#pin(headers, body.length);
    this.#whole = body;
    return body.slice(from, end);
  }

  /** The body, up to so many bytes, and whatever there is beyond them as one more. */
  async #body(response: Response, most: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    const reader = response.body?.getReader();
    while (reader !== undefined && length <= most) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      length += value.length;
    }
    this.traffic.bytes += length;
    return joined(pieces);
  }

  /** @throws {HmapError} `HMAP_REPLACED` if an answer is of another version than the first one */
  #pin(headers: Headers, total: number | undefined): void {
    const etag = headers.get('etag')?.replace(/^W\//, '') ?? undefined;
    const modified = headers.get('last-modified') ?? undefined;
    const known = this.#version;
    const differs = <T>(a: T | undefined, b: T | undefined) => a !== undefined && b !== undefined && a !== b;
    if (known === undefined) {
      this.#version = { etag, modified, total };
    } else if (
      differs(known.etag, etag) ||
      // Of one ETag, machines behind one address may have several times.
      (etag === undefined && differs(known.modified, modified)) ||
      differs(known.total, total)
    ) {
      throw this.replaced();
    } else {
      this.#version = { etag: known.etag ?? etag, modified: known.modified ?? modified, total: known.total ?? total };
    }
  }

  /** The error for a file that is another one by now. */
  replaced(): HmapError {
    return this.#error('HMAP_REPLACED', 'the file has been replaced since it was opened', {});
  }

  #outside(headers: Headers): HmapError {
    const total = /^bytes \*\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
    if (this.#version !== undefined && total !== undefined && Number(total) !== this.#version.total)
      return this.replaced();
    return this.#error('HMAP_TRUNCATED', 'the file is cut short (416)', { actual: 416 });
  }

  #error(
    code: 'HMAP_HTTP' | 'HMAP_NO_RANGES' | 'HMAP_REPLACED' | 'HMAP_TRUNCATED',
    reason: string,
    data: object,
  ): HmapError {
    // Without a password that may stand in it.
    const shown = this.url.replace(/\/\/[^/@]*@/, '//');
    return new HmapError(code, `${shown}: ${reason}`, { path: shown, reason, ...data });
  }
}

interface Failure {
  readonly error: HmapError;
  readonly isTransient: boolean;
  /** Milliseconds that the server asks to wait. */
  readonly wish?: number | undefined;
}

/** Bytes one after the other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** The result, or the signal's reason once that is aborted: not every `fetch` obeys its signal. */
function orStopped<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    result.then(resolve, reject);
  });
}

/** What an error of `fetch` says, which hides it in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = (error ?? {}) as { message?: string; cause?: { message?: string } };
  return `no answer: ${message ?? String(error)}${cause?.message === undefined ? '' : `: ${cause.message}`}`;
}

/** Why a request is stopped that takes too long. */
const LATE = new Error('late');

/** What `Retry-After` says, a number of seconds or a date; in milliseconds. */
function wishOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const wish = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  // What has passed already, or is no time, is no wish.
  return wish >= 0 ? Math.min(wish, LONGEST_WISH) : undefined;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
