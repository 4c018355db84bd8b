// Where the core and a thread meet that writes partitions: places in the first bytes of a memory of the thread's own.
// Both sides are compiled from this file, as with places.ts.

/** Bytes before everything else. */
export const FIRST = 4096;

/** Where things lie: staged records, and an array of u32 of each for where they are, their hashes and their order. */
export const RECORDS = 0;
export const POSITIONS = 4;
export const HASHES = 8;
export const ORDER = 12;
/** Room for a counter of each class that records are parted in; the bits that choose a class at most. */
export const ENDS = 16;
export const MOST_DIGIT_BITS = 20;
/** Of a staged record: bytes before the key; of its value, or {@link ANY_WIDTH}; from how many on it lies elsewhere. */
export const HEAD = 20;
export const STAGED_VALUE = 24;
export const LARGE_VALUE = 28;
export const ANY_WIDTH = 0xffff_ffff;
/** Bytes that stand for a value that lies elsewhere. */
export const POSITION_BYTES = 8;

/** How hashes are divided, see `Division`; the buckets of a segment. */
export const SHARD_BITS = 32;
export const SEGMENT_SHIFT = 36;
export const HASH_BITS = 40;
export const EIGHTHS = 44;
export const BUCKET_SHIFT = 48;
export const BUCKETS = 52;
/** Of what is written: widths, or {@link ANY_WIDTH}. */
export const KEY_WIDTH = 56;
export const VALUE_WIDTH = 60;

/** Where the next record goes, and where the room for records ends. */
export const OUT = 64;
export const OUT_END = 68;
/** The segment, and the first bucket over all segments that has not begun. */
export const SEGMENT = 72;
export const NEXT_BUCKET = 76;
/** For each bucket that has begun three u32: the bucket, where its first record lies, and the number of that record. */
export const EVENTS = 80;
export const EVENT_COUNT = 84;
export const EVENT_BYTES = 12;

/** What a sort finds: each key once; a key twice; so many records of one class that it was not done. */
export const ALL_DIFFER = 0;
export const SAME_KEYS = 1;
export const NOT_SORTED = 2;
