// Where the core and a build meet that takes lines in: places in the state of one thread, in bytes from its start. Both
// sides are compiled from this file, as with places.ts.

/** What is given first. */
export const SEED = 0;
/** Of a hash, to the number of its partition. */
export const PARTITION_SHIFT = 4;
/** One of the numbers below; for numbers the bytes that are staged. */
export const VALUE_KIND = 8;
export const STAGED_VALUE = 12;
export const NO_VALUE = 0;
export const UNSIGNED = 1;
export const SIGNED = 2;
export const ANY_BYTES = 3;
export const TEXT = 4;
/** Of numbers, as u64: the most, and the most that may stand after a minus sign. */
export const MOST_NUMBER = 16;
export const LEAST_NUMBER = 24;
/** Of other values: from how many bytes on they are staged elsewhere. */
export const LARGE_VALUE = 32;
/** Whether the largest number counts. */
export const IS_NARROWED = 36;
/**
 * Then what is found: lines taken by the last call, whether it stopped before a line that it does not take, and the sums
 * of `EntryStats` since they were last fetched.
 */
export const LINES_TAKEN = 40;
export const HAS_STOPPED = 60;
export const SHORTEST_KEY = 44;
export const LONGEST_KEY = 48;
export const SHORTEST_VALUE = 52;
export const LONGEST_VALUE = 56;
export const KEY_BYTES = 64;
export const ALL_VALUE_BYTES = 72;
export const LARGEST_NUMBER = 80;
/** Then arrays: of u32 where each partition's next record goes and where its chunk ends; of f64 records and bytes. */
export const FILL = 128;
export const LIMIT = 2_176;
export const COUNTS = 4_224;
export const SIZES = 8_320;
/** Of f64, by the top 12 bits of the hash: bytes of records, and entries. */
export const CLASS_SHIFT = 20;
export const BYTES_BY_HASH = 12_416;
export const ENTRIES_BY_HASH = 45_184;
/** And the text, of so many bytes at a time. */
export const WINDOW = 262_144;
export const INPUT = 77_952;
/** Bytes of a state. Some after the text may be read. */
export const STATE_BYTES = 393_216;
