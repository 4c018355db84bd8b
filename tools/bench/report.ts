// npm run bench:report: writes what runs have found into the notes, with charts. Knows files; text, charts and drawing
// are beside it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { complain, EXIT, exitWith, say } from '../terminal/cli.js';
import { chartsOf } from './charts.js';
import { reportText } from './markdown.js';
import type { Run } from './model.js';
import { folderOf, installPeers, requirePeer } from './peers.js';
import { CACHE, ROOT } from './places.js';
import { type Echarts, renderChart } from './render.js';

const BEGIN = '<!-- bench: begin -->';
const END = '<!-- bench: end -->';
const CHARTS = 'charts';

/** Around the generated part, where nobody has written a text yet. */
const FRAME = `# Performance

What \`npm run bench -- --full\` has found. \`npm run bench:report -- <run.json>...\` writes the part between the two marks anew from the
results of one or more runs; the text around it is written by hand.

${BEGIN}
${END}
`;

function readRun(path: string): Run {
  const run = JSON.parse(readFileSync(path, 'utf8')) as Run;
  if (typeof run.node !== 'string' || !Array.isArray(run.figures)) throw new TypeError(`${path}: no run of the bench`);
  return run;
}

/** Puts the generated part in its place in a text. */
function withPart(text: string, part: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin < 0 || end < 0)
    throw new Error(`the notes lack the lines ${BEGIN} and ${END}, between which the report goes`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${part}\n\n${text.slice(end)}`;
}

async function loadEcharts(): Promise<Echarts> {
  const peers = await installPeers(CACHE, say);
  const folder = folderOf(peers, 'echarts');
  if (folder === undefined) throw new Error(`no charts without echarts: ${JSON.stringify(peers.echarts)}`);
  return requirePeer<Echarts>(folder, 'echarts');
}

async function report(paths: readonly string[], notes: string): Promise<void> {
  const runs = paths.map(readRun);
  const charts = chartsOf(runs[0]!);
  const echarts = await loadEcharts();
  mkdirSync(join(notes, CHARTS), { recursive: true });
  for (const chart of charts) writeFileSync(join(notes, CHARTS, `${chart.name}.svg`), renderChart(echarts, chart));
  const page = join(notes, 'performance.md');
  const text = existsSync(page) ? readFileSync(page, 'utf8') : FRAME;
  writeFileSync(page, withPart(text, reportText(runs, charts, CHARTS)));
  say(`${page}: ${runs.length} runs, ${charts.length} charts`);
}

const program = new Command('bench:report')
  .description('Writes native-notes/performance.md and its charts from the results of runs of the bench.')
  .argument('<run...>', 'results (JSON), such as those of several versions of Node; the charts show the first')
  .option('--notes <folder>', 'where to write', join(ROOT, 'native-notes'))
  .action((paths: string[], { notes }: { notes: string }) => report(paths, notes));

program.parseAsync().catch((error: unknown) => {
  complain(error);
  exitWith(EXIT.failed);
});
