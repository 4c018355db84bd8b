// Brings in what lookups will need, without keeping other work waiting: the lines of buckets, then their records, and
// what their blocks are checked against. Knows what a lookup reads; does not know keys.

import { setTimeout as sleep } from 'node:timers/promises';
import { Pacer } from '../base/pacer.js';
import type { CheckedBlocks, FileRange } from '../storage/block-check.js';
import type { HashSegment } from '../storage/hash-segment.js';
import type { MappedFile } from './mapped-file.js';

/** A bucket that will be looked at. */
export interface BucketPlace {
  readonly segment: HashSegment;
  readonly bucket: number;
}

/** Milliseconds of work between two turns for other work. */
const TURN = 0.5;
/** Of a bucket, as much as this: more is the work of a value that is read, or of a hostile file. */
const MOST_OF_BUCKET = 2 ** 20;
/** Ranges that are asked for at a time: of more, the system makes the next request wait until the disk has room for it. */
const WINDOW = 64;
/** Milliseconds between two looks at what has come. */
const LOOK = 1;
/** Looks at a disk that brings nothing, until a lookup may as well wait itself: some ten seconds. */
const PATIENCE = 5000;

/** Thrown when the work has become useless, and caught below. */
const USELESS = new Error('nobody needs this any more');

/**
 * Resolves when all that lookups of these buckets read is in memory, and its blocks are checked; or earlier, when
 * `isCurrent` says no more, or nothing comes any more. Damage is left to the lookups that meet it.
 */
export async function prefetch(
  file: MappedFile,
  places: Iterable<BucketPlace>,
  isCurrent: () => boolean,
): Promise<void> {
  const pacer = new Pacer(undefined, () => {}, TURN);
  /** Does something with each, and gives other work its turns. */
  const each = async <T>(items: Iterable<T>, act: (item: T) => void): Promise<void> => {
    for (const item of items) {
      const turn = pacer.pause(0);
      if (turn !== undefined) await turn;
      if (!isCurrent()) throw USELESS;
      act(item);
    }
  };
  const all: BucketPlace[] = [];
  try {
    await each(places, (place) => all.push(place));
    for (const partOf of [lineOf, recordsOf]) {
      const parts: Part[] = [];
      const wanted = new Map<number, FileRange>();
      await each(all, (place) => {
        const part = partOf(place);
        if (part === undefined) return;
        parts.push(part);
        for (const range of part.blocks.needed(part.from, part.end)) {
          if ((wanted.get(range.offset)?.length ?? 0) < range.length) wanted.set(range.offset, range);
        }
      });
      await bringIn(file, wanted.values(), each);
      await each(parts, check);
    }
  } catch (error) {
    if (error !== USELESS) throw error;
  }
}

/** A range of a section, in bytes from its start. */
interface Part {
  readonly blocks: CheckedBlocks;
  readonly from: number;
  readonly end: number;
}

function lineOf({ segment, bucket }: BucketPlace): Part {
  const line = segment.lineAt(bucket);
  return { blocks: segment.indexBlocks, from: line, end: line + segment.lineBytes };
}

/** By a line that is there now; nothing if it cannot be right. */
function recordsOf({ segment, bucket }: BucketPlace): Part | undefined {
  try {
    const { start, end } = segment.bucketRange(bucket);
    if (end === start) return undefined;
    return { blocks: segment.heapBlocks, from: start, end: Math.min(end, start + MOST_OF_BUCKET) };
  } catch {
    return undefined;
  }
}

function check({ blocks, from, end }: Part): void {
  try {
    blocks.check(from, end);
  } catch {
    // The lookup meets it again, and says where.
  }
}

async function bringIn(
  file: MappedFile,
  ranges: Iterable<FileRange>,
  each: (ranges: Iterable<FileRange>, act: (range: FileRange) => void) => Promise<void>,
): Promise<void> {
  let asked: FileRange[] = [];
  const look = async (): Promise<boolean> => {
    await sleep(LOOK);
    const still: FileRange[] = [];
    await each(asked, (range) => {
      if (file.isThere(range.offset, range.length) === false) still.push(range);
    });
    const hasCome = still.length < asked.length;
    asked = still;
    return hasCome;
  };
  const ask = (range: FileRange): void => {
    const isThere = file.isThere(range.offset, range.length);
    if (isThere === true) return;
    file.ask(range.offset, range.length);
    // Where the system does not say what is there, asking is all that can be done.
    if (isThere === false) asked.push(range);
  };
  let looks = 0;
  const all = [...ranges];
  for (let next = 0; next < all.length || asked.length > 0; ) {
    const room = WINDOW - asked.length;
    await each(all.slice(next, next + room), ask);
    next += room;
    if (asked.length === 0) continue;
    looks = (await look()) ? 0 : looks + 1;
    if (looks === PATIENCE) return;
  }
}
