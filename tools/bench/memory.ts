// All that is measured besides lookups and builds. Knows which parts there are and their order; each part is a file
// beside it.

import { measureBigBuild, measureBigSets } from './big-build.js';
import { measureChecks } from './checks.js';
import { measureCold } from './cold.js';
import type { Context } from './context.js';
import { measureFingerprints } from './fingerprints.js';
import { measureFirstLookup } from './first-lookup.js';
import { measureForms } from './forms.js';
import type { Dataset, Group } from './model.js';
import { measureOpening } from './opening.js';
import { Samples } from './samples.js';
import { measureShared } from './shared.js';
import { measureSizes } from './sizes.js';
import { measureVerify } from './verify-speed.js';

/** A group for each part, in an order that matters at the end. */
export function memoryGroups(context: Context): Group[] {
  const sizes: readonly Dataset[] = context.full ? ['46k', '1M', '10M'] : ['46k', '1M'];
  const group = (name: string, measure: (samples: Samples) => Promise<void>): Group => ({
    name,
    async measure() {
      const samples = new Samples();
      await measure(samples);
      return samples.figures();
    },
  });
  return [
    group('sizes', (samples) => measureSizes(context, samples, context.full ? [...sizes, 'npm-names'] : sizes)),
    group('opening', (samples) => measureOpening(context, samples, sizes)),
    group('first lookups', (samples) => measureFirstLookup(context, samples)),
    group('shared memory', (samples) => measureShared(context, samples)),
    group('verify', (samples) => measureVerify(context, samples, sizes)),
    group('checks', (samples) => measureChecks(context, samples, sizes)),
    group('forms of tables', (samples) => measureForms(context, samples)),
    group('fingerprints', (samples) => measureFingerprints(context, samples)),
    // Near the end: the one takes tables out of the page cache, the other puts all else out of it.
    group('cold tables', (samples) => measureCold(context, samples, context.full ? ['1M', '10M'] : ['1M'])),
    ...(context.full
      ? [
          group('a build of 100M', (samples) => measureBigBuild(context, samples)),
          group('sets of 100M', (samples) => measureBigSets(context, samples)),
        ]
      : []),
  ];
}
