// All that is measured besides lookups and builds. Knows which parts there are and their order; each part is a file
// beside it.

import { measureBigBuild } from './big-build.js';
import { measureChecks } from './checks.js';
import { measureCold } from './cold.js';
import type { Context } from './context.js';
import { measureFingerprints } from './fingerprints.js';
import { measureFirstLookup } from './first-lookup.js';
import { measureForms } from './forms.js';
import type { Dataset, Figure } from './model.js';
import { measureOpening } from './opening.js';
import { Samples } from './samples.js';
import { measureShared } from './shared.js';
import { measureSizes } from './sizes.js';
import { measureVerify } from './verify-speed.js';

export async function measureMemory(context: Context): Promise<Figure[]> {
  const samples = new Samples();
  const sizes: readonly Dataset[] = context.full ? ['46k', '1M', '10M'] : ['46k', '1M'];
  await measureSizes(context, samples, context.full ? [...sizes, 'npm-names'] : sizes);
  await measureOpening(context, samples, sizes);
  await measureFirstLookup(context, samples);
  await measureShared(context, samples);
  await measureVerify(context, samples, sizes);
  await measureChecks(context, samples, sizes);
  await measureForms(context, samples);
  await measureFingerprints(context, samples);
  // Near the end: the one takes tables out of the page cache, the other puts all else out of it.
  await measureCold(context, samples, context.full ? ['1M', '10M'] : ['1M']);
  if (context.full) await measureBigBuild(context, samples);
  return samples.figures();
}
