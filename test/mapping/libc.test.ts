// How the C library is called: what differs between systems, where koffi's binary is found, and node:ffi.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { before, describe, test } from 'node:test';
import { build } from '../../src/index.js';
import { SYSTEMS } from '../../src/mapping/libc.js';
import { runModule } from '../support/child.js';
import { HAS_FFI, MAPPINGS, WORKING } from '../support/mappings.js';
import { PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const path = join(folder, 'table.hmap');
const noKoffi = MAPPINGS.find(([kind]) => kind === 'libc')![1];
const BINARY = `@koromix/koffi-${process.platform}-${process.arch}`;

before(async () => {
  await build(path, [['a', 'the value']], { value: 'utf8' });
});

test('flags of mmap, and the name of the function for errno, as the headers of the systems have them', () => {
  // <asm-generic/mman-common.h>, bionic's <errno.h>, Darwin's and FreeBSD's <sys/mman.h> and <sys/errno.h>
  assert.deepEqual(SYSTEMS, {
    linux: { mapAnonymous: 0x20, errno: '__errno_location' },
    android: { mapAnonymous: 0x20, errno: '__errno' },
    darwin: { mapAnonymous: 0x1000, errno: '__error' },
    freebsd: { mapAnonymous: 0x1000, errno: '__error' },
  });
});

test("koffi's binaries have the version whose interface is known, and no install script", () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
  const source = readFileSync(join(PACKAGE_ROOT, 'src/base/koffi.ts'), 'utf8');
  const named = [...source.matchAll(/require\('(@koromix\/[\w-]+)\/\w+\/koffi\.node'\)/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(named)].sort(), Object.keys(optionalDependencies).sort());
  const { packages } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package-lock.json'), 'utf8'));
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const entry = packages[`node_modules/${name}`];
    assert.deepEqual([version, entry.version, entry.hasInstallScript], ['3.3.4', '3.3.4', undefined], name);
  }
});

describe('koffi', { skip: noKoffi }, () => {
  /** What a program prints in which the packages of these names are others, or none. */
  const withPackages = async (packages: Record<string, string | null>, mapping = 'auto') => {
    const first = `
      import Module from 'node:module';
      const load = Module._load;
      const packages = ${JSON.stringify({ 'mmap-io': null, ...packages })};
      Module._load = (name, ...rest) => {
        name = name.replace(/(?<=^@koromix\\/[^/]+)\\/.*/, '');
        if (!Object.hasOwn(packages, name)) return load(name, ...rest);
        if (packages[name] === null) throw Object.assign(new Error('Cannot find module ' + name), { code: 'MODULE_NOT_FOUND' });
        return load(packages[name], ...rest);
      };`;
    const script = `
      const [, path, mapping] = process.argv;
      try {
        const table = hmap.open(path, { mapping });
        console.log(table.mapping, table.get('a'), table.mappingReason?.code, table.mappingReason?.cause?.message);
      } catch (error) { console.log(error.code, error.reason, error.cause?.message); }`;
    const flags = ['--no-warnings', '--import', `data:text/javascript,${encodeURIComponent(first)}`];
    const { stdout, status, stderr } = await runModule(script, [path, mapping], { flags });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout;
  };
  const binary = () => createRequire(import.meta.url).resolve(BINARY);
  const other = () => {
    const place = join(folder, 'other');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'index.js'), "exports.version = '9.0.0'; exports.load = () => {};");
    return place;
  };

  test('is enough without its binary as a package of its own', async () => {
    assert.equal(await withPackages({ [BINARY]: null, koffi: binary() }), 'libc the value undefined undefined\n');
  });

  test('with other functions than those that are known is not called', async () => {
    assert.equal(await withPackages({ [BINARY]: other(), koffi: binary() }), 'libc the value undefined undefined\n');
    const told = 'HMAP_MAPPING koffi does not load here koffi 9.0.0 has other functions than those that hmap knows\n';
    assert.equal(await withPackages({ [BINARY]: other(), koffi: null }, 'libc'), told);
  });

  test('that is missing leaves node:ffi, or the copy', async () => {
    const stdout = await withPackages({ [BINARY]: null, koffi: null });
    const kind = HAS_FFI ? 'ffi' : 'copy';
    assert.equal(stdout, `${kind} the value HMAP_NO_PACKAGE Cannot find module ${BINARY}\n`);
  });
});

describe('node:ffi', () => {
  const script = `
    const [, path] = process.argv;
    process.on('warning', ({ name, message }) => console.log(name, message.slice(0, 3)));
    try {
      const table = hmap.open(path, { mapping: 'ffi' });
      console.log(table.mapping, table.get('a'), table.mappingReason, table.residentBytes() > 0);
      table.close();
    } catch (error) { console.log(error.code, error.reason); }
    await new Promise(setImmediate);`;

  test('is used when it is asked for', { skip: !HAS_FFI && 'this Node has none' }, async () => {
    const { stdout } = await runModule(script, [path], { flags: ['--no-warnings'] });
    assert.equal(stdout, 'ffi the value undefined true\nExperimentalWarning FFI\n');
  });

  test('under the permission model needs a flag, which is named', {
    skip: !HAS_FFI && 'this Node has none',
  }, async () => {
    const flags = ['--no-warnings', '--permission', '--allow-fs-read=*'];
    const refused = await runModule(script, [path], { flags });
    assert.equal(refused.stdout, 'HMAP_MAPPING node:ffi is forbidden here (--allow-ffi)\nExperimentalWarning FFI\n');
    const { stdout } = await runModule(script, [path], { flags: [...flags, '--allow-ffi'] });
    assert.match(stdout, /^ffi the value undefined true\n/);
  });

  test('is not there before Node 26.1', { skip: HAS_FFI && 'this Node has it' }, async () => {
    const { stdout } = await runModule(script, [path]);
    assert.equal(stdout, 'HMAP_MAPPING this runtime has no node:ffi\n');
  });

  test('is not loaded, and so does not warn, where koffi is', { skip: noKoffi }, async () => {
    const quiet = `
      process.on('warning', ({ name }) => console.log(name));
      console.log(hmap.open(process.argv[1]).mapping);`;
    const stdout = WORKING.includes('mmap-io') ? 'mmap-io\n' : 'libc\n';
    assert.deepEqual(await runModule(quiet, [path]), { status: 0, signal: null, stdout, stderr: '' });
  });
});
