// What the core offers. Each function works on the places of ../places.ts in the memory that it was given.

export { takeLines } from './lines';
export { find, hashKeys, hashWords, takeLong, takeSigned, takeUnsigned, takeWords } from './lookups';
export { scan } from './scan';
