// Tests `hmap split`, `hmap join` and `hmap build --shard`: shards that are built by themselves, or of a table, are the same
// files, and join to the table; a folder of shards is taken up as a whole, or not at all.

import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { contentOf, temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const at = (...names: string[]) => join(folder, ...names);
const tsv = (mark: string) =>
  Array.from({ length: 4000 }, (_, i) => `key ${i}\t${i % 50 === 7 ? `${mark} ${i}` : i % 9}\n`).join('');
const same = (a: string, b: string) => assert.ok(readFileSync(a).equals(readFileSync(b)), `${a} and ${b}`);

describe('shards', () => {
  before(async () => {
    writeFileSync(at('a.tsv'), tsv('a'));
    writeFileSync(at('b.tsv'), tsv('b'));
    for (const name of ['a', 'b']) await fine(['build', at(`${name}.tsv`), at(`${name}.hmap`)]);
  });

  test('split, joined, and built one by one', async () => {
    const shards = at('shards');
    const { stderr } = await fine(['split', '--shards', '8', at('a.hmap'), '-o', shards]);
    assert.match(stderr, /shards: 8 shards of 4,000 entries, [\d.]+ KiB, /);
    const manifest = JSON.parse(readFileSync(join(shards, 'table.hmaps.json'), 'utf8'));
    assert.deepEqual([manifest.hmaps, manifest.shards, manifest.seed, manifest.entries], [1, 8, 0, 4000]);
    assert.deepEqual(
      readdirSync(shards).toSorted(),
      [...manifest.files.map(({ name }: { name: string }) => name), 'table.hmaps.json'].toSorted(),
    );
    for (const [i, { name, bytes, checksum }] of manifest.files.entries()) {
      assert.match(name, new RegExp(`^${i}-of-8-${checksum}\\.hmap$`));
      assert.equal(readFileSync(join(shards, name)).length, bytes);
      await fine(['build', '--shard', `${i}/8`, at('a.tsv'), at(`built-${i}.hmap`)]);
      same(at(`built-${i}.hmap`), join(shards, name));
      assert.match((await fine(['verify', join(shards, name)])).stdout, /: ok; /);
    }
    const all = (await fine(['verify', shards])).stdout.trim().split('\n');
    assert.equal(all.filter((line) => /-of-8-.*: ok; /.test(line)).length, 8);
    assertRefused(await hmap(['get', shards, 'key 7']), /it is a folder of shards: name one of its files/);
    assertRefused(await hmap(['verify', folder]), /it is a folder, and has no table\.hmaps\.json/);
    for (const [out, given] of [
      ['folder', [shards]],
      ['manifest', [join(shards, 'table.hmaps.json')]],
      ['files', Array.from({ length: 8 }, (_, i) => at(`built-${7 - i}.hmap`))],
    ] as const) {
      await fine(['join', ...given, '-o', at(`${out}.hmap`)]);
      same(at(`${out}.hmap`), at('a.hmap'));
    }
  });

  test('a folder is replaced as a whole, and only if told to', async () => {
    const shards = at('replaced');
    await fine(['split', '--shards', '4', at('a.hmap'), '-o', shards]);
    const first = contentOf(shards);
    assertRefused(
      await hmap(['split', '--shards', '4', at('b.hmap'), '-o', shards]),
      /has shards already; --force replaces/,
    );
    assert.deepEqual(contentOf(shards), first);
    await fine(['split', '--shards', '4', at('a.hmap'), '-o', shards, '--force']);
    assert.deepEqual(contentOf(shards), first, 'the same shards have the same names');
    const copy = JSON.parse(readFileSync(join(shards, 'table.hmaps.json'), 'utf8'));
    await fine(['split', '--shards', '2', at('b.hmap'), '-o', shards, '--force']);
    const now = readdirSync(shards);
    for (const { name } of copy.files) assert.ok(!now.includes(name), `${name} is of the table before`);
    await fine(['join', shards, '-o', at('b-joined.hmap')]);
    same(at('b-joined.hmap'), at('b.hmap'));
  });

  test('a shard that is missing, or of another version, is named', async () => {
    const shards = at('wrong');
    await fine(['split', '--shards', '4', at('a.hmap'), '-o', shards]);
    await fine(['split', '--shards', '4', at('b.hmap'), '-o', at('others')]);
    const [a, b] = [shards, at('others')].map(
      (one) => JSON.parse(readFileSync(join(one, 'table.hmaps.json'), 'utf8')).files,
    );
    cpSync(join(at('others'), b[2].name), join(shards, a[2].name));
    assertRefused(
      await hmap(['join', shards, '-o', at('never.hmap')]),
      new RegExp(`${a[2].name}: this is another version of the shard`),
    );
    rmSync(join(shards, a[2].name));
    assertRefused(await hmap(['join', shards, '-o', at('never.hmap')]), new RegExp(`${a[2].name}: no such file`));
    const rest = [0, 1, 3].map((i) => join(shards, a[i].name));
    assertRefused(await hmap(['join', ...rest, '-o', at('never.hmap')]), /shard 2 of 4 is missing/);
    for (const [text, message] of [
      ['{}', /not the manifest of a table in shards/],
      ['{"hmaps":2}', /the manifest has version 2, expected 1/],
      ['{"hmaps":1,"shards":3,"seed":0,"entries":0,"files":[]}', /a member is missing or wrong/],
      [
        JSON.stringify({
          hmaps: 1,
          shards: 1,
          seed: 0,
          entries: 1,
          files: [{ name: '../a.hmap', bytes: 1, entries: 1, checksum: '00000000' }],
        }),
        /a file has no valid description/,
      ],
    ] as const) {
      writeFileSync(at('wrong.json'), text);
      assertRefused(await hmap(['join', at('wrong.json'), '-o', at('never.hmap')]), message);
    }
  });

  test('refuses what cannot be divided, and leaves nothing behind', async () => {
    writeFileSync(at('numbers.txt'), '1\n2\n');
    await fine(['build', '--layout', 'list', '--value', 'u7', at('numbers.txt'), at('list.hmap')]);
    await fine(['build', '--fingerprint', '16', at('a.tsv'), at('prints.hmap')]);
    const before = contentOf(folder);
    assertRefused(await hmap(['split', '--shards', '3', at('a.hmap'), '-o', at('new')]), /power of two/);
    assertRefused(await hmap(['build', '--shard', '8/8', at('a.tsv'), at('new.hmap')]), /such as 0\/16/);
    assertRefused(
      await hmap(['build', '--shard', '0/8', '--layout', 'bits', at('numbers.txt'), at('new.hmap')]),
      /--shard: does not apply/,
    );
    assert.deepEqual(contentOf(folder), before);
    for (const name of ['list', 'prints']) {
      assertRefused(
        await hmap(['split', '--shards', '2', at(`${name}.hmap`), '-o', at('new')]),
        /layout 'hash'|fingerprints/,
      );
    }
    assert.ok(!readdirSync(folder).includes('new'));
  });
});
