// A web server of one file, as good or as bad as a test wants it. Counts what it was asked.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does in the place of a good answer; `undefined` for a good one. */
export type Misbehaviour = (
  request: { readonly from: number; readonly end: number; readonly number: number },
  response: ServerResponse,
  good: () => void,
) => void;

export interface FileServer extends AsyncDisposable {
  readonly url: string;
  /** Ranges that were asked for; the end is exclusive. */
  readonly asked: { from: number; end: number }[];
  /** Most requests that were under way at one time. */
  readonly most: () => number;
  /** Serves another file from now on. */
  replace(path: string): void;
  /** Answers so from now on. */
  misbehave(how: Misbehaviour | undefined): void;
}

export interface ServerOptions {
  /** Whether it names the version. Default `etag`. */
  readonly version?: 'etag' | 'modified' | 'none';
  /** Milliseconds before each answer. */
  readonly delay?: number;
}

export async function serveFile(
  path: string,
  { version = 'etag', delay = 0 }: ServerOptions = {},
): Promise<FileServer> {
  let bytes = readFileSync(path);
  let etag = etagOf(bytes);
  let modified = new Date(Date.now() - 100_000);
  let how: Misbehaviour | undefined;
  const asked: { from: number; end: number }[] = [];
  let [running, most] = [0, 0];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    most = Math.max(most, ++running);
    response.once('close', () => running--);
    if (request.method === 'OPTIONS') {
      // A page of another origin asks first.
      const allowed = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
      response.writeHead(204, allowed).end();
      return;
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const [from, end] = range === null ? [0, bytes.length] : [Number(range[1]), Number(range[2]) + 1];
    asked.push({ from, end });
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', 'etag, content-range');
    if (version === 'etag') response.setHeader('etag', etag);
    if (version === 'modified') response.setHeader('last-modified', modified.toUTCString());
    const good = () => {
      if (from >= bytes.length) {
        response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
        return;
      }
      const part = bytes.subarray(from, end);
      response.writeHead(206, {
        'content-range': `bytes ${from}-${from + part.length - 1}/${bytes.length}`,
        'content-length': part.length,
      });
      response.end(part);
    };
    const answer = () => (how === undefined ? good() : how({ from, end, number: asked.length }, response, good));
    if (delay === 0) answer();
    else setTimeout(answer, delay);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/table.hmap`,
    asked,
    most: () => most,
    replace(other) {
      bytes = readFileSync(other);
      etag = etagOf(bytes);
      modified = new Date(modified.getTime() + 5000);
    },
    misbehave(next) {
      how = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash('sha1').update(bytes).digest('hex')}"`;
}
