// Holds the rooms of `src` and `tools` to who may import whom (native-notes/architecture.md has the same as a drawing).
// A room is a folder, or a file that lies beside the folders. A new arrow between rooms is a line in a table here,
// which a reviewer sees.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { describe, test } from 'node:test';
import { PACKAGE_ROOT } from '../support/root.js';

/** Each room, from the lowest up, and the rooms that it may import, all of which have earlier lines. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'src/base': [],
  'src/format': ['src/base'],
  'src/mapping': ['src/base'],
  'src/codec': ['src/base', 'src/format'],
  'src/core': ['src/base'],
  'src/storage': ['src/base', 'src/format', 'src/mapping', 'src/core'],
  'src/verify': ['src/base', 'src/format', 'src/mapping', 'src/codec', 'src/core', 'src/storage'],
  'src/build/common': ['src/base', 'src/format'],
  'src/build/hash': ['src/base', 'src/format', 'src/codec', 'src/core', 'src/build/common'],
  'src/build/keyless': ['src/base', 'src/format', 'src/codec', 'src/build/common', 'src/build/hash'],
  'src/build/merge': [
    ...['src/base', 'src/format', 'src/codec', 'src/mapping', 'src/storage'],
    ...['src/build/common', 'src/build/hash'],
  ],
  'src/build': ['src/base', 'src/format', 'src/codec', 'src/build/common', 'src/build/hash', 'src/build/keyless'],
  'src/read': ['src/base', 'src/format', 'src/mapping', 'src/codec', 'src/core', 'src/storage', 'src/verify'],
  'src/remote': ['src/base', 'src/format', 'src/codec'],
  'src/inspect': ['src/base', 'src/format', 'src/codec', 'src/mapping', 'src/storage', 'src/read'],
  'src/lazy': [
    ...['src/base', 'src/format', 'src/verify', 'src/inspect'],
    ...['src/build/common', 'src/build/merge', 'src/build'],
  ],
  'src/index': [
    ...['src/base', 'src/format', 'src/mapping', 'src/core', 'src/verify', 'src/inspect', 'src/read'],
    ...['src/build/common', 'src/lazy'],
  ],
  'src/stores': ['src/index'],
  'src/internal': [
    ...['src/base', 'src/format', 'src/codec', 'src/storage', 'src/inspect'],
    ...['src/build/common', 'src/build/hash', 'src/build/merge', 'src/build'],
  ],
  'tools/terminal': ['src/internal'],
  'tools/formats': ['src/index', 'src/internal', 'tools/terminal'],
  'tools/input': ['src/index', 'src/internal', 'tools/formats'],
  'tools/plan': ['src/index', 'src/internal', 'tools/terminal', 'tools/formats'],
  'tools/report': ['src/index', 'src/internal', 'tools/terminal', 'tools/formats'],
  'tools/load': ['src/index', 'src/internal', 'tools/terminal', 'tools/formats'],
  'tools/commands': [
    ...['src/index', 'src/internal'],
    ...['tools/terminal', 'tools/formats', 'tools/input', 'tools/plan', 'tools/report', 'tools/load'],
  ],
  'tools/compile-core': [],
  'tools/ship-types': [],
  'tools/hmap': ['tools/terminal', 'tools/commands'],
  'tools/demo': ['src/index', 'tools/terminal', 'tools/commands'],
  'tools/bench': ['src/index', 'tools/terminal', 'tools/formats', 'tools/plan', 'tools/demo'],
  'tools/examples': ['src/index'],
};

/** Imports of any kind: static, dynamic, and the scripts of threads and processes. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|\bnew\s+URL\s*\(\s*)'(\.{1,2}\/[^']+|hmap)'/g;
const COMMENT = /\/\*.*?\*\/|^\s*\/\/[^\n]*/gms;

