// The tables of all subjects that keep one in a file. Knows how each is made and when it can be kept from an earlier
// run.

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Cdb, cdbBuild, ensureCdbInput } from './cdb.js';
import { run, runTask } from './child.js';
import type { Source } from './data.js';
import type { Filled, FillTask } from './fill-child.js';
import type { Files, Subject, Values } from './model.js';
import type { PackageName, PeerPackages } from './peers.js';
import { HMAP } from './places.js';

/** The type that `hmap build --value` takes for our kinds of values. */
export const VALUE_TYPE = { u32: 'u32', 'utf8-20': 'utf8', 'bytes-200': 'bytes' } as const satisfies Record<
  Values,
  string
>;

/** Peers whose files are filled through their packages, and the subjects that read them. */
const PEERS: readonly { peer: Filled; name: PackageName; subjects: readonly Subject[] }[] = [
  { peer: 'lmdb', name: 'lmdb', subjects: ['lmdb'] },
  { peer: 'sqlite', name: 'better-sqlite3', subjects: ['sqlite-memory', 'sqlite-mmap'] },
  { peer: 'classic-level', name: 'classic-level', subjects: ['classic-level'] },
];

export interface TableMakers {
  readonly cache: string;
  readonly peers: PeerPackages;
  readonly cdb: Cdb | undefined;
  log(text: string): void;
  /** A peer that cannot hold this data set. */
  absent(subject: Subject, why: string): void;
}

/** Makes the tables of a data set; the peers hold u32s only. */
export async function makeTables(source: Source, makers: TableMakers): Promise<Files['tables']> {
  const folder = join(makers.cache, 'tables');
  mkdirSync(folder, { recursive: true });
  const name = `${source.dataset}-${source.values}-${source.seed}`;
  const path = join(folder, `${name}.hmap`);
  const tables: Partial<Record<Subject, string>> = { hmap: path, 'hmap-js': path };
  // Always made anew: its format may have changed since.
  const hmapArgs = ['build', '--force', '--value', VALUE_TYPE[source.values], source.tsv, tables.hmap!];
  await run(process.execPath, [HMAP, ...hmapArgs]);
  if (source.values !== 'u32') return tables;
  if (makers.cdb !== undefined) {
    tables.cdb = join(folder, `${name}.cdb-${makers.cdb.version}`);
    if (!existsSync(tables.cdb)) await run(...cdbBuild(ensureCdbInput(source.tsv), tables.cdb));
  }
  for (const { peer, name: packageName, subjects } of PEERS) {
    const found = makers.peers[packageName];
    if ('why' in found) continue;
    const path = join(folder, `${name}.${packageName}-${found.version}`);
    try {
      if (!existsSync(path)) {
        makers.log(`filling ${packageName} with ${source.dataset}`);
        await fill({ peer, folder: found.folder, sorted: await sortedLines(source.tsv), output: `${path}.part` }, path);
      }
      for (const subject of subjects) tables[subject] = path;
    } catch (error) {
      for (const subject of subjects) makers.absent(subject, `${source.dataset}: ${(error as Error).message}`);
    }
  }
  return tables;
}

async function fill(task: FillTask, path: string): Promise<void> {
  rmSync(task.output, { recursive: true, force: true });
  await runTask('./fill-child.js', task);
  renameSync(task.output, path);
}

/** The lines in the order of the keys' bytes, in which ordered stores are filled fastest and most densely. */
async function sortedLines(tsv: string): Promise<string> {
  const path = tsv.replace(/\.tsv$/, '.sorted');
  if (!existsSync(path)) {
    await run('sort', ['-S', '1G', '-o', `${path}.part`, tsv], { env: { LC_ALL: 'C' } });
    renameSync(`${path}.part`, path);
  }
  return path;
}
