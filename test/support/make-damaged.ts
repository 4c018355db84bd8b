// Writes the damaged files. Run it with `npm run damaged` when a rule of the format is added or changed.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DAMAGED, DAMAGED_FOLDER } from './damaged.js';

rmSync(DAMAGED_FOLDER, { recursive: true, force: true });
mkdirSync(DAMAGED_FOLDER, { recursive: true });
for (const { name, bytes, finding } of DAMAGED) {
  writeFileSync(join(DAMAGED_FOLDER, `${name}.hmap`), bytes);
  console.log(`${name}: ${bytes.length} bytes, ${finding.code} at [${finding.offset}, ${finding.end})`);
}
