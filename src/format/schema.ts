// Schemas of packed values (native-notes/format.md, section 7): their text, the place of each field, and the TypeScript
// types that follow from them. Knows no bytes.

/** Bits of an integer field. */
export type FieldBits =
  | 1
  | 2
  | 3
  | 4
  | 5
  | 6
  | 7
  | 8
  | 9
  | 10
  | 11
  | 12
  | 13
  | 14
  | 15
  | 16
  | 17
  | 18
  | 19
  | 20
  | 21
  | 22
  | 23
  | 24
  | 25
  | 26
  | 27
  | 28
  | 29
  | 30
  | 31
  | 32
  | 33
  | 34
  | 35
  | 36
  | 37
  | 38
  | 39
  | 40
  | 41
  | 42
  | 43
  | 44
  | 45
  | 46
  | 47
  | 48
  | 49
  | 50
  | 51
  | 52
  | 53;

/** Type of a field: `u7` is unsigned and of 7 bits, `i7` signed, in two's complement. */
export type FieldType = 'bool' | 'f32' | 'f64' | `u${FieldBits}` | `i${FieldBits}`;

/** The fields of a packed value by name, in the order in which they are packed. */
export interface Schema {
  readonly [name: string]: FieldType;
}

/** A value type that packs fields into bits. */
export interface StructType<S extends Schema = Schema> {
  readonly struct: S;
}

/** The same as text, as a header and the tools have it: `struct(active:bool,level:u7)`. */
export type StructText = `struct(${string})`;

/** What a table with such values gives. */
export type RecordOf<S extends Schema> = { -readonly [N in keyof S]: InProgram<S[N]> };

/** What a program has for a field. */
export type InProgram<T extends FieldType> = T extends 'bool' ? boolean : number;

/** A schema in a variable without `as const`: TypeScript knows the names of its fields, but not their types. */
export interface WidenedStruct<S extends Readonly<Record<string, string>>> {
  readonly struct: S & { readonly [N in keyof S]: string extends S[N] ? string : never };
}

/** {@link RecordOf} of such a schema. */
export type WidenedRecord<S> = { -readonly [N in keyof S]: boolean | number };

/** A field: bits `[from, from + bits)` of the record. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly kind: 'bool' | 'unsigned' | 'signed' | 'float';
  readonly from: number;
  readonly bits: number;
}

/** A schema laid out. */
export interface Struct {
  /** The canonical text of the schema, as a header holds it: `active:bool,level:u7`. */
  readonly text: string;
  readonly fields: readonly Field[];
  readonly bits: number;
  /** Bytes of a record; the bits that are left over at its end are zero. */
  readonly bytes: number;
}

export const MAX_FIELD_BITS = 53;
const MAX_FIELDS = 1000;
const MAX_NAME = 100;
/** Longest text: names of 100 characters of 4 bytes, each with a colon, a type and a comma. */
export const MAX_SCHEMA_BYTES = MAX_FIELDS * (4 * MAX_NAME + 6) - 1;

const NAME = /^[\p{L}_$][\p{L}0-9_$-]*$/u;
const INTEGER = /^([ui])([1-9]\d?)$/;

/** Why a text or an object is not a schema. */
export class SchemaError extends Error {}

/** @throws {SchemaError} */
function placeFields(pairs: Iterable<readonly [name: string, type: unknown]>): Struct {
  const fields: Field[] = [];
  const names = new Set<string>();
  let from = 0;
  for (const [name, type] of pairs) {
    if (fields.length === MAX_FIELDS) throw new SchemaError(`more than ${MAX_FIELDS} fields`);
    // A name of surrogate pairs has twice as many code units as characters.
    if (name.length > 2 * MAX_NAME || [...name].length > MAX_NAME) {
      throw new SchemaError(`a field name of more than ${MAX_NAME} characters`);
    }
    if (!NAME.test(name) || name === '__proto__') {
      const rule = 'a letter, _ or $, then letters, digits, _, $ and -, and not __proto__';
      throw new SchemaError(`the field name ${JSON.stringify(shown(name))}; a name is ${rule}`);
    }
    if (names.has(name)) throw new SchemaError(`the field ${name} twice`);
    names.add(name);
    const field = { name, from, ...fieldShape(name, type) };
    fields.push(field);
    from += field.bits;
  }
  if (fields.length === 0) throw new SchemaError('no fields');
  const text = fields.map(({ name, type }) => `${name}:${type}`).join(',');
  return { text, fields, bits: from, bytes: Math.ceil(from / 8) };
}

