// Figures while they grow: a sample a trial, whatever the order in which the trials run. Knows no measurement.

import type { Figure } from './model.js';

/** A figure without its samples. */
export type Measured = Omit<Figure, 'samples'>;

export class Collection {
  readonly #figures = new Map<string, { measured: Measured; samples: number[] }>();

  /** Adds what one trial found. Figures that differ in anything, their note included, are different ones. */
  add(measured: Measured, sample: number): void {
    if (!Number.isFinite(sample)) throw new Error(`${measured.metric} of ${measured.subject}: no number: ${sample}`);
    const name = JSON.stringify(Object.entries(measured).sort());
    const figure = this.#figures.get(name);
    if (figure === undefined) this.#figures.set(name, { measured, samples: [sample] });
    else figure.samples.push(sample);
  }

  /** In the order in which they were first added. */
  figures(): Figure[] {
    return [...this.#figures.values()].map(({ measured, samples }) => ({ ...measured, samples }));
  }
}
