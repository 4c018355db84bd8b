// Packed features of users: six fields in seven bytes, read one at a time or together.
//
//     node dist/tools/examples/features.js

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, open, type RecordOf, type StructType } from 'hmap';

const FEATURES = {
  struct: {
    active: 'bool',
    level: 'u7',
    /** Days since 1970. */
    joined: 'u16',
    /** From -1000 to 1000. */
    reputation: 'i11',
    orders: 'u16',
    churn: 'u5',
  },
} as const satisfies StructType;

function* users(): Generator<[id: number, features: RecordOf<typeof FEATURES.struct>]> {
  for (let id = 0; id < 50_000; id++) {
    const features = {
      active: id % 3 !== 0,
      level: id % 100,
      joined: 19_000 + (id % 700),
      reputation: (id % 2001) - 1000,
      orders: id % 5000,
      churn: id % 32,
    };
    yield [id, features];
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hmap-example-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const path = join(folder, 'features.hmap');
  const { entries, fileBytes } = await build(path, users(), { key: 'u32', value: FEATURES });
  console.log(`${entries} users, ${(fileBytes / entries).toFixed(1)} bytes each`);
  using table = open(path, { key: 'u32', value: FEATURES });
  // TypeScript derives the type from the schema: { active: boolean; level: number; ... }.
  console.log(table.get(1234));
  // One field, without an object of the others; bits, without a name.
  console.log(table.field(1234, 'reputation'), table.bits(1234, 1, 8));
  let active = 0;
  for (const { active: isActive } of table.values()) if (isActive) active++;
  console.log(`${active} of ${table.size} are active`);
}

void main();
