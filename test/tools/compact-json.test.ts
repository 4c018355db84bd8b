// JSON texts that are made compact without being parsed: what comes out is what JSON.stringify makes of JSON.parse, or
// nothing.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JsonCompactor } from '../../tools/formats/compact-json.js';
import { Random } from '../support/random.js';

const compactor = new JsonCompactor();

function compacted(text: string | Buffer): string | undefined {
  const bytes = Buffer.concat([Buffer.from('x'), Buffer.from(text as string), Buffer.from('"]}')]);
  const length = compactor.compact(bytes, 1, bytes.length - 3);
  return length < 0 ? undefined : compactor.output.bytes.toString('utf8', 0, length);
}

/** Holds the result, if there is one, to what the parser and the printer make. */
function assertRight(text: string): boolean {
  const found = compacted(text);
  if (found === undefined) return false;
  assert.equal(found, JSON.stringify(JSON.parse(text)), text);
  return true;
}

describe('compact JSON', () => {
  test('of simple texts', () => {
    for (const text of [
      '1',
      '-7',
      '0',
      '1.5',
      '-0.25',
      '123456789012345',
      'true',
      'false',
      'null',
      '""',
      '"é\u2028\u007f"',
      '[]',
      '{}',
      ' [ ] ',
      '{ "a" : 1 , "b" : [ true , null , { "a" : "x" } ] }',
      '\n{\t"a":\r\n"b" }\n',
      '[[[[]]]]',
      '{"":0}',
      '{"__proto__":1}',
      '{"a":{"a":1},"b":{"a":1}}',
    ]) {
      assert.ok(assertRight(text), text);
    }
  });

  test('of nothing else', () => {
    for (const text of [
      // Another form than the printer's.
      '-0',
      '1.0',
      '1.50',
      '1e3',
      '1E3',
      '0.01',
      '1234567890123456',
      '12345678901234.56',
      '"\\n"',
      '{"1":1,"a":2}',
      '{"a":1,"a":2}',
      // No JSON.
      '',
      ' ',
      '01',
      '+1',
      '.5',
      '1.',
      '-',
      '1.e3',
      '"',
      '"a',
      '"\n"',
      '[',
      '[1',
      '[1,]',
      '[,1]',
      '{',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,}',
      '{a:1}',
      '{"a" 1}',
      '{"a":1]',
      '[1}',
      'tru',
      'truex',
      'nul',
      'falsy',
      '1 2',
      '[] []',
      '{}x',
      '[1 2]',
    ]) {
      assert.equal(compacted(text), undefined, text);
    }
    assert.equal(compacted(Buffer.from('"\xff"', 'latin1')), undefined, 'no UTF-8');
    assert.equal(compacted(`${'['.repeat(20)}${']'.repeat(20)}`), undefined, 'too deep');
    assert.equal(compacted(JSON.stringify('x'.repeat(5000))), undefined, 'too long');
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`n${i}`, i])));
    assert.equal(compacted(many), undefined, 'too many names');
  });

  test('of any text: right, or nothing', () => {
    const random = new Random(31);
    let simple = 0;
    for (let i = 0; i < 20_000; i++) {
      const text = random.text(random.below(14), '{}[]",:01 -.e\\atrunlfsé');
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      if (isJson) simple += Number(assertRight(text));
      else assert.equal(compacted(text), undefined, text);
    }
    assert.ok(simple > 100, String(simple));
  });

  test('of numbers of all kinds', () => {
    const random = new Random(32);
    for (let i = 0; i < 20_000; i++) {
      const digits = random.text(1 + random.below(16), '0123456789');
      const at = random.below(digits.length + 1);
      const text = `${random.pick(['', '-'])}${digits.slice(0, at)}${at > 0 && at < digits.length ? '.' : ''}${digits.slice(at)}`;
      if (compacted(text) !== undefined) assertRight(text);
    }
  });
});
