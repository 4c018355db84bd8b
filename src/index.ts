// What users import. Nothing else is public.

export { HmapError, type HmapErrorCode, type HmapErrorData } from './base/errors.js';
export type { FilePath } from './base/options.js';
export type {
  BitsBuildOptions,
  Entry,
  EntryColumns,
  IntegerSetBuildOptions,
  ListBuildOptions,
} from './build/common/inputs.js';
export type {
  MergeCounts,
  MergeDuplicates,
  MergeInput,
  MergeOptions,
  MergeRole,
  MergeSummary,
} from './build/common/merge-options.js';
export type {
  BuildOptions,
  BuildProgress,
  BuildSummary,
  DuplicatePolicy,
  FingerprintSummary,
} from './build/common/options.js';
export type { Published } from './build/common/replace.js';
export type { CoreReason, CoreReasonCode } from './core/core.js';
export type { Layout } from './format/constants.js';
export type { FingerprintBits } from './format/fingerprints.js';
export type {
  BitsHeader,
  FingerprintPlace,
  HashHeader,
  Header,
  KeylessHeader,
  ListHeader,
  SegmentPlace,
} from './format/header.js';
export type { AnyKey, Key, KeyArgument, KeyForm, KeyOf, KeyType } from './format/key-types.js';
export type { Metadata } from './format/metadata.js';
export type { FieldBits, FieldType, RecordOf, Schema, StructText, StructType } from './format/schema.js';
export type {
  ListType,
  ListValue,
  NumericArray,
  PackedType,
  StoredType,
  ValueChoice,
  ValueOf,
  ValueType,
  ValueTypes,
} from './format/value-types.js';
export { type BucketView, inspectBucket, inspectKey, type RecordView } from './inspect/bucket.js';
export type { StatOptions } from './inspect/stat.js';
export type {
  FullBucket,
  LargeEntry,
  LengthRange,
  Lengths,
  MeasuredLengths,
  ResidentBytes,
  TableStat,
} from './inspect/table-stat.js';
export { build, merge, stat, verify } from './lazy.js';
export type { MappingChoice } from './mapping/map-ranges.js';
export type { MappingKind, MappingReason, MappingReasonCode } from './mapping/mapping.js';
export { BitArray } from './read/bit-array.js';
export { IntegerSet } from './read/integer-set.js';
export { List } from './read/list.js';
export {
  type BitsOpenOptions,
  type FingerprintOpenOptions,
  type IntegerSetOpenOptions,
  type ListOpenOptions,
  type OpenOptions,
  open,
} from './read/open.js';
export type { Check, Warm } from './read/snapshot.js';
export { type FieldName, type FieldValue, type FingerprintTable, Table } from './read/table.js';
export type { FlippedBit } from './verify/find-bit.js';
export type { Finding, FindingCode, Section } from './verify/findings.js';
export type { Verification, VerifyOptions } from './verify/verify.js';
