// Checks at intervals whether a file has been replaced, and reports it. Knows files' identities and the clock; does not
// know tables.

import { stat } from 'node:fs/promises';
import { movedAside } from '../base/moved-aside.js';
import { Pacer } from '../base/pacer.js';
import { type FileIdentity, type FileStats, isSurelyKnown, sameStats, statsOf } from './file-identity.js';

export interface Watched<V> {
  readonly path: string;
  /** The file that is in use. */
  current(): FileIdentity;
  /** Opens and checks the file now at the path, in steps; `undefined` if it is the one in use. */
  open(than: FileIdentity): Generator<unknown, V | undefined, void>;
  /** Switches to a checked snapshot. */
  adopt(version: V): void;
  /** Called once for each file that could not be used. */
  onError(error: unknown): void;
}

/** Milliseconds of checking between two turns for other work: what a program that serves others can bear. */
const TURN = 10;

/** What the system says of the file that readers get; `undefined` where there is none. */
async function statAt(path: string): Promise<FileStats | undefined> {
  const found = await stat(path, { bigint: true }).then(statsOf, () => undefined);
  if (found !== undefined || process.platform !== 'win32') return found;
  const aside = movedAside(path);
  return aside === undefined ? undefined : stat(aside, { bigint: true }).then(statsOf, () => undefined);
}

/**
 * Starts to check every `interval` milliseconds; returns the function that stops it. Polls instead of waiting for
 * events: that notices a symbolic link that is switched anywhere on the path, and works on network file systems. Does
 * not keep the process alive.
 */
export function watchFile<V>(watched: Watched<V>, interval: number): () => void {
  const stop = new AbortController();
  /** The file that could not be used, and why. */
  let refused: { file: FileStats; code: string | undefined } | undefined;
  let looking = false;

  const look = async () => {
    const found = await statAt(watched.path);
    // Between two versions there may be no file for a moment.
    if (found === undefined || stop.signal.aborted) return;
    if (isSurelyKnown(found, watched.current())) return;
    const again = refused !== undefined && sameStats(found, refused.file);
    // A bad file stays bad; what the system refuses now (too many open files), it may allow later.
    if (again && refused?.code?.startsWith('HMAP_')) return;
    const opening = watched.open(watched.current());
    const pacer = new Pacer(stop.signal, () => {}, TURN);
    let snapshot: V | undefined;
    try {
      let step = opening.next();
      for (; !step.done; step = opening.next()) await pacer.pause(0);
      snapshot = step.value;
    } catch (error) {
      opening.return(undefined);
      const { code } = error as NodeJS.ErrnoException;
      if (stop.signal.aborted || code === 'ENOENT') return;
      // The file that was opened may not be the one that was looked at: then the next look tells.
      const now = await statAt(watched.path);
      if (now === undefined || !sameStats(now, found) || stop.signal.aborted) return;
      const reported = again && refused?.code === code;
      refused = { file: found, code };
      if (!reported) watched.onError(error);
      return;
    }
    refused = undefined;
    if (snapshot !== undefined) watched.adopt(snapshot);
  };

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    // What a callback throws is not caught: it is the program's own, as in any event.
    void look().finally(() => {
      looking = false;
    });
  }, interval);
  timer.unref();
  return () => {
    clearInterval(timer);
    stop.abort();
  };
}
