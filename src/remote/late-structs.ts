// In the bundle, stands for structs.ts, for `format/schema.js` and for `codec/bit-fields.js`: the last two are loaded when a
// table of structs is opened, and not before (tools/rollup.config.js).

type Code = typeof import('./struct-code.js');

let code: Code;

/** Resolves when tables of structs can be read. */
export async function loadStructs(): Promise<void> {
  code ??= await import('./struct-code.js');
}

export const MAX_SCHEMA_BYTES = 405_999;

export function isStruct(type: string): boolean {
  return type.startsWith('struct(');
}

export const structOf: Code['structOf'] = (type) => code.structOf(type);
export const structText: Code['structText'] = (struct) => code.structText(struct);
export const parseSchema: Code['parseSchema'] = (text) => code.parseSchema(text);
export const checkStruct: Code['checkStruct'] = (value) => code.checkStruct(value);
export const packedInteger: Code['packedInteger'] = (type) => code.packedInteger(type);
export const fieldReader: Code['fieldReader'] = (field, bytes) => code.fieldReader(field, bytes);
/** As the right side of `instanceof`. */
export const SchemaError = { [Symbol.hasInstance]: (error: unknown): boolean => error instanceof code.SchemaError };
