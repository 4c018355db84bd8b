// What TypeScript derives from a value type. That this file compiles is the test: each line after @ts-expect-error
// must be an error.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  build,
  type FingerprintTable,
  type IntegerSet,
  open,
  type RecordOf,
  type Schema,
  type Table,
} from '../../src/index.js';
import { temporaryFolder } from '../support/temp.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | undefined => undefined;

test('types follow from the schema', async (t) => {
  const path = join(temporaryFolder(t), 'table.hmap');
  await build(path, [['k', { active: true, level: 5 }]], { value: { struct: { active: 'bool', level: 'u7' } } });
  const table = open(path, { value: { struct: { active: 'bool', level: 'u7' } } });
  holds<Equal<typeof table, Table<{ active: boolean; level: number }, string>>>();
  const value = table.get('k');
  holds<Equal<typeof value, { active: boolean; level: number } | undefined>>();
  const level = table.field('k', 'level');
  holds<Equal<typeof level, number | undefined>>();
  const active = table.field('k', 'active');
  holds<Equal<typeof active, boolean | undefined>>();
  assert.deepEqual([value, level, active, table.bits('k', 0, 1)], [{ active: true, level: 5 }, 5, true, 1]);
  // @ts-expect-error there is no such field
  assert.throws(() => table.field('k', 'levl'), TypeError);
  // @ts-expect-error nor has the object one
  assert.equal(value?.levl, undefined);

  const struct = { struct: { active: 'bool', level: 'u7' } } as const;
  const bad = async () => {
    // @ts-expect-error a number for a bool
    await build(path, [['k', { active: 1, level: 5 }]], { value: { struct: { active: 'bool', level: 'u7' } } });
    // @ts-expect-error a missing field
    await build(path, [['k', { active: true }]], { value: struct });
    // @ts-expect-error a field of 54 bits
    await build(path, [], { value: { struct: { level: 'u54' } } });
    // @ts-expect-error an unknown type
    open(path, { value: { struct: { level: 'f16' } } });
    // @ts-expect-error text where numbers are
    await build(path, [['k', 'text']], { value: 'uint' });
  };
  assert.equal(typeof bad, 'function');

  // Without `as const` TypeScript has forgotten the names of the types; the program has not.
  const widened = { struct: { active: 'bool', level: 'u7' } };
  await build(path, [['k', { active: true, level: 5 }]], { value: widened });
  using loose = open(path, { value: widened });
  holds<Equal<typeof loose, Table<{ active: number | boolean; level: number | boolean }, string>>>();
  assert.deepEqual([loose.get('k')?.active, loose.field('k', 'level')], [true, 5]);
  const badWidened = async () => {
    // @ts-expect-error a text is no field
    await build(path, [['k', { active: 'yes', level: 5 }]], { value: widened });
    // @ts-expect-error there is no such field
    loose.field('k', 'levl');
  };
  assert.equal(typeof badWidened, 'function');

  const frozen = open(path, { value: struct });
  holds<Equal<typeof frozen, typeof table>>();
  using untyped = open(path);
  holds<Equal<typeof untyped, Table<unknown, string>>>();
  const some: Table<unknown> = table;
  const field = untyped.field('k', 'level');
  holds<Equal<typeof field, number | boolean | undefined>>();
  assert.equal(some.field('k', 'level'), field);
  const any: Schema = { a: 'i53' };
  holds<Equal<RecordOf<typeof any>, { [name: string]: number | boolean }>>();
  const numbers = () => open(path, { value: 'uint' });
  holds<Equal<ReturnType<typeof numbers>, Table<number, string>>>();
  const medium = () => open(path, { value: 'u24', key: 'bytes' });
  holds<Equal<ReturnType<typeof medium>, Table<number, Uint8Array>>>();
  // @ts-expect-error numbers have no fields
  assert.throws(() => medium().field('k', 'level'));
  table.close();

  interface Person {
    name: string;
  }
  await build<'json'>(path, [['k', { name: 'x' } satisfies Person]], { value: 'json' });
  using people = open<Person>(path);
  holds<Equal<typeof people, Table<Person, string>>>();
  assert.equal(people.get('k')?.name, 'x');
  const json = () =>
    [
      open<Person>(path, { value: 'json', warm: 'all', onReload: (newer) => newer.size }),
      open<Person, 'bytes'>(path, { key: 'bytes' }),
      open<Person>(path, { fingerprint: true }),
      open<{ name: string }[]>(path),
    ] as const;
  type Json = ReturnType<typeof json>;
  holds<Equal<Json[0], Table<Person, string>>>();
  holds<Equal<Json[1], Table<Person, Uint8Array>>>();
  holds<Equal<Json[2], FingerprintTable<Person, string>>>();
  holds<Equal<Json[3], Table<{ name: string }[], string>>>();
  const badJson = () => {
    // @ts-expect-error it is not said that the values are people
    const said: Table<Person> = open(path);
    said.close();
    // @ts-expect-error numbers are no people
    open<Person>(path, { value: 'u8' });
  };
  assert.equal(typeof badJson, 'function');

  const integers = () => open(path, { layout: 'auto', onReload: (set) => set.has(1) });
  holds<Equal<ReturnType<typeof integers>, IntegerSet>>();
  const badSets = async () => {
    // @ts-expect-error text where integers are
    await build(path, ['1'], { layout: 'auto' });
    // @ts-expect-error the least integer is known when all are
    await build(path, [1], { layout: 'auto', base: 5 });
    // @ts-expect-error the keys are what the integers need
    open(path, { layout: 'auto', key: 'u32' });
  };
  assert.equal(typeof badSets, 'function');
});
