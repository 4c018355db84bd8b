// Takes a builder from its start to its end. Does not know what is built.

import type { BuildSummary } from './options.js';

interface Finishing {
  finish(): Promise<BuildSummary>;
  abandon(): void | Promise<void>;
}

/** Makes a builder, lets `fill` add to it, and finishes; if anything fails, no file is left. */
export async function finished<B extends Finishing>(
  make: () => B,
  fill: (builder: B) => Promise<void>,
): Promise<BuildSummary> {
  const builder = make();
  try {
    await fill(builder);
    return await builder.finish();
  } catch (error) {
    await builder.abandon();
    throw error;
  }
}
