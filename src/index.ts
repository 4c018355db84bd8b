// What users import. Nothing else is public.

export type { DuplicatePolicy } from './assemble.js';
export { build, type Entry } from './build.js';
export type { BuildOptions, BuildProgress, BuildSummary } from './builder.js';
export { HmapError, type HmapErrorCode, type HmapErrorData } from './errors.js';
export type { Header, Metadata, SegmentPlace } from './header.js';
export type { Key } from './keys.js';
export type { MappingKind } from './mapping/mapping.js';
export type { MappingChoice } from './mapping/open-file.js';
export { type OpenOptions, open, type Warm } from './open.js';
export { type KeyForm, Table } from './table.js';
export type { ValueType, ValueTypes } from './types.js';
