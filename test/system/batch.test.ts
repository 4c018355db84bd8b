// Tests that batch engines may build shards side by side: GNU parallel, and where HMAP_TEST_SLURM is set a job array of Slurm on
// this machine. However they come about, the shards are the same files.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { open } from '../../src/index.js';
import { freePort } from '../support/ports.js';
import { until } from '../support/redis.js';
import { temporaryFolder } from '../support/temp.js';
import { fine, HMAP } from '../support/tools.js';

const SHARDS = 8;
const folder = temporaryFolder(nodeTest);
const at = (...names: string[]) => join(folder, ...names);
const has = (program: string) => spawnSync(program, ['--version']).error === undefined;
const HMAP_COMMAND = `'${process.execPath}' '${HMAP}'`;

/** Holds the files `0.hmap` to `7.hmap` of a folder to those of a split, and the folder to the table. */
async function assertShards(name: string): Promise<void> {
  const split = JSON.parse(readFileSync(at('split', 'table.hmaps.json'), 'utf8')).files as { name: string }[];
  for (const [i, file] of split.entries()) {
    const own = readFileSync(at(name, `${i}.hmap`));
    assert.ok(own.equals(readFileSync(at('split', file.name))), `${name}: shard ${i}`);
  }
  const shards = split.map((_, i) => at(name, `${i}.hmap`));
  await fine(['join', '--manifest', ...shards.toReversed(), '-o', at(name)]);
  using table = open(at(name), { value: 'u32' });
  assert.equal(table.size, 20_000);
  assert.equal(table.get('key 777'), 777);
  await fine(['join', at(name), '-o', at(`${name}.hmap`)]);
  assert.ok(readFileSync(at(`${name}.hmap`)).equals(readFileSync(at('table.hmap'))));
}

describe('shards built side by side', () => {
  before(async () => {
    writeFileSync(at('in.tsv'), Array.from({ length: 20_000 }, (_, i) => `key ${i}\t${i}\n`).join(''));
    await fine(['build', '-v', 'u32', at('in.tsv'), at('table.hmap')]);
    await fine(['split', '--shards', String(SHARDS), at('table.hmap'), '-o', at('split')]);
  });

  test('by GNU parallel', { skip: has('parallel') ? false : 'GNU parallel is not installed' }, async () => {
    mkdirSync(at('parallel'));
    const command = `seq 0 ${SHARDS - 1} | parallel --will-cite "${HMAP_COMMAND} build -v u32 --shard {}/${SHARDS} in.tsv parallel/{}.hmap"`;
    execFileSync('sh', ['-c', command], { cwd: folder, stdio: 'pipe' });
    await assertShards('parallel');
  });

  test('by a job array of Slurm', {
    skip: process.env.HMAP_TEST_SLURM ? false : 'HMAP_TEST_SLURM is not set',
  }, async (t) => {
    const own = at('slurm-files');
    for (const name of ['state', 'spool']) mkdirSync(join(own, name), { recursive: true });
    writeFileSync(join(own, 'key'), randomBytes(1024));
    chmodSync(join(own, 'key'), 0o400);
    const [controller, daemon] = [await freePort(), await freePort()];
    const socket = join(own, 'munge.socket');
    const host = hostname().split('.')[0];
    const lines = {
      ClusterName: 'one',
      SlurmctldHost: `${host}(127.0.0.1)`,
      SlurmUser: 'root',
      SlurmdUser: 'root',
      AuthType: 'auth/munge',
      AuthInfo: `socket=${socket}`,
      ProctrackType: 'proctrack/pgid',
      TaskPlugin: 'task/none',
      SelectType: 'select/cons_tres',
      SelectTypeParameters: 'CR_CPU',
      SlurmctldPort: controller,
      SlurmdPort: daemon,
      StateSaveLocation: join(own, 'state'),
      SlurmdSpoolDir: join(own, 'spool'),
      SlurmctldPidFile: join(own, 'controller.pid'),
      SlurmdPidFile: join(own, 'daemon.pid'),
      NodeName: `${host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN`,
      PartitionName: 'all Nodes=ALL Default=YES State=UP',
    };
    const conf = join(own, 'slurm.conf');
    writeFileSync(
      conf,
      Object.entries(lines)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    const env = { ...process.env, SLURM_CONF: conf };
    const daemons = [
      spawn(
        'munged',
        [
          '--foreground',
          '--force',
          '--socket',
          socket,
          '--key-file',
          join(own, 'key'),
          '--pid-file',
          join(own, 'm.pid'),
          '--seed-file',
          join(own, 'seed'),
        ],
        { stdio: 'ignore' },
      ),
      spawn('slurmctld', ['-D'], { env, stdio: 'ignore' }),
      spawn('slurmd', ['-D'], { env, stdio: 'ignore' }),
    ];
    t.after(() => {
      for (const each of daemons) each.kill('SIGKILL');
    });
    await until(() => spawnSync('sinfo', ['--noheader'], { env, encoding: 'utf8' }).stdout.includes('idle'));
    mkdirSync(at('slurm'));
    const job = `#!/bin/sh\n${HMAP_COMMAND} build -v u32 --shard $SLURM_ARRAY_TASK_ID/${SHARDS} in.tsv slurm/$SLURM_ARRAY_TASK_ID.hmap\n`;
    writeFileSync(at('job.sh'), job);
    execFileSync('sbatch', ['--wait', `--array=0-${SHARDS - 1}`, '--output=slurm-%a.log', 'job.sh'], {
      cwd: folder,
      env,
      stdio: 'pipe',
    });
    assert.equal(readdirSync(at('slurm')).length, SHARDS);
    await assertShards('slurm');
  });

  test('are refused a manifest if they do not make a table', async () => {
    const { assertRefused, hmap } = await import('../support/tools.js');
    mkdirSync(at('some'));
    const paths: string[] = [];
    for (const i of [0, 1, 3]) {
      paths.push(at('some', `${i}.hmap`));
      await fine(['build', '-v', 'u32', '--shard', `${i}/4`, at('in.tsv'), paths.at(-1)!]);
    }
    assertRefused(await hmap(['join', '--manifest', ...paths, '-o', at('some')]), /shard 2 of 4 is missing/);
    assertRefused(await hmap(['join', '--manifest', ...paths.slice(0, 2), '-o', at('some')]), /only a part of a table/);
    assertRefused(await hmap(['join', '--manifest', ...paths, '-o', folder]), /does not lie in/);
    const third = at('some', '2.hmap');
    await fine(['build', '-v', 'u16', '--shard', '2/4', at('in.tsv'), third]);
    assertRefused(
      await hmap(['join', '--manifest', ...paths, third, '-o', at('some')]),
      /its values are u16, those of the first shard are u32/,
    );
    assert.ok(!readdirSync(at('some')).includes('table.hmaps.json'));
    await fine(['build', '--force', '-v', 'u32', '--shard', '2/4', at('in.tsv'), third]);
    await fine(['join', '--manifest', ...paths, third, '-o', at('some')]);
    assertRefused(await hmap(['join', '--manifest', ...paths, third, '-o', at('some')]), /exists/);
    await fine(['join', '--manifest', '--force', ...paths, third, '-o', at('some')]);
  });
});
