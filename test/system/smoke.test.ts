// The suite that test/platforms tries elsewhere holds here, through each mapping that works.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { test } from 'node:test';
import type { Found } from '../platforms/smoke.js';
import { WORKING } from '../support/mappings.js';
import { PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const suite = join(PACKAGE_ROOT, 'dist/test/platforms/smoke.js');

for (const mapping of WORKING) {
  test(mapping, () => {
    const result = join(folder, `${mapping}.json`);
    execFileSync(process.execPath, [suite, join(folder, mapping), result, mapping], { stdio: 'pipe' });
    const found = JSON.parse(readFileSync(result, 'utf8')) as Found;
    assert.deepEqual([found.mapping, found.failed], [mapping, []]);
    assert.ok(found.passed >= 16);
  });
}
