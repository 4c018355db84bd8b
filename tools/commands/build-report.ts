// What `hmap build` says of a file that it has made. Knows summaries.

import type { BuildSummary, ListType } from '../../src/index.js';
import type { BuildValueType } from '../../src/internal.js';
import { counted, foundByMistake, grouped, humanBytes, jsonLine, printable, say } from '../terminal/cli.js';

/** Of fewer entries the header is the most, and the cost of one says nothing. */
const FEW = 1000;

/** What was asked for, as far as the report depends on it. */
export interface Asked {
  readonly value: BuildValueType | ListType;
  /** Whether the build chose the layout, so that the report names it. */
  readonly isAutomatic: boolean;
  readonly isCollected: boolean;
  readonly json: boolean;
}

/** What is told of the input. */
export interface InputReport {
  /** How it was read. */
  readonly told: string;
  /** Entries that were left out, since a part of them is missing. */
  readonly leftOut: number;
}

/**
 * @param output the file as the user named it; the summary has where links lead
 */
export function report(summary: BuildSummary, output: string, input: InputReport, asked: Asked): void {
  if (asked.json) {
    process.stdout.write(jsonLine({ ...summary, readAs: input.told, leftOut: input.leftOut }));
    return;
  }
  const { entries, duplicates, valueType, fileBytes, payloadBytes, seconds, synced, published, fingerprint, shards } =
    summary;
  const became = asked.isCollected ? 'collected' : 'dropped';
  const dropped = duplicates === 0 ? '' : ` (${counted(duplicates, 'duplicate')} ${became})`;
  const leftOut = input.leftOut === 0 ? '' : ` (${grouped(input.leftOut)} left out: a part is missing)`;
  const narrowed = asked.value === 'uint' ? ` of ${valueType}` : '';
  const form = asked.isAutomatic ? (summary.layout === 'bits' ? ' as a bit array' : ' by hash') : '';
  const overhead = ((fileBytes - payloadBytes) / entries).toFixed(2);
  const cost =
    entries < FEW
      ? ''
      : fingerprint === undefined
        ? `, ${overhead} bytes per entry over the payload`
        : `, ${(fileBytes / entries).toFixed(2)} bytes per entry, ${foundByMistake(fingerprint.falsePositiveRate)}`;
  const unsynced = synced ? '' : '; not forced to the disk, which is forbidden here';
  const moved = published === 'moved-aside' ? '; the old file was in use, and was moved aside' : '';
  say(`read as ${printable(input.told)}`);
  const of = shards === undefined ? '' : `${counted(shards, 'shard')} of `;
  say(
    `${printable(output)}: ${of}${counted(entries, 'entry', 'entries')}${narrowed}${form}${dropped}${leftOut}, ${humanBytes(fileBytes)}${cost}, ${seconds.toFixed(2)} s${unsynced}${moved}`,
  );
}