/** The files that a source imports, by their paths. */
function importsOf(path: string, source: string): string[] {
  return Array.from(source.replace(COMMENT, '').matchAll(SPECIFIER), ([, target]) =>
    target === 'hmap' ? 'src/index.ts' : normalize(join(dirname(path), target!)).replace(/\.js$/, '.ts'),
  );
}

/** The room of a file: the longest name in the table that its path begins with. */
function roomOf(path: string): string | undefined {
  const parts = path.replace(/\.ts$/, '').split(sep);
  for (let length = parts.length; length > 1; length--) {
    const name = parts.slice(0, length).join('/');
    if (name in ROOMS) return name;
  }
  return undefined;
}

/** Imports between rooms that the table does not have. */
function forbidden(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [path, source] of files) {
    const room = roomOf(path);
    for (const target of importsOf(path, source)) {
      const other = roomOf(target);
      if (room !== undefined && (other === room || ROOMS[room]!.includes(other ?? ''))) continue;
      if (!files.has(target) && !target.startsWith('src')) continue;
      found.push(`${path} (${room}) imports ${target} (${other})`);
    }
  }
  return found;
}

/** A circle of files, each of which imports the next; `undefined` if there is none. */
function circle(files: ReadonlyMap<string, string>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const target of importsOf(path, files.get(path) ?? '')) {
      // A thread's script is started, not imported.
      if (!files.has(target) || (files.get(path)!.includes('new URL(') && target.endsWith('-worker.ts'))) continue;
      const found = visit(target, [...way, path]);
      if (found !== undefined) return found;
    }
    done.add(path);
    return undefined;
  };
  for (const path of files.keys()) {
    const found = visit(path, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

function sources(): Map<string, string> {
  const files = new Map<string, string>();
  for (const top of ['src', 'tools']) {
    for (const entry of readdirSync(join(PACKAGE_ROOT, top), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const path = join(entry.parentPath, entry.name);
      if (path.includes('node_modules')) continue;
      files.set(relative(PACKAGE_ROOT, path), readFileSync(path, 'utf8'));
    }
  }
  return files;
}

describe('the rooms', () => {
  const files = sources();

  test('import nothing that the table does not have', () => {
    assert.deepEqual(forbidden(files), []);
  });

  test('are in an order in which every import goes down', () => {
    const names = Object.keys(ROOMS);
    for (const [i, name] of names.entries()) {
      for (const other of ROOMS[name]!) assert.ok(names.slice(0, i).includes(other), `${name} imports ${other}`);
    }
  });

  test('have no line in the table that nothing needs', () => {
    for (const [room, others] of Object.entries(ROOMS)) {
      const own = [...files].filter(([path]) => roomOf(path) === room);
      const needed = new Set(own.flatMap(([path, source]) => importsOf(path, source).map(roomOf)));
      assert.deepEqual(
        others.filter((other) => !needed.has(other)),
        [],
        room,
      );
    }
  });

  test('hold every file, and src has few of them', () => {
    assert.deepEqual(
      [...files.keys()].filter((path) => roomOf(path) === undefined),
      [],
    );
    assert.ok(readdirSync(join(PACKAGE_ROOT, 'src')).length <= 15);
  });

  test('and the files in them form no circle', () => {
    assert.equal(circle(files)?.join(' -> '), undefined);
  });

  test('are guarded: an import upward, one past a door and a circle are found', () => {
    const changed = (path: string, line: string) => new Map(files).set(path, `${line}\n${files.get(path)}`);
    const upward = changed(join('src', 'format', 'schema.ts'), "import { open } from '../read/open.js';");
    assert.equal(forbidden(upward).length, 1);
    const past = changed(join('tools', 'commands', 'stat.ts'), "const x = await import('../../src/base/pacer.js');");
    assert.equal(forbidden(past).length, 1);
    const round = changed(join('src', 'base', 'errors.ts'), "import type { ByteBuffer } from './bytes.js';");
    assert.deepEqual(new Set(circle(round)?.map((path) => path.split(sep).at(-1))), new Set(['bytes.ts', 'errors.ts']));
  });
});
