// hmap verify: checks files.

import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { type Verification, verify } from '../../src/index.js';
import { checkedShards } from '../../src/internal.js';
import {
  complain,
  counted,
  EXIT,
  exitWith,
  foundByMistake,
  grouped,
  humanBytes,
  jsonLine,
  printable,
} from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { recordWith } from './damaged-record.js';

/** Blocks for which a flipped bit is looked for: each takes seconds. */
const FIND_BITS = 3;

interface Options {
  json?: boolean;
  findBit: boolean;
}

export function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .summary('check every rule of the format')
    .description(
      'Checks files against every rule of the format: checksums, sizes, offsets, each record in its bucket and in order, values, totals, padding. Prints each ' +
        'violation with its code and its range of bytes (end exclusive); the exit code is then 1. Of the first blocks that do not fit their checksums, it names the bit that explains it, if one does, and its record. Reads each file twice, in fixed memory.',
    )
    .argument('<file...>', 'the .hmap files, or folders of shards')
    .option('--no-find-bit', 'do not look for flipped bits, which takes seconds a block')
    .option('--json', 'print one JSON object per file')
    .action(runVerify);
  examples(command, 'hmap verify table.hmap', 'hmap verify --json *.hmap | jq .total');
}

async function runVerify(files: string[], options: Options): Promise<void> {
  let code: number = EXIT.fine;
  for (const given of files) {
    try {
      for (const file of filesOf(given)) code = Math.max(code, await verifyFile(file, options));
    } catch (error) {
      complain(error);
      code = EXIT.failed;
    }
  }
  exitWith(code);
}

/** The shards of a folder that has some; otherwise the path itself. */
function filesOf(path: string): readonly string[] {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? checkedShards(path) : [path];
}

/** Returns the exit code. */
async function verifyFile(file: string, options: Options): Promise<number> {
  const progress = new Progress();
  try {
    const result = await verify(file, {
      findBits: options.findBit ? FIND_BITS : 0,
      onProgress: (done, total) => progress.update('verifying', 'bytes', done, total),
    });
    progress.stop();
    print(result, options.json === true);
    return result.ok ? EXIT.fine : EXIT.findings;
  } finally {
    progress.stop();
  }
}

function print(result: Verification, json: boolean): void {
  if (json) {
    process.stdout.write(jsonLine(result));
    return;
  }
  const { findings, total, entries, fileBytes, seconds, fingerprint } = result;
  const path = printable(result.path);
  const lines = findings.map(({ code, section, offset, end, message, bit }) => {
    const found = bit && recordWith(result.path, bit.offset);
    const where = found === undefined ? '' : `, in the record of key ${found}`;
    return `${path}: bytes [${offset}, ${end}) (${section}): ${code}: ${message}${where}`;
  });
  if (total > findings.length) lines.push(`${path}: ${grouped(total - findings.length)} more`);
  const verdict = total === 0 ? 'ok' : counted(total, 'finding');
  const mistakes =
    fingerprint === undefined
      ? ''
      : `; fingerprints of ${fingerprint.bits} bits, ${foundByMistake(fingerprint.falsePositiveRate)}`;
  const size = `${counted(entries, 'entry', 'entries')}, ${humanBytes(fileBytes)}, ${seconds.toFixed(2)} s`;
  lines.push(`${path}: ${verdict}; ${size}${mistakes}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
