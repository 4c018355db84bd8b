// Where the core and its callers meet: places in the first bytes of a memory, in bytes. Both sides are compiled from
// this file, one as TypeScript, one as AssemblyScript; so it holds numbers and nothing else.

/** What is known of a table, one u32 after the other. */
export const TABLE = 0;
export const SEED = 0;
export const SHARD_BITS = 4;
/** Of segments, in this file. */
export const SEGMENT_SHIFT = 8;
/** Bits of the hash before those of the bucket. */
export const HASH_BITS = 12;
export const EIGHTHS = 16;
export const BUCKET_SHIFT = 20;
export const LINE_BYTES = 24;
export const OFFSET_BITS = 28;
/** What an offset of the index counts, in bytes. */
export const UNIT = 32;
/** Widths, or {@link ANY_WIDTH}. */
export const KEY_WIDTH = 36;
export const VALUE_WIDTH = 40;
export const ANY_WIDTH = 0xffff_ffff;
/** Units of a bucket from which on the caller finds. */
export const MOST_UNITS = 44;

/** Only for a scan: which shard the file is, and how its values are checked. */
export const SHARD = 48;
export const VALUE_CHECK = 52;
/** What {@link VALUE_CHECK} may be: any bytes are a value; integers whose largest counts; the others by their type. */
export const ANY_VALUE = 0;
export const LARGEST_VALUE = 1;
export const F32_VALUE = 2;
export const F64_VALUE = 3;
export const UTF8_VALUE = 4;

/** For each segment a row: the addresses of its lines and of its heap, the heap's size in units, and nothing. */
export const SEGMENTS = 4096;
export const SEGMENT_ROW_SHIFT = 4;
export const LINES = 0;
export const HEAP = 4;
export const UNITS = 8;

/** Keys of a batch, at most. */
export const BATCH = 1024;
/**
 * For each key a row of u32, side by side: in arrays of their own they would share sets of the processor's cache.
 */
export const BATCH_ROWS = 73_728;
export const BATCH_SHIFT = 5;
/** Where the key starts in {@link KEYS}, its length in bytes (negative for what is no key), its hash. */
export const START = 0;
export const LENGTH = 4;
export const HASH = 8;
/** Its segment's row, and where its bucket starts and ends in memory; before that, its line, and a bit in it. */
export const ROW = 12;
export const FROM = 16;
export const TO = 20;
/** Where the value starts in its segment's heap, or one of the numbers below; before that, an address. */
export const FOUND = 24;
export const VALUE_BYTES = 28;
export const MISSING = -1;
/** The caller has to look itself: the segment is not here, or some bytes are not as they should be. */
export const UNKNOWN = -2;

/** Bits of a batch, a u32 each, and then their ranks. */
export const RANKS = 106_496;

/** For each key its value as a number, in 4 or 8 bytes. */
export const VALUES = 106_496;

/** The keys' bytes. */
export const KEYS = 131_072;

/** What a scan has found, in 4 or 8 bytes each. Before it: where the next group must start, in units. */
export const EXPECTED = 131_072;
/** Units of the largest group. */
export const MOST_IN_GROUP = 131_076;
/** Of all keys, and of all values: the least and the most bytes. */
export const LEAST_KEY = 131_080;
export const MOST_KEY = 131_084;
export const LEAST_VALUE = 131_088;
export const MOST_VALUE = 131_092;
/** As u64: records, and what {@link LARGEST_VALUE} counts. */
export const RECORDS = 131_096;
export const LARGEST = 131_104;
/** As u64: all bytes of keys, and of values. */
export const KEY_BYTES = 131_112;
export const ALL_VALUE_BYTES = 131_120;
