// Where an iteration reads: a large file through a mapping of its own, so that the lookups' one, and what the system
// keeps in memory, stay as they are. Knows snapshots and files; knows no entries.

import { closeSync, fstatSync } from 'node:fs';
import type { HashHeader } from '../format/header.js';
import { PassWindow } from '../mapping/pass-window.js';
import { QuietPass } from '../mapping/quiet-pass.js';
import { openForReading } from '../storage/open-file.js';
import { type MappedHashSegment, mappedSegments } from '../storage/scan.js';
import { type FileIdentity, isKnown, statsOf } from './file-identity.js';
import type { Snapshot } from './snapshot.js';

/** A file of fewer bytes pushes little out of memory. */
const LARGE = 2 ** 26;

/**
 * The segments of a snapshot, one after the other.
 * @param path where its file was. It may be gone, or another one, by now
 */
export function* segmentsToScan(snapshot: Snapshot, path: string): Generator<MappedHashSegment, undefined> {
  const header = snapshot.header as HashHeader;
  const file =
    header.fileBytes >= LARGE && snapshot.mapping.takesAdvice ? OwnFile.of(path, snapshot.identity) : undefined;
  try {
    for (let i = 0; i < header.segments.length; i++) {
      const segment = snapshot.segments.at(i);
      if (file === undefined) yield inPlace(snapshot, segment, i);
      else yield* mappedSegments(file.fd, header, path, segment.unchecked > 0 ? 'touch' : 'none', file.quiet, [i]);
    }
  } finally {
    file?.close();
  }
}

function inPlace({ mapping }: Snapshot, segment: MappedHashSegment['segment'], number: number): MappedHashSegment {
  const { heapOffset, heapBytes } = segment;
  const window = new PassWindow(
    heapOffset,
    heapBytes,
    (advice, start, length) => mapping.advise(advice, number, start, length),
    undefined,
  );
  return { segment, reach: (at) => window.reach(at), begin: (at) => window.begin(at) };
}

/** The file of a snapshot, opened once more. */
class OwnFile {
  readonly quiet: QuietPass | undefined;

  private constructor(readonly fd: number) {
    this.quiet = QuietPass.over(fd);
    abandoned.register(this, fd, this);
  }

  /** `undefined` if the file is not there any more. */
  static of(path: string, identity: FileIdentity): OwnFile | undefined {
    let fd: number | undefined;
    try {
      fd = openForReading(path);
      if (isKnown(fd, statsOf(fstatSync(fd, { bigint: true })), identity)) return new OwnFile(fd);
    } catch {
      // Too many files are open, or the name has gone.
    }
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }

  close(): void {
    abandoned.unregister(this);
    closeSync(this.fd);
  }
}

/** Of iterations that nobody has ended. */
const abandoned = new FinalizationRegistry<number>((fd) => closeSync(fd));
