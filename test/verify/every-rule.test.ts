// One damaged file for each rule of the format: verify names that rule, its place and nothing else; open refuses what
// it checks; the tool fails; the reader written from the spec alone complains, too.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { HEADER_CODES, type HeaderCode } from '../../src/format/header.js';
import { type MappingKind, open, type Verification, verify } from '../../src/index.js';
import { FINDING_CODES } from '../../src/verify/findings.js';
import { ReferenceKeyless } from '../conformance/reference-keyless.js';
import { ReferenceReader } from '../conformance/reference-reader.js';
import { DAMAGED, DAMAGED_FOLDER } from '../support/damaged.js';
import { hmapError } from '../support/errors.js';
import { openEither } from '../support/fixtures.js';
import { WORKING } from '../support/mappings.js';
import { hmap } from '../support/tools.js';

const pathOf = (name: string) => join(DAMAGED_FOLDER, `${name}.hmap`);

describe('the damaged files', () => {
  test('are those of the list', () => {
    assert.deepEqual(readdirSync(DAMAGED_FOLDER).sort(), DAMAGED.map(({ name }) => `${name}.hmap`).sort());
  });

  test('have every code that a verification knows', () => {
    assert.deepEqual(
      FINDING_CODES.filter((code) => !DAMAGED.some(({ finding }) => finding.code === code)),
      [],
    );
  });

  test('have every code with which opening refuses a file', () => {
    const refused = new Set(DAMAGED.flatMap(({ finding, refused }) => (refused ? finding.code : [])));
    assert.deepEqual([...refused].sort(), [...HEADER_CODES].sort());
  });
});

describe('each damaged file', () => {
  for (const { name, bytes, finding, refused } of DAMAGED) {
    test(`${name}: ${finding.code}`, async () => {
      const path = pathOf(name);
      assert.ok(readFileSync(path).equals(bytes), 'the file is what the list makes');

      const { ok, total, findings } = await verify(path);
      assert.deepEqual(
        findings.map(({ message, ...rest }) => rest),
        [finding],
      );
      assert.deepEqual([ok, total], [false, 1]);
      assert.match(findings[0]!.message, /^[^\r\n]{8,300}$/);

      for (const mapping of WORKING) {
        if (refused) assert.throws(() => open(path, { mapping }), hmapError(finding.code as HeaderCode, { path }));
        else opened(path, mapping).close();
      }

      assert.notDeepEqual(complaints(path), [], 'the reference reader finds nothing');
    });
  }
});

describe('the tool', { concurrency: true }, () => {
  test('prints the finding of each file', async () => {
    const ran = await hmap(['verify', '--no-find-bit', '--json', ...DAMAGED.map(({ name }) => pathOf(name))]);
    assert.deepEqual([ran.code, ran.stderr], [1, '']);
    const results = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Verification);
    assert.deepEqual(
      results.map(({ path, findings }) => [path, findings.map(({ message, ...rest }) => rest)]),
      DAMAGED.map(({ name, finding }) => [pathOf(name), [finding]]),
    );
  });

  // A process for each file would take a minute; what decides the exit code is whether there are findings.
  for (const code of FINDING_CODES) {
    test(`ends with 1 after ${code}`, async () => {
      const { name, finding } = DAMAGED.find((each) => each.finding.code === code)!;
      const { offset, end, section } = finding;
      const ran = await hmap(['verify', pathOf(name)]);
      assert.deepEqual([ran.code, ran.stderr], [1, '']);
      const [first, verdict, ...rest] = ran.stdout.split('\n');
      assert.ok(first!.startsWith(`${pathOf(name)}: bytes [${offset}, ${end}) (${section}): ${code}: `), first);
      assert.match(verdict!, /: 1 finding; /);
      assert.deepEqual(rest, ['']);
    });
  }
});

const isPlain = (path: string) => path.includes('/plain-');

/** Opens a file with the layout that it has. */
function opened(path: string, mapping: MappingKind): { close(): void } {
  const layout = isPlain(path) ? readFileSync(path)[63] : 0;
  if (layout === 0) return openEither(path, { mapping });
  return layout === 1 ? open(path, { mapping, layout: 'list' }) : open(path, { mapping, layout: 'bits' });
}

/** What the reference reader says of a file, which it may well refuse to read. */
function complaints(path: string): string[] {
  try {
    return (isPlain(path) ? new ReferenceKeyless(path) : new ReferenceReader(path)).check();
  } catch (error) {
    return [(error as Error).message];
  }
}
