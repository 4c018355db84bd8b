// nginx over a folder, as people have it. Knows how it is started and stopped.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.js';

export interface Nginx extends AsyncDisposable {
  /** Of the folder, with a slash at the end. */
  readonly url: string;
}

/**
 * @param root the folder to serve
 * @param scratch a folder for its own files
 * @param more lines for the configuration of the server
 */
export async function startNginx(root: string, scratch: string, more = ''): Promise<Nginx> {
  const port = await freePort();
  mkdirSync(scratch, { recursive: true });
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = `
    daemon off; master_process off; pid ${join(scratch, 'pid')}; error_log ${join(scratch, 'errors')};
    events {}
    http {
      types { text/html html; text/javascript js; application/octet-stream hmap; }
      access_log off;
      ${bodies.map((name) => `${name}_temp_path ${join(scratch, name)};`).join('\n')}
      server { listen 127.0.0.1:${port}; root ${root}; ${more} }
    }`;
  const path = join(scratch, 'nginx.conf');
  writeFileSync(path, config);
  const server = spawn('nginx', ['-c', path, '-p', scratch], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}/`;
  for (let i = 0; ; i++) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer !== undefined) break;
    if (i === 100 || server.exitCode !== null) throw new Error(`nginx does not start: ${path}`);
    await sleep(50);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      if (server.exitCode !== null) return;
      server.kill('SIGTERM');
      await once(server, 'exit');
    },
  };
}
