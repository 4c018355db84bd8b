// A block list in a cluster of processes: each opens the file by itself, and all share one copy of it in memory.
//
//     node dist/tools/examples/block-list.js

import cluster from 'node:cluster';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, open } from 'hmap';

const WORKERS = 3;

/** An IPv4 address as the number that the table has as its key. */
function numberOf(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

/** Made up, but as long as a real one. */
function* blocked(): Generator<[address: number, reason: string]> {
  const reasons = ['spam', 'scanner', 'botnet'] as const;
  for (let i = 0; i < 100_000; i++) yield [(i * 40_503) % 2 ** 32, reasons[i % reasons.length]!];
}

async function primary(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hmap-example-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const path = join(folder, 'blocked.hmap');
  // Few distinct reasons: `enum` stores each once, and one byte for each address.
  const { entries, fileBytes } = await build(path, blocked(), { key: 'u32', value: 'enum' });
  console.log(`${entries} addresses in ${fileBytes} bytes`);
  const answers = Array.from({ length: WORKERS }, async () => {
    const [answer] = await once(cluster.fork({ BLOCK_LIST: path }), 'message');
    return answer as string;
  });
  console.log((await Promise.all(answers)).sort().join('\n'));
}

function worker(path: string): void {
  const table = open(path, { key: 'u32', value: 'enum' });
  const reason = (address: string) => table.get(numberOf(address)) ?? 'allowed';
  const answer = `worker ${cluster.worker!.id}: 0.0.158.55 ${reason('0.0.158.55')}, 192.0.2.1 ${reason('192.0.2.1')}`;
  process.send!(answer, () => process.disconnect());
}

if (cluster.isPrimary) void primary();
else worker(process.env.BLOCK_LIST!);
