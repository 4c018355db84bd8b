// A span as a piece of work for another thread. Knows what is sent; the work is span-writer.ts.

import { loadChecksums } from '../../base/block-hasher.js';
import { type SpanResult, type SpanWork, writeSpan } from './span-writer.js';
import type { Span } from './spans.js';

export interface SpanTask {
  readonly kind: 'span';
  readonly work: SpanWork;
  readonly span: Span;
  /** Records done so far, by worker; shared memory. */
  readonly done: Float64Array;
  readonly worker: number;
}

/** Writes a span from start to end. */
export async function runSpan({ work, span, done, worker }: SpanTask): Promise<SpanResult> {
  const writing = writeSpan(work, span, await loadChecksums());
  for (;;) {
    const step = writing.next();
    if (step.done) return step.value;
    done[worker] = step.value;
  }
}
