// A process that builds one table after the other needs no more memory than for a few of them.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { runModule } from '../support/child.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);

describe('builds one after the other', () => {
  const ways = {
    pairs: `(function* () { for (let i = 0; i < 20_000; i++) yield ['key ' + i, 'v'.repeat(1000)]; })()`,
    columns: '{ keys: new Uint32Array(1_000_000).map((_, i) => i), values: new Float64Array(1_000_000) }',
  };
  for (const [way, entries] of Object.entries(ways)) {
    for (const off of ['', '1']) {
      test(`${way}, ${off === '' ? 'in' : 'without'} the core`, async () => {
        const script = `
          if ('${off}') process.env.HMAP_NO_CORE = '1';
          const options = ${way === 'pairs' ? "{ value: 'utf8' }" : "{ key: 'u32', value: 'f64' }"};
          const sizes = [];
          for (let i = 0; i < 24; i++) {
            await hmap.build(process.argv[1], ${entries}, options);
            sizes.push(process.memoryUsage().rss / 2 ** 20);
          }
          console.log(JSON.stringify([Math.max(...sizes.slice(0, 6)), Math.max(...sizes.slice(6))]));`;
        const { status, stdout, stderr } = await runModule(script, [join(folder, `${way}${off}.hmap`)], {
          seconds: 60,
        });
        assert.deepEqual([status, stderr], [0, '']);
        const [few, many] = JSON.parse(stdout) as [number, number];
        assert.ok(many < few + 100, `${few} MiB, then ${many}`);
      });
    }
  }
});
