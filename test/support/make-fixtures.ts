// Writes the golden files. Run it with `npm run fixtures`, and only when the format changes: they hold later builds to
// earlier ones.

import { build } from '../../src/index.js';
import { FIXTURES, fixturePath, KEYLESS_FIXTURES } from './fixtures.js';
import { buildShard, SHARD_FIXTURE } from './shards.js';

for (const { name, options, entries } of FIXTURES) {
  const { fileBytes, segments } = await build(fixturePath(`${name}.hmap`), entries as never, options);
  console.log(`${name}: ${fileBytes} bytes, ${segments} segments`);
}
for (const { name, options, values } of KEYLESS_FIXTURES) {
  const { fileBytes, segments } = await build(fixturePath(`${name}.hmap`), values as never, options as never);
  console.log(`${name}: ${fileBytes} bytes, ${segments} segments`);
}
const { name, entries, options, shard } = SHARD_FIXTURE;
const { fileBytes } = await buildShard(fixturePath(`${name}.hmap`), entries, options, shard);
console.log(`${name}: ${fileBytes} bytes`);
