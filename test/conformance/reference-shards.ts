// An independent reader of tables in shards, to hold the library against. Written from native-notes/format.md (§3, Shards)
// alone; imports nothing of the library.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { need, ReferenceReader } from './reference-reader.js';

interface Manifest {
  hmaps: number;
  shards: number;
  seed: number;
  entries: number;
  files: { name: string; bytes: number; entries: number; checksum: string }[];
}

export class ReferenceShards {
  readonly shards: readonly ReferenceReader[];
  readonly entries: number;

  /** @param path of the manifest */
  constructor(path: string) {
    const { hmaps, shards, seed, entries, files }: Manifest = JSON.parse(readFileSync(path, 'utf8'));
    need(hmaps === 1, 'the manifest has another version');
    need(files.length === shards && Number.isInteger(Math.log2(shards)), 'the number of files');
    const n = Math.log2(shards);
    this.shards = files.map(({ name, bytes, entries: own, checksum }, i) => {
      need(!/[\\/]/.test(name), 'a name with a slash');
      const file = readFileSync(join(dirname(path), name));
      need(file.length === bytes, `${name}: ${file.length} bytes`);
      need(file.readUInt32LE(12).toString(16).padStart(8, '0') === checksum, `${name}: the header checksum`);
      need(file.readUInt32LE(64) === seed, `${name}: the seed`);
      need(file.readUInt8(76) === n && file.readUInt32LE(80) === i, `${name}: the shard`);
      need(Number(file.readBigUInt64LE(32)) === own, `${name}: the entries`);
      return new ReferenceReader(file);
    });
    this.entries = entries;
    need(files.reduce((sum, file) => sum + file.entries, 0) === entries, 'the sum of the entries');
  }

  /** §4: a key of another shard is not found in a file, so that all may be asked. */
  get(key: string): Buffer | undefined {
    const found = this.shards.map((shard) => shard.get(key)).filter((value) => value !== undefined);
    need(found.length <= 1, 'a key is in two shards');
    return found[0];
  }
}
