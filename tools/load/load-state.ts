// How far a load has come, in a small file: so that one that was stopped goes on where it was. Knows files; does not know
// servers.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { HmapError } from '../../src/index.js';
import { systemError } from '../../src/internal.js';

/** What a load writes where; it can only go on if all of it is the same. */
export interface LoadTask {
  /** Of the table: its size and the sum of its checksums, which tell it from every other version. */
  readonly table: string;
  readonly server: string;
  readonly prefix: string;
  readonly as: string;
  readonly ttl: number | null;
}

interface State extends LoadTask {
  readonly hmapLoad: 1;
  /** Entries from the start of the table that the server has, and as many replicas as should. */
  readonly confirmed: number;
}

/** Milliseconds between two writes of the file. */
const BETWEEN = 200;

export class LoadState {
  readonly path: string;
  readonly #task: LoadTask;
  #written = 0;

  constructor(path: string, task: LoadTask) {
    this.path = path;
    this.#task = task;
  }

  /**
   * Entries that an earlier load has written; `undefined` if there was none.
   * @throws {HmapError} `HMAP_INPUT` if it was one of something else
   */
  resume(): number | undefined {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw systemError(error, 'read', this.path);
    }
    const state = parse(text);
    if (state?.hmapLoad !== 1 || !Number.isSafeInteger(state.confirmed) || state.confirmed! < 0)
      throw new HmapError('HMAP_INPUT', `${this.path}: this is not the state of a load`, { path: this.path });
    for (const [name, value] of Object.entries(this.#task)) {
      const was = state[name as keyof LoadTask];
      if (was === value) continue;
      const what = name === 'table' ? 'another table, or another version of it' : `another ${name} (${String(was)})`;
      const message = `${this.path}: the load that was stopped was one of ${what}; without --resume it starts anew`;
      throw new HmapError('HMAP_INPUT', message, { path: this.path, expected: value, actual: was });
    }
    return state.confirmed;
  }

  /** Notes how many entries are confirmed, if the last note was a while ago. */
  note(confirmed: number, isLast = false): void {
    const now = performance.now();
    if (!isLast && now - this.#written < BETWEEN) return;
    this.#written = now;
    const state: State = { hmapLoad: 1, ...this.#task, confirmed };
    const temporary = `${this.path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, `${JSON.stringify(state)}\n`);
      renameSync(temporary, this.path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw systemError(error, 'write', this.path);
    }
  }

  /** All is done: there is nothing to resume. */
  remove(): void {
    rmSync(this.path, { force: true });
  }
}

function parse(text: string): Partial<State> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
