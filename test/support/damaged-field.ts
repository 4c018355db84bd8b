// A file with a field of its header changed, and what a verification must say of it. Knows no field's meaning.

import type { Damaged } from './damaged.js';
import { compose, FIELDS, type Field, type Raw, type RawParts } from './raw-table.js';

/**
 * @param values the fields that are changed
 * @param told the one that is reported
 */
export function damagedField(name: string, parts: RawParts, values: Partial<Record<Field, Raw>>, told: Field): Damaged {
  const [offset, size] = FIELDS[told];
  const finding = { code: 'HMAP_HEADER_FIELD', section: 'header', offset, end: offset + size } as const;
  return { name, bytes: compose({ ...parts, fields: values }), finding, refused: true };
}
