// Collects the samples of figures while rounds go by. Knows nothing of what they are.

import type { Figure } from './model.js';

export class Samples {
  readonly #figures = new Map<string, { about: Omit<Figure, 'samples'>; samples: number[] }>();

  add(about: Omit<Figure, 'samples'>, sample: number): void {
    const name = JSON.stringify(about);
    const found = this.#figures.get(name) ?? { about, samples: [] };
    found.samples.push(sample);
    this.#figures.set(name, found);
  }

  figures(): Figure[] {
    return Array.from(this.#figures.values(), ({ about, samples }) => ({ ...about, samples }));
  }
}
