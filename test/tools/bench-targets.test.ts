// The bench's targets, held against runs made up for the purpose.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Figure, Run } from '../../tools/bench/model.js';
import { type Target, targetsOf } from '../../tools/bench/targets.js';

function runOf(figures: readonly Figure[], node = 'v24.0.0'): Run {
  return {
    node,
    v8: '13.6',
    cpu: 'a processor',
    cores: 2,
    memoryBytes: 2 ** 34,
    system: 'Linux',
    versions: {},
    command: 'npm run bench',
    seed: 1,
    seconds: 1,
    figures,
    absent: [],
  };
}

function get(subject: Figure['subject'], samples: number[], more: Partial<Figure> = {}): Figure {
  return {
    metric: 'get',
    subject,
    dataset: '1M',
    values: 'u32',
    unit: 'ns',
    keys: 'hit',
    order: 'uniform',
    samples,
    ...more,
  };
}

function target(run: Run, what: string): Target {
  const found = targetsOf(run).find((each) => each.what === what);
  assert.ok(found, what);
  return found;
}

const AGAINST_MAP = 'get hit, against Map.get, 1M';

describe('a target', () => {
  test('is met where the ratio of the medians is within the limit', () => {
    const { met, found, detail } = target(runOf([get('hmap', [90, 30, 40]), get('Map', [100, 110, 90])]), AGAINST_MAP);
    assert.equal(found, 0.4);
    assert.equal(met, true);
    assert.deepEqual(detail, [
      { name: 'hmap', value: 40, unit: 'ns' },
      { name: 'Map', value: 100, unit: 'ns' },
    ]);
  });

  test('is missed where it is not', () => {
    const { met, found } = target(runOf([get('hmap', [41]), get('Map', [100])]), AGAINST_MAP);
    assert.equal(found, 0.41);
    assert.equal(met, false);
  });

  test('is there, without a verdict, where a figure is missing', () => {
    for (const figures of [[], [get('hmap', [41])], [get('hmap', [41]), get('Map', [100], { dataset: '10M' })]]) {
      const { met, found, detail } = target(runOf(figures), AGAINST_MAP);
      assert.equal(met, undefined);
      assert.equal(found, undefined);
      assert.deepEqual(detail, []);
    }
  });

  test('takes no other figure for its own', () => {
    const others = [
      get('hmap', [1], { keys: 'miss' }),
      get('hmap', [1], { order: 'zipf' }),
      get('hmap', [1], { values: 'utf8-20' }),
      get('hmap', [1], { metric: 'getMany', count: 1000 }),
    ];
    const run = runOf([...others, get('Map', [100])]);
    assert.equal(target(run, AGAINST_MAP).met, undefined);
    assert.equal(target(runOf([...run.figures, get('hmap', [50])]), AGAINST_MAP).met, false);
  });

  test('that asks for at least so much is missed below it', () => {
    const verify = (samples: number[]) =>
      runOf([{ metric: 'verify', subject: 'hmap', dataset: '1M', values: 'u32', unit: 'entries a second', samples }]);
    assert.equal(target(verify([6e7]), 'verify: all rules, 1M').met, true);
    assert.equal(target(verify([5.9e7]), 'verify: all rules, 1M').met, false);
  });

  test('of a difference takes the difference of the medians', () => {
    const run = runOf([get('hmap', [50]), get('hmap', [120], { values: 'utf8-20' })]);
    const { found, met } = target(run, 'get hit of 20 ASCII characters, over the u32, 1M');
    assert.equal(found, 70);
    assert.equal(met, false);
  });

  test('of shared memory allows for the file and the bare processes', () => {
    const pss = { metric: 'pss', dataset: '1M', values: 'u32', unit: 'bytes', count: 8 } as const;
    const figures = (hmap: number): Figure[] => [
      { ...pss, subject: 'hmap', samples: [hmap] },
      { ...pss, subject: 'hmap', count: 1, samples: [1] },
      { ...pss, subject: 'node', samples: [80] },
      { metric: 'file', subject: 'hmap', dataset: '1M', values: 'u32', unit: 'bytes', samples: [20] },
    ];
    const what = 'PSS of 8 readers, against file + 8 bare processes, 1M';
    assert.equal(target(runOf(figures(105)), what).met, true);
    assert.equal(target(runOf(figures(106)), what).met, false);
  });

  test('of a single cold lookup is not the mean of many', () => {
    const pages = {
      metric: 'pages of a cold get',
      subject: 'hmap',
      dataset: '10M',
      values: 'u32',
      unit: 'pages',
    } as const;
    const run = runOf([
      { ...pages, count: 100, samples: [1.9] },
      { ...pages, count: 1, samples: [4] },
    ]);
    assert.equal(target(run, 'data pages that a cold get reads, check header, 10M').found, 4);
  });

  test('for a build is laxer on Node 20', () => {
    const build = { metric: 'build', dataset: '1M', values: 'u32', unit: 's' } as const;
    const figures: Figure[] = [
      { ...build, subject: 'hmap', samples: [1.7] },
      { ...build, subject: 'cdb', samples: [1] },
    ];
    const what = 'build from TSV, against cdb -c -m, 1M';
    assert.equal(target(runOf(figures, 'v20.19.0'), what).met, true);
    assert.equal(target(runOf(figures, 'v22.0.0'), what).met, false);
  });
});

describe('all targets', () => {
  test('are there in a run without figures, none of them with a verdict', () => {
    const targets = targetsOf(runOf([]));
    assert.ok(targets.length > 40);
    assert.ok(targets.every(({ met, found }) => met === undefined && found === undefined));
    assert.equal(new Set(targets.map(({ what }) => what)).size, targets.length);
  });
});
