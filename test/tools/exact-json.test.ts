// Integers that JavaScript would round keep their digits on the way into tables, through plan, and out again.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { describe, test } from 'node:test';
import { open } from '../../src/index.js';
import { canonicalJson, ExactJson } from '../../tools/formats/exact-json.js';
import { temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);
const BIG = '12345678901234567890';
const [TWO, NEXT] = ['9007199254740992', '9007199254740993'];

function input(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const lines = (...values: string[]) => values.map((value, i) => `{"key":"${i}","value":${value}}\n`).join('');

test('what JSON.parse reads exactly is not looked at twice', () => {
  const texts = [
    '1',
    '[1.5,-2]',
    `"${BIG}"`,
    `{"a":"${NEXT} \\" ${NEXT}"}`,
    '9007199254740991',
    '1e30',
    '12345678901234567890.5',
  ];
  for (const text of texts) assert.equal(ExactJson.parse(text), undefined, text);
  for (const text of texts) assert.equal(canonicalJson(text), JSON.stringify(JSON.parse(text)), text);
});

test('integers that it would round keep their digits wherever they stand', () => {
  for (const text of [BIG, `-${BIG}`, NEXT, `[${NEXT},${TWO}]`, `{"a":{"${NEXT}":[${BIG},"${BIG}",1e2]}}`]) {
    assert.equal(canonicalJson(text), text.replace('1e2', '100'), text);
  }
  assert.equal(canonicalJson(` { "a" : ${NEXT} } `), `{"a":${NEXT}}`);
  assert.throws(() => canonicalJson(`{"a":${NEXT}`), SyntaxError);
});

describe('a table of json', () => {
  const values = [BIG, `-${NEXT}`, `{"id":${NEXT},"other":[1,${BIG}]}`, `"${BIG}"`, '5'];

  test('from jsonl, and back', async () => {
    const path = input('in.jsonl', lines(...values));
    const table = join(folder, 'jsonl.hmap');
    await fine(['build', '--value', 'json', path, table]);
    const { stdout } = await fine(['dump', table]);
    assert.deepEqual(stdout.split('\n').sort(), readFileSync(path, 'utf8').split('\n').sort());
    assert.equal(Buffer.from(open(table).getView('0')!).toString(), BIG);
    assert.equal((await fine(['get', table, '2'])).stdout.trim(), values[2]);
  });

  test('from tsv and csv', async () => {
    const tsv = input('in.tsv', values.map((value, i) => `${i}\t${value}\n`).join(''));
    const csv = input('in.csv', values.map((value, i) => `${i},"${value.replaceAll('"', '""')}"\n`).join(''));
    for (const path of [tsv, csv]) {
      const table = `${path}.hmap`;
      await fine(['build', '--value', 'json', path, table]);
      for (const [i, value] of values.entries()) {
        assert.equal(Buffer.from(open(table).getView(String(i))!).toString(), value, path);
      }
    }
  });

  test('what else JSON would change beside such an integer is refused with its line', async () => {
    const path = input('lost.jsonl', lines('1', `[${BIG},1e999]`));
    assertRefused(await hmap(['build', '--value', 'json', path, join(folder, 'no.hmap')]), /line 2.*finite/);
  });
});

test('u64 and i64 take them as JSON numbers, for values and for keys', async () => {
  const path = input('u64.jsonl', `{"key":${NEXT},"value":${BIG}}\n{"key":${TWO},"value":1}\n`);
  const table = join(folder, 'u64.hmap');
  await fine(['build', '--key', 'u64', '--value', 'u64', path, table]);
  const opened = open(table, { key: 'u64', value: 'u64' });
  assert.deepEqual([opened.get(BigInt(NEXT)), opened.get(BigInt(TWO))], [BigInt(BIG), 1n]);
  const signed = input('i64.jsonl', lines(`-${NEXT}`));
  await fine(['build', '--value', 'i64', signed, join(folder, 'i64.hmap')]);
  assert.equal(open(join(folder, 'i64.hmap')).get('0'), -BigInt(NEXT));
  const large = input('large.jsonl', lines('18446744073709551616'));
  assertRefused(await hmap(['build', '--value', 'u64', large, join(folder, 'no.hmap')]), /line 1/);
});

test('plan offers no type that does not hold all digits', async () => {
  const path = input('plan.jsonl', `{"key":"a","value":${BIG}}\n{"key":"b","value":12345678901234567891}\n`);
  const { stdout } = await fine(['plan', path]);
  const offered = [...stdout.matchAll(/^map, (\w+) /gm)].map(([, type]) => type);
  assert.deepEqual(offered, ['json']);
  const table = join(folder, 'planned.hmap');
  await fine(['build', '--value', 'json', path, table]);
  assert.deepEqual([...new Set((await fine(['dump', table])).stdout.match(/\d{20}/g))].sort(), [
    BIG,
    '12345678901234567891',
  ]);
});
