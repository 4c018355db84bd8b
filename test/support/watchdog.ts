// Ends a test file that hangs in a synchronous loop, which no timeout of node:test can do.

import { Worker } from 'node:worker_threads';

/** Kills this process unless the returned function is called within `seconds`. */
export function watch(seconds: number): () => Promise<unknown> {
  const script = `
    const pid = require('node:worker_threads').workerData;
    setTimeout(() => {
      require('node:fs').writeSync(2, 'the tests of this file hang\\n');
      process.kill(pid, 'SIGKILL');
    }, ${seconds * 1000});`;
  const worker = new Worker(script, { eval: true, workerData: process.pid });
  worker.unref();
  return () => worker.terminate();
}
