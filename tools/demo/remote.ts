// npm run demo:remote: a page on a static web server on this machine that looks words up in a table beside it, and shows how
// few bytes that moves.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sirv from 'sirv';
import { say } from '../terminal/cli.js';
import { makeSite } from './site.js';

const folder = mkdtempSync(join(tmpdir(), 'hmap-site-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit());

await makeSite(folder);
const server = createServer(sirv(folder, { etag: true, dev: false }));
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  say(`http://127.0.0.1:${(server.address() as AddressInfo).port}/ looks words up in a table; end it with Ctrl-C`);
});
