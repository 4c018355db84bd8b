// Holds the names that users can import, and those that cross the door to the tools: a new name is a line here that a
// reviewer sees.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as bundle from 'hmap';
import * as source from '../../src/index.js';
import * as internal from '../../src/internal.js';
import { PACKAGE_ROOT } from '../support/root.js';

const PUBLIC = {
  values: `BitArray HmapError IntegerSet List Table build inspectBucket inspectKey merge open stat verify`,
  types: `AnyKey BitsBuildOptions BitsHeader BitsOpenOptions BucketView BuildOptions BuildProgress BuildSummary Check CoreReason CoreReasonCode DuplicatePolicy Entry EntryColumns FieldBits FieldName FieldType FieldValue FilePath Finding FindingCode FingerprintBits FingerprintOpenOptions FingerprintPlace FingerprintSummary FingerprintTable FlippedBit FullBucket HashHeader Header HmapErrorCode HmapErrorData IntegerSetBuildOptions IntegerSetOpenOptions Key KeyArgument KeyForm KeyOf KeyType KeylessHeader LargeEntry Layout LengthRange Lengths ListBuildOptions ListHeader ListOpenOptions ListType ListValue MappingChoice MappingKind MappingReason MappingReasonCode MeasuredLengths MergeCounts MergeDuplicates MergeInput MergeOptions MergeRole MergeSummary Metadata NumericArray OpenOptions PackedType Published RecordOf RecordView ResidentBytes Schema Section SegmentPlace StatOptions StoredType StructText StructType TableStat ValueChoice ValueOf ValueType ValueTypes Verification VerifyOptions Warm`,
};

const INTERNAL = {
  values: `ByteBuffer DECODERS DEFAULT_MEMORY FINGERPRINT_BITS INTEGER_RANGES KEY_DECODERS KEY_FORMS LAYOUTS LIST_TYPES MAX_KEY_BYTES MAX_SEGMENT_BYTES MAX_SHARD_BITS MAX_VALUE_BYTES Pacer ParallelIngest RESIDENCY_LIMIT SMALLEST_MEMORY ShardFolder VALUE_TYPES VARIABLE ValueError bucketCount bucketOf checkValueLength checkValueType checkedShards copyBytes decodeText dictionarySize diffFiles encodeKeyText enumValues explainLookup fieldReader fileHeader gatherShards indexWidth isListType isStruct joinShards keyFromText keyTooLong nearest oneLine packedInteger packedRange predictKeylessSections predictTable scanFile scratch segmentOf serveIngest shardOf showKey structOf systemError threadsFor valueEncoder valueWidthOf varintSize withBuilder withKeylessBuilder writeShard xxh32`,
  types: `BuildValueType ByteSlice CommonOptions ComparedRecord DiffCounts Difference ElementScan EntryScan Explanation Field KeylessBuildChoice KeylessForm LookupStep RecordSink TableBuilder ValueEncoder`,
};

/** Most names that may cross the door to the tools, types counted. */
const MOST = 85;

const list = (names: string) => names.split(/\s+/).toSorted();

/** The types that a file of re-exports names; it must have nothing else in it. */
function typesOf(file: string): string[] {
  const source = readFileSync(join(PACKAGE_ROOT, 'src', file), 'utf8').replace(/^\s*\/\/.*$/gm, '');
  assert.doesNotMatch(source, /export \*|\* as/);
  const types: string[] = [];
  const rest = source.replace(
    /export (type )?\{([^}]*)\} from '[^']+';/g,
    (_, all: string | undefined, names: string) => {
      for (const name of names.split(',').map((part) => part.trim())) {
        if (name === '') continue;
        if (all !== undefined) types.push(name);
        else if (name.startsWith('type ')) types.push(name.slice('type '.length));
      }
      return '';
    },
  );
  assert.equal(rest.trim(), '', `${file} only re-exports`);
  return types.toSorted();
}

describe('exported names', () => {
  test('of the package are these', () => {
    for (const library of [source, bundle]) assert.deepEqual(Object.keys(library).toSorted(), list(PUBLIC.values));
    assert.deepEqual(typesOf('index.ts'), list(PUBLIC.types));
  });

  test('of the door to the tools are these, and few', () => {
    assert.deepEqual(Object.keys(internal).toSorted(), list(INTERNAL.values));
    assert.deepEqual(typesOf('internal.ts'), list(INTERNAL.types));
    assert.ok(list(INTERNAL.values).length + list(INTERNAL.types).length <= MOST);
  });
});
