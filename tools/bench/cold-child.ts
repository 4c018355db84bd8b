// One process that opens a cold table and looks a few keys up: reports how much came into memory. Does not know how the
// file became cold.

import { type Check, type MappingKind, open } from 'hmap';
import type { Line } from './sample-keys.js';
import { taskOf } from './task-of.js';

export interface Task {
  readonly table: string;
  readonly check: Check;
  /** The first is looked up alone. */
  readonly lines: readonly Line[];
}

export interface Answer {
  readonly mapping: MappingKind;
  readonly tableBytes: number;
  /** Bytes of the table in memory. Absent if the mapping does not say. */
  readonly resident?: { afterOpen: number; afterOne: number; afterAll: number };
  /** Page faults that waited for the disk. */
  readonly faultsOfOne: number;
  readonly faultsOfRest: number;
}

const majorFaults = () => process.resourceUsage().majorPageFault;

function run({ table: path, check: mode, lines }: Task): Answer {
  const table = open(path, { value: 'u32', check: mode });
  const check = (line: Line) => {
    if (table.get(line.key) !== line.value) throw new Error(`get(${line.key}) is not ${line.value}`);
  };
  const afterOpen = table.residentBytes();
  const atFirst = majorFaults();
  check(lines[0]!);
  const atSecond = majorFaults();
  const afterOne = table.residentBytes();
  const atThird = majorFaults();
  for (const line of lines.slice(1)) check(line);
  const atEnd = majorFaults();
  const afterAll = table.residentBytes();
  const known = afterOpen !== undefined && afterOne !== undefined && afterAll !== undefined;
  return {
    mapping: table.mapping,
    tableBytes: table.header.fileBytes,
    ...(known && { resident: { afterOpen, afterOne, afterAll } }),
    faultsOfOne: atSecond - atFirst,
    faultsOfRest: atEnd - atThird,
  };
}

console.log(JSON.stringify(run(taskOf<Task>())));
