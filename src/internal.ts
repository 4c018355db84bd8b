// What the commands use besides what users import. Nothing here is stable. Only re-exports; test/package/names.test.ts
// has the list, of at most 85 names.

export { ByteBuffer, type ByteSlice, copyBytes, varintSize } from './base/bytes.js';
export { systemError } from './base/errors.js';
export { nearest } from './base/nearest.js';
export { oneLine } from './base/one-line.js';
export { Pacer } from './base/pacer.js';
export { decodeText } from './base/text.js';
export { threadsFor } from './base/workers.js';
export { xxh32 } from './base/xxh32.js';
// Building from encoded records, by several threads or one; and without keys.
export { type KeylessBuildChoice, withBuilder, withKeylessBuilder } from './build/build.js';
export { type CommonOptions, DEFAULT_MEMORY, SMALLEST_MEMORY } from './build/common/options.js';
export { ShardFolder } from './build/common/shard-folder.js';
export { keyTooLong, type RecordSink } from './build/hash/ingest.js';
export { ParallelIngest, serveIngest } from './build/hash/parallel-ingest.js';
export type { TableBuilder } from './build/hash/table-builder.js';
export { gatherShards, joinShards, writeShard } from './build/merge/shards.js';
// Keys and values between bytes, text and programs.
export { fieldReader } from './codec/bit-fields.js';
export { DECODERS } from './codec/decode-value.js';
export { checkValueLength, type ValueEncoder, ValueError, valueEncoder } from './codec/encode-value.js';
export { encodeKeyText, keyFromText, showKey } from './codec/key-text.js';
export { scratch } from './codec/keys.js';
export { KEY_DECODERS } from './codec/typed-keys.js';
// Names, limits and sizes of the format.
export {
  dictionarySize,
  indexWidth,
  LAYOUTS,
  MAX_KEY_BYTES,
  MAX_SEGMENT_BYTES,
  MAX_SHARD_BITS,
  MAX_VALUE_BYTES,
  VARIABLE,
} from './format/constants.js';
export { FINGERPRINT_BITS } from './format/fingerprints.js';
export { bucketCount, bucketOf, segmentOf, shardOf } from './format/index-lines.js';
export { KEY_FORMS } from './format/key-types.js';
export type { KeylessForm } from './format/keyless.js';
export { predictTable } from './format/predict.js';
export { type Field, isStruct, packedInteger, structOf } from './format/schema.js';
export { predictKeylessSections } from './format/sections.js';
export {
  type BuildValueType,
  checkValueType,
  INTEGER_RANGES,
  isListType,
  LIST_TYPES,
  packedRange,
  VALUE_TYPES,
  valueWidthOf,
} from './format/value-types.js';
// Reading a file as it lies.
export { enumValues } from './inspect/bucket.js';
export { type DiffCounts, type Difference, diffFiles } from './inspect/diff.js';
export { explainLookup } from './inspect/explain.js';
export type { ComparedRecord, Explanation, LookupStep } from './inspect/explanation.js';
export { RESIDENCY_LIMIT } from './inspect/resident.js';
export { type ElementScan, type EntryScan, scanFile } from './inspect/scan-file.js';
export { fileHeader } from './storage/open-file.js';
export { checkedShards } from './storage/shard-files.js';
