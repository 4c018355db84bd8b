// What users import. Nothing else is public.

export type { DuplicatePolicy } from './assemble.js';
export { BitArray } from './bit-array.js';
export type { Entry } from './build.js';
export type { BuildOptions, BuildProgress, BuildSummary } from './build-options.js';
export { build, stat, verify } from './deferred.js';
export { HmapError, type HmapErrorCode, type HmapErrorData } from './errors.js';
export type { Finding, FindingCode, Section } from './findings.js';
export type { Header, ListHeader, SegmentPlace } from './header-types.js';
export { type BucketView, inspectBucket, inspectKey, type RecordView } from './inspect.js';
export { IntegerSet } from './integer-set.js';
export type { IntegerSetBuildOptions } from './integer-set-builder.js';
export type { AnyKey, KeyArgument, KeyForm, KeyOf, KeyType } from './key-types.js';
export type { Key } from './keys.js';
export { List } from './list.js';
export type { BitsBuildOptions, ListBuildOptions } from './list-builder.js';
export type { MappingKind } from './mapping/mapping.js';
export type { MappingChoice } from './mapping/open-file.js';
export type { Metadata } from './metadata.js';
export {
  type BitsOpenOptions,
  type IntegerSetOpenOptions,
  type ListOpenOptions,
  type OpenOptions,
  open,
} from './open.js';
export type { Layout } from './plain-layout.js';
export type { FieldBits, FieldType, RecordOf, Schema, StructText, StructType } from './schema.js';
export type { Check, Warm } from './snapshot.js';
export type { StatOptions } from './stat.js';
export { type FieldName, type FieldValue, Table } from './table.js';
export type { Lengths, TableStat } from './table-stat.js';
export type {
  ListType,
  ListValue,
  PackedType,
  StoredType,
  ValueChoice,
  ValueOf,
  ValueType,
  ValueTypes,
} from './types.js';
export type { Verification, VerifyOptions } from './verify.js';
