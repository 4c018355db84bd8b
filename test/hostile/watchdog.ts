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

/** Kills this process when `seconds` pass between two steps, be it in a synchronous loop. */
export function watchSteps(seconds: number): { step(): void; end(): Promise<unknown> } {
  const steps = new Int32Array(new SharedArrayBuffer(4));
  const script = `
    const { pid, steps, seconds } = require('node:worker_threads').workerData;
    let [last, since] = [-1, 0];
    setInterval(() => {
      since = steps[0] === last ? since + 1 : 0;
      last = steps[0];
      if (since < seconds) return;
      require('node:fs').writeSync(2, 'step ' + last + ' hangs\\n');
      process.kill(pid, 'SIGKILL');
    }, 1000);`;
  const worker = new Worker(script, { eval: true, workerData: { pid: process.pid, steps, seconds } });
  worker.unref();
  return {
    step: () => {
      steps[0]!++;
    },
    end: () => worker.terminate(),
  };
}