function fieldShape(name: string, type: unknown): Pick<Field, 'type' | 'kind' | 'bits'> {
  if (type === 'bool') return { type, kind: 'bool', bits: 1 };
  if (type === 'f32') return { type, kind: 'float', bits: 32 };
  if (type === 'f64') return { type, kind: 'float', bits: 64 };
  const integer = packedInteger(type);
  if (integer !== undefined) {
    return { type: type as FieldType, kind: integer.signed ? 'signed' : 'unsigned', bits: integer.bits };
  }
  const types = `bool, f32, f64, or u1 to u${MAX_FIELD_BITS} or i1 to i${MAX_FIELD_BITS}`;
  throw new SchemaError(`the field ${name} of type ${shown(type)}; a type is ${types}`);
}

/** Bits and sign of an integer of 1 to 53 bits by the name of its type; `undefined` for any other name. */
export function packedInteger(name: unknown): { readonly bits: number; readonly signed: boolean } | undefined {
  const match = typeof name === 'string' ? INTEGER.exec(name) : null;
  if (match === null || Number(match[2]) > MAX_FIELD_BITS) return undefined;
  return { bits: Number(match[2]), signed: match[1] === 'i' };
}

/** Text from a file, made safe for a message on a terminal: short, and without control characters. */
function shown(text: unknown): string {
  return String(text)
    .slice(0, MAX_NAME)
    .replace(/\p{Cc}/gu, '\ufffd');
}

/**
 * Parses the text of a schema, which must be in the one form that it has in a header.
 * @throws {SchemaError}
 */
export function parseSchema(text: string): Struct {
  if (Buffer.byteLength(text) > MAX_SCHEMA_BYTES) throw new SchemaError('a text that is too long');
  if (text === '') throw new SchemaError('no fields');
  const pairs = text.split(',').map((part): [string, string] => {
    const at = part.indexOf(':');
    if (at < 0) throw new SchemaError(`${JSON.stringify(shown(part))}, expected NAME:TYPE`);
    return [part.slice(0, at), part.slice(at + 1)];
  });
  return placeFields(pairs);
}

export function isStruct(type: string): type is StructText {
  return type.startsWith('struct(');
}

/** The schema of a value type that has been checked. */
export function structOf(type: StructText): Struct {
  return parseSchema(type.slice('struct('.length, -1));
}

export function structText({ text }: Pick<Struct, 'text'>): StructText {
  return `struct(${text})`;
}

/**
 * The text of a value type that a caller gives, as `{ struct: ... }` or as text.
 * @throws {TypeError} that names `value.struct`
 */
export function checkStruct(value: StructType | StructText): StructText {
  try {
    if (typeof value === 'string') {
      if (!value.endsWith(')')) throw new SchemaError('a text without its closing parenthesis');
      return structText(structOf(value));
    }
    const { struct, ...rest } = value;
    const [other] = Object.keys(rest);
    if (other !== undefined) throw new SchemaError(`${JSON.stringify(other)} beside struct`);
    if (typeof struct !== 'object' || struct === null || Array.isArray(struct)) {
      throw new SchemaError('no object of field names and types');
    }
    return structText(placeFields(Object.entries(struct)));
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw new TypeError(
      `value.struct: expected a schema such as { active: 'bool', level: 'u7' }, got ${error.message}`,
    );
  }
}
