// Packed values as text: as JSON objects, and as one text a field. Knows schemas; knows no format.

import type { StoredType, StructText } from '../../src/index.js';
import { type BuildValueType, type Field, fieldReader, isStruct, structOf, ValueError } from '../../src/internal.js';
import { finite, numberJson, numberText, parseFloating, parseInteger, type TextPrinter } from './numbers.js';

/** Makes a value of the texts of its fields, in their order. */
export type FieldsParser = (texts: readonly string[]) => Record<string, unknown>;

/** Names of the fields of values, in their order; `undefined` if values have none. */
export function fieldNames(type: BuildValueType): string[] | undefined {
  return isStruct(type) ? structOf(type).fields.map(({ name }) => name) : undefined;
}

const whatIs = ({ name, type }: Field) => `the field '${name}' to be ${type}`;

/** As programs write them that know no booleans. */
const TRUE = /^(?:true|t|yes|y|1)$/i;
const FALSE = /^(?:false|f|no|n|0)$/i;

function fieldOfText(field: Field, text: string): unknown {
  if (field.kind === 'float') return parseFloating(text, whatIs(field));
  if (field.kind !== 'bool') return Number(parseInteger(text, () => `${whatIs(field)}, an integer`));
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  throw new ValueError('HMAP_VALUE_INVALID', `${whatIs(field)}, true or false, yes or no, 1 or 0`, text);
}

export function fieldsParser(type: BuildValueType): FieldsParser {
  const fields = isStruct(type) ? structOf(type).fields : [];
  return (texts) => {
    const record: Record<string, unknown> = {};
    for (const [i, field] of fields.entries()) record[field.name] = fieldOfText(field, texts[i]!);
    return record;
  };
}

/**
 * A value from its JSON as the encoder wants it: 1 and 0 are booleans, special numbers and integers may come as
 * strings.
 */
export function structFromJson(type: StructText, value: unknown): unknown {
  // The encoder refuses what is not an object or has other fields.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const record: Record<string, unknown> = { ...value };
  for (const field of fieldsOf(type)) {
    if (!Object.hasOwn(record, field.name)) continue;
    const item = record[field.name];
    if (field.kind === 'bool' && (item === 0 || item === 1)) record[field.name] = item === 1;
    else if (field.kind !== 'bool' && typeof item === 'string') record[field.name] = fieldOfText(field, item);
    // JSON.parse makes 1e400 infinite.
    else if (field.kind === 'float' && typeof item === 'number') finite(item, whatIs(field), item);
  }
  return record;
}

/** The last schema, since one build has one. */
let last: { type: StructText; fields: readonly Field[] } | undefined;

function fieldsOf(type: StructText): readonly Field[] {
  if (last?.type !== type) last = { type, fields: structOf(type).fields };
  return last.fields;
}

/** Prints values as JSON objects. */
export function structPrinter(type: StructText): TextPrinter {
  const json = structJson(type);
  return ({ view }, at, _length, out) => out.text(json(view, at));
}

/** Makes the JSON text of a value. */
export function structJson(type: StructText): (view: DataView, at: number) => string {
  const { fields, bytes } = structOf(type);
  const parts = fields.map((field, i) => ({
    name: `${i === 0 ? '{' : ','}${JSON.stringify(field.name)}:`,
    read: fieldReader(field, bytes),
  }));
  return (view, at) => {
    let text = '';
    for (const { name, read } of parts) {
      const value = read(view, at);
      text += name + (typeof value === 'number' ? numberJson(value) : value);
    }
    return `${text}}`;
  };
}

/** Returns a function that gives the text of each field of a value; `undefined` if values have no fields. */
export function fieldTexts(type: StoredType): ((view: DataView, at: number) => string[]) | undefined {
  if (!isStruct(type)) return undefined;
  const { fields, bytes } = structOf(type);
  const readers = fields.map((field) => fieldReader(field, bytes));
  return (view, at) =>
    readers.map((read) => {
      const value = read(view, at);
      return typeof value === 'number' ? numberText(value) : String(value);
    });
}
