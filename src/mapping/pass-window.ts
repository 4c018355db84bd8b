// Moves over a range of a file with a pass: a few megabytes ahead of it are asked for, and what is behind it goes again.
// Knows positions; does not know what is read there.

import type { Advice } from './mapping.js';
import type { QuietPass, Trace } from './quiet-pass.js';

/** Bytes that are asked for, and dropped, at a time: a multiple of every page size, large or not. */
const STEP = 2 ** 22;
/** How far ahead of the pass the system is asked to read, in bytes. */
const AHEAD = 2 * STEP;
/**
 * How far ahead is noted what is in memory: farther than any system reads ahead by itself, which Linux does at a page
 * where someone else's reading has ended.
 */
const NOTED = 8 * STEP;

/** Advises on a part of the range in the mapping that it is read through. */
type Advise = (advice: Advice, start: number, length: number) => void;

/** A part of the range, noted and not behind the pass yet. */
interface Step {
  readonly start: number;
  readonly end: number;
  readonly trace: Trace;
}

export class PassWindow {
  readonly #offset: number;
  readonly #length: number;
  readonly #advise: Advise | undefined;
  readonly #quiet: QuietPass | undefined;
  readonly #steps: Step[] = [];
  /** How far has been noted, and asked for, counted from the range's start. */
  #noted = 0;
  #asked = 0;

  /**
   * @param offset of the range in the file
   * @param advise how, if the range is read through a mapping. With `quiet` that must be a mapping of the pass's own
   * @param quiet without it, what was read stays
   */
  constructor(offset: number, length: number, advise: Advise | undefined, quiet: QuietPass | undefined) {
    this.#offset = offset;
    this.#length = length;
    this.#advise = advise;
    this.#quiet = quiet;
  }

  /** The pass begins at `at`, counted from the range's start, and not at the start; before anything else. */
  begin(at: number): void {
    const start = Math.floor((this.#offset + at) / STEP) * STEP - this.#offset;
    this.#noted = this.#asked = Math.max(0, start);
  }

  /** The pass has come to `at`, counted from the range's start; it never goes back. */
  reach(at: number): void {
    while (this.#quiet !== undefined && this.#noted < this.#length && this.#noted < at + NOTED) this.#note(this.#quiet);
    while (this.#asked < this.#length && this.#asked < at + AHEAD) this.#ask();
    const steps = this.#steps;
    while (steps.length > 0 && steps[0]!.end <= at) this.#drop(steps.shift()!);
  }

  /** The pass is over. */
  end(): void {
    for (const step of this.#steps.splice(0)) this.#drop(step);
  }

  #note(quiet: QuietPass): void {
    const start = this.#noted;
    const end = this.#endOfStep(start);
    this.#noted = end;
    this.#steps.push({ start, end, trace: quiet.note(this.#offset + start, end - start) });
  }

  #ask(): void {
    const start = this.#asked;
    const end = this.#endOfStep(start);
    this.#asked = end;
    if (this.#advise !== undefined) this.#advise('willneed', start, end - start);
    else this.#quiet?.ask(this.#offset + start, end - start);
  }

  #drop({ start, end, trace }: Step): void {
    this.#advise?.('dontneed', start, end - start);
    trace.drop();
  }

  /** Steps meet at multiples of their size in the file, so that no page belongs to two. */
  #endOfStep(start: number): number {
    const next = (Math.floor((this.#offset + start) / STEP) + 1) * STEP;
    return Math.min(next - this.#offset, this.#length);
  }
}
