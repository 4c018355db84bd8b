// Fills the file of one peer with a data set of u32s, in a process of its own. Knows how each peer is best filled, not
// what for.

import { statSync } from 'node:fs';
import { readDecimal, readPieces } from './lines.js';
import type { ClassicLevelPackage, Lmdb, Sqlite } from './peer-types.js';
import { requirePeer } from './peers.js';

export type Filled = 'lmdb' | 'sqlite' | 'classic-level';

export interface FillTask {
  readonly peer: Filled;
  /** Where its package is installed. */
  readonly folder: string;
  /** The entries, in the order of the keys' bytes. */
  readonly sorted: string;
  readonly output: string;
}

const FILLERS: Record<Filled, (task: FillTask) => Promise<void>> = {
  // Values are 4 bytes, little-endian.
  async lmdb({ folder, sorted, output }) {
    const store = requirePeer<Lmdb>(folder, 'lmdb').open({ path: output, noSubdir: true, encoding: 'binary' });
    for (const batch of batches(sorted)) {
      const puts = batch.map(([key, number]) => {
        const value = Buffer.alloc(4);
        value.writeUInt32LE(number);
        return store.put(key, value);
      });
      await Promise.all(puts);
    }
    await store.flushed;
    await store.close();
  },

  async sqlite({ folder, sorted, output }) {
    const database = new (requirePeer<Sqlite>(folder, 'better-sqlite3'))(output);
    database.pragma('journal_mode = OFF');
    database.exec('CREATE TABLE entries (key TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID; BEGIN');
    const insert = database.prepare('INSERT INTO entries VALUES (?, ?)');
    for (const batch of batches(sorted)) for (const [key, number] of batch) insert.run(key, number);
    database.exec('COMMIT');
    database.close();
  },

  // Values are decimal text, which this package hands over faster than bytes.
  async 'classic-level'({ folder, sorted, output }) {
    const { ClassicLevel } = requirePeer<ClassicLevelPackage>(folder, 'classic-level');
    const level = new ClassicLevel(output, { keyEncoding: 'utf8', valueEncoding: 'utf8', writeBufferSize: 2 ** 26 });
    await level.open();
    for (const batch of batches(sorted)) {
      await level.batch(batch.map(([key, number]) => ({ type: 'put', key, value: String(number) })));
    }
    await level.compactRange('', '\x7f');
    await level.close();
  },
};

/** All entries, some ten thousands at a time. */
function* batches(path: string): Generator<[key: string, number: number][]> {
  let batch: [string, number][] = [];
  const pieces = readPieces(path, (bytes, start, keyEnd, end) => {
    batch.push([bytes.toString('latin1', start, keyEnd), readDecimal(bytes, keyEnd + 1, end)]);
  });
  for (const _ of pieces) {
    yield batch;
    batch = [];
  }
}

const task = JSON.parse(process.argv[2]!) as FillTask;
FILLERS[task.peer](task)
  .then(() => console.log(JSON.stringify({ bytes: statSync(task.output).size })))
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
