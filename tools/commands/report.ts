// hmap report: one file as a page for a browser.

import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { systemError } from '../../src/internal.js';
import { gather } from '../report/gather.js';
import { brokenPage, reportPage } from '../report/page.js';
import { EXIT, exitWith, humanBytes, printable, say } from '../terminal/cli.js';
import { examples } from '../terminal/help.js';
import { Progress } from '../terminal/progress.js';
import { version } from '../terminal/version.js';
import { OutputFile } from './output-file.js';

interface Options {
  output: string;
  force?: boolean;
}

export function addReport(program: Command): void {
  const command = program
    .command('report')
    .summary('make a page that shows a file: sections, memory, buckets, lengths, entries, and a lookup')
    .description(
      'Makes one HTML page, which needs nothing else, neither files nor a network: the file drawn to scale, what of it is in memory, how full the buckets are beside what chance gives, lengths of keys and values, ' +
        'a sample of entries, what verify found, and a box in which a key is typed and its lookup explained. Every chart has its figures in a table. Reads the file three times, in fixed memory. The exit code is 1 if the file is damaged; the page then shows what it can.',
    )
    .argument('<file>', 'the .hmap file')
    .requiredOption('-o, --output <file>', 'the page to make, such as report.html')
    .option('--force', 'replace the output if it exists')
    .action(runReport);
  examples(command, 'hmap report table.hmap -o report.html');
}

async function runReport(file: string, options: Options): Promise<void> {
  if (options.output === '-') throw new TypeError('--output: expected a file; a page is not written to stdout');
  // First: what is no file has a clear error.
  openable(file);
  const output = new OutputFile(options.output, file, options.force === true);
  const progress = new Progress();
  try {
    const data = await gather(file, (stage, done, total) => progress.update(stage, 'bytes', done, total));
    // Beside the program, as the build puts it there.
    const script = readFileSync(new URL('./report-box.js', import.meta.url), 'utf8');
    const page = data.isWhole ? reportPage(data, script, version()) : brokenPage(data, version());
    try {
      writeFileSync(output.temporary, page);
    } catch (error) {
      throw systemError(error, 'write', options.output);
    }
    output.publish();
    progress.stop();
    say(`${printable(options.output)}: ${humanBytes(Buffer.byteLength(page))}`);
    exitWith(data.verified.ok ? EXIT.fine : EXIT.findings);
  } finally {
    progress.stop();
    output.abandon();
  }
}

/** @throws {HmapError} for a file that cannot be opened at all */
function openable(file: string): void {
  try {
    closeSync(openSync(file, 'r'));
  } catch (error) {
    throw systemError(error, 'open', file);
  }
}
