// What late-structs.ts loads when it is needed.

export { fieldReader } from '../codec/bit-fields.js';
export { checkStruct, packedInteger, parseSchema, SchemaError, structOf, structText } from '../format/schema.js';
