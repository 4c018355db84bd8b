// Folders that vanish after a test, and the proof that a failed build has left one as it was.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A test context, or node:test itself for a folder that all tests of a file share. */
interface Scope {
  after(remove: () => void): void;
}

/** A fresh folder, removed after the test; its path holds no symbolic links. */
export function temporaryFolder(scope: Scope): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hmap-test-')));
  scope.after(() => {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      // Windows keeps files for as long as a view of them is not collected.
      if (process.platform !== 'win32') throw error;
    }
  });
  return folder;
}

/** All that a folder holds, by path: kind, mode and content. Symbolic links are not followed. */
export function contentOf(folder: string, inner = ''): Record<string, string> {
  const content: Record<string, string> = {};
  for (const entry of readdirSync(join(folder, inner))) {
    const name = join(inner, entry);
    const path = join(folder, name);
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) content[name] = `link to ${readlinkSync(path)}`;
    else if (stat.isFile()) content[name] = `file ${mode} ${stat.size} ${digest(readFileSync(path))}`;
    else content[name] = `other ${mode}`;
    if (stat.isDirectory()) Object.assign(content, contentOf(folder, name));
  }
  return content;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Files below a folder that this process has open, also deleted ones; none where the system does not say. */
export function openFilesIn(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(folder));
}

/** Runs a build that must fail, holds the folder to what it held before, and returns the error. */
export async function failure(folder: string, act: () => Promise<unknown>): Promise<unknown> {
  const before = contentOf(folder);
  let failed: { error: unknown } | undefined;
  let result: unknown;
  try {
    result = await act();
  } catch (error) {
    failed = { error };
  }
  assert.ok(failed, `expected a failure, got ${JSON.stringify(result)}`);
  assert.deepEqual(contentOf(folder), before, 'a failed build must leave the folder as it was');
  assert.deepEqual(openFilesIn(folder), [], 'a failed build must close its files');
  return failed.error;
}
