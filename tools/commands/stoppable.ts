// Ends work that makes a file when the program is told to stop, and says that nothing has changed. Knows signals; does not
// know the work.

import { HmapError } from '../../src/index.js';
import { EXIT, exitWith, printable, SIGNAL_EXIT, warn } from '../terminal/cli.js';

/**
 * Runs `work`, and sets the exit code.
 * @param output the file that is being made, as the user named it
 * @param onStop what ends waiting that the signal of `work` does not
 */
export async function stoppable(
  output: string,
  work: (signal: AbortSignal) => Promise<void>,
  onStop: () => void = () => {},
): Promise<void> {
  const stop = new AbortController();
  const listeners = (Object.keys(SIGNAL_EXIT) as (keyof typeof SIGNAL_EXIT)[]).map((signal) => {
    const listener = () => {
      stop.abort(signal);
      onStop();
    };
    process.once(signal, listener);
    return () => process.removeListener(signal, listener);
  });
  try {
    await work(stop.signal);
    exitWith(EXIT.fine);
  } catch (error) {
    const { aborted, reason } = stop.signal;
    if (!aborted) throw withHint(error);
    warn(`stopped; ${printable(output)} is unchanged`);
    exitWith(SIGNAL_EXIT[reason as keyof typeof SIGNAL_EXIT]);
  } finally {
    for (const remove of listeners) remove();
  }
}

function withHint(error: unknown): unknown {
  if (!(error instanceof HmapError) || error.code !== 'HMAP_OUTPUT_EXISTS') return error;
  return new HmapError(error.code, `${error.message}; --force replaces it`, { cause: error });
}
