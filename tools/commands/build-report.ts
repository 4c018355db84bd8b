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
  readonly json: boolean;
}

/**
 * @param output the file as the user named it; the summary has where links lead
 * @param input how the input was read
 */
export function report(summary: BuildSummary, output: string, input: string, asked: Asked): void {
  if (asked.json) {
    process.stdout.write(jsonLine({ ...summary, readAs: input }));
    return;
  }
  const { entries, duplicates, valueType, fileBytes, payloadBytes, seconds, synced, published, fingerprint } = summary;
  const dropped = duplicates === 0 ? '' : ` (${grouped(duplicates)} duplicates dropped)`;
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
  say(`read as ${printable(input)}`);
  say(
    `${printable(output)}: ${counted(entries, 'entry', 'entries')}${narrowed}${form}${dropped}, ${humanBytes(fileBytes)}${cost}, ${seconds.toFixed(2)} s${unsynced}${moved}`,
  );
}
