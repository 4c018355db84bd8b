// A progress bar on a terminal's stderr, for work longer than a second. Knows nothing of the work.

import type { SingleBar } from 'cli-progress';
import { complain, grouped, humanBytes } from './cli.js';

/** Milliseconds of work before a bar is worth its place. */
const PATIENCE = 1000;

export type Unit = 'bytes' | 'entries';

export class Progress {
  readonly #enabled = process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  readonly #started = performance.now();
  #bar: SingleBar | undefined;
  #loading = false;
  #library: typeof import('cli-progress') | undefined;
  #stage = '';

  /** @param total what there is to do; `undefined` if that is not known */
  update(stage: string, unit: Unit, done: number, total: number | undefined): void {
    if (!this.#enabled || performance.now() - this.#started < PATIENCE) return;
    if (this.#library === undefined) {
      this.#load();
      return;
    }
    if (stage !== this.#stage) this.stop();
    this.#stage = stage;
    this.#bar ??= this.#start(this.#library, stage, unit, done, total);
    if (total !== undefined) this.#bar.setTotal(total);
    this.#bar.update(done);
  }

  /** Removes the bar. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  /** Short work never pays for loading the library. */
  #load(): void {
    if (this.#loading) return;
    this.#loading = true;
    import('cli-progress').then(({ default: library }) => {
      this.#library = library;
    }, complain);
  }

  #start(
    { SingleBar }: typeof import('cli-progress'),
    stage: string,
    unit: Unit,
    first: number,
    total: number | undefined,
  ): SingleBar {
    const started = performance.now();
    const show = (value: number) => (unit === 'bytes' ? humanBytes(value) : grouped(Math.round(value)));
    const bar = new SingleBar({
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      etaBuffer: 50,
      format: (options, params) => {
        const seconds = (performance.now() - started) / 1000;
        // At first there is none, and 0/s would look as if it stood still.
        const rate = params.value > first ? `${show((params.value - first) / Math.max(seconds, 0.001))}/s` : '';
        if (total === undefined) return `${stage} ${show(params.value)}  ${rate}`;
        const width = options.barsize ?? 30;
        const filled = Math.round(params.progress * width);
        const drawn = '█'.repeat(filled) + '░'.repeat(width - filled);
        const eta = Number.isFinite(params.eta) ? `${params.eta} s left` : '';
        return `${stage} ${drawn} ${Math.floor(params.progress * 100)}%  ${show(params.value)}  ${rate}  ${eta}`;
      },
    });
    bar.start(total ?? 0, first);
    return bar;
  }
}
