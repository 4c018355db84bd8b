// What the core offers. Each function works on the places of the files beside this folder, in the memory that it was
// given.

export { rankBits } from './bits';
export { takeColumns, takeLines } from './lines';
export { find, hashKeys, hashWords, takeLong, takeSigned, takeUnsigned, takeWords } from './lookups';
export { layRecords, sortRecords } from './partition';
export { scan } from './scan';
