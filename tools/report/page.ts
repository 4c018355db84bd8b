// The page of a report, from what was gathered. Knows HTML; draws no chart and measures nothing.

import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import type { HashHeader, TableStat } from '../../src/index.js';
import { bucketCount } from '../../src/internal.js';
import { counted, grouped, humanBytes, range } from '../terminal/cli.js';
import { bars, escaped, heatMap, type Part, stack } from './charts.js';
import type { BrokenFile, ReportData } from './gather.js';
import type { BoxData } from './lookup-box.js';
import { memoryText, mergedRanges, residentParts, shardText, typeText } from './measures.js';
import { STYLE } from './style.js';

/** Sections of the file, in the order in which they lie in it; what is in a key heap side by side. */
const SECTIONS = [
  'header',
  'keys',
  'values',
  'prefixes',
  'dictionary',
  'fingerprints',
  'buckets',
  'checksums',
  'padding',
] as const satisfies readonly (keyof TableStat['sections'])[];

/**
 * The whole page.
 * @param script the code of the box; see lookup-box.ts
 */
export function reportPage(data: ReportData, script: string, version: string): string {
  const { header, measured } = data;
  const name = basename(data.path);
  const parts: [id: string, title: string, body: string][] = [
    ['file', 'The file, to scale', measured === undefined ? tooDamaged() : fileSection(measured)],
    ['memory', 'What is in memory', measured === undefined ? '' : memorySection(measured)],
    [
      'buckets',
      'How full the buckets are',
      measured === undefined || header.layout !== 'hash' ? '' : loadSection(measured),
    ],
    ['lengths', 'How long keys and values are', measured === undefined ? '' : lengthSection(measured)],
    ['lookup', 'A lookup, explained', lookupSection(data)],
    ['entries', header.layout === 'hash' ? 'Entries' : 'Elements', sampleSection(data)],
    ['verified', 'Verified', verifySection(data)],
  ];
  const shown = parts.filter(([, , body]) => body !== '');
  const hasBox = data.buckets.length > 0;
  const box = hasBox
    ? `<script type="application/json" id="lookup-data">${embedded(boxData(data))}</script>\n<script>${script}</script>`
    : '';
  const body = `<header>
<h1>${escaped(name)}</h1>
${facts(data)}
<nav aria-label="Sections"><ul>${shown.map(([id, title]) => `<li><a href="#${id}">${escaped(title)}</a></li>`).join('')}</ul></nav>
</header>
<main id="main">
${shown.map(([id, title, part]) => `<section aria-labelledby="${id}"><h2 id="${id}">${escaped(title)}</h2>\n${part}\n</section>`).join('\n')}
</main>`;
  return htmlPage(name, body, version, box);
}

/** The page of a file whose header cannot be used: what verify found. */
export function brokenPage({ path, verified }: BrokenFile, version: string): string {
  const name = basename(path);
  const body = `<header>
<h1>${escaped(name)}</h1>
<p class="bad">The header of the file is damaged, or the file is not as long as it says, so that nothing else can be shown.</p>
</header>
<main id="main">
<section aria-labelledby="verified"><h2 id="verified">Verified</h2>
${verifySection({ verified })}
</section>
</main>`;
  return htmlPage(name, body, version, '');
}

function htmlPage(name: string, body: string, version: string, scripts: string): string {
  const policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="generator" content="hmap ${escaped(version)}">
<title>${escaped(name)}: hmap report</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
${body}
<footer>Made by <code>hmap report</code> ${escaped(version)}. The page loads nothing from anywhere.</footer>
${scripts}
</body>
</html>
`;
}

/** JSON that ends no element of the page. */
function embedded(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

/** A number that a test, or a reader's own script, finds by its name in `hmap stat --json`. */
function figure(value: number, name: string, text: string = grouped(value)): string {
  return `<data value="${value}" data-stat="${name}">${escaped(text)}</data>`;
}

function facts({ path, header, measured, verified }: ReportData): string {
  const { entries, fileBytes } = header;
  const rows: [string, string][] = [
    ['file', `${escaped(path)}`],
    [header.layout === 'bits' ? 'integers' : 'entries', figure(entries, 'entries')],
    ['size', `${humanBytes(fileBytes)} (${figure(fileBytes, 'fileBytes')} bytes)`],
  ];
  if (measured !== undefined) {
    const over = measured.overheadPerEntry;
    rows.push(['over keys and values', `${figure(over, 'overheadPerEntry', over.toFixed(2))} bytes an entry`]);
  }
  if (header.layout === 'hash') {
    const width = header.keyWidth === null ? 'of several lengths' : `${counted(header.keyWidth, 'byte')} each`;
    const print = header.fingerprint;
    const stored = print === null ? width : `not stored: fingerprints of ${print.bits} bits stand for them`;
    rows.push(['keys', `${escaped(header.keyType)}, ${stored}`]);
    rows.push(['hash', `XXH32, seed ${header.hash.seed}`]);
  } else {
    rows.push(['layout', `${header.layout}, integers from ${header.base}, ${grouped(header.length)} of them`]);
  }
  rows.push(['values', escaped(typeText(header))]);
  const { shard, metadata } = header;
  const verdict = verified.ok
    ? '<span class="good">nothing wrong</span>'
    : `<a class="bad" href="#verified">${counted(verified.total, 'finding')}</a>`;
  rows.push(['verified', verdict]);
  if (shard.bits > 0) rows.push(['shard', shardText(header)]);
  if (Object.keys(metadata).length > 0) rows.push(['metadata', `<code>${escaped(JSON.stringify(metadata))}</code>`]);
  return `<dl class="facts">${rows.map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join('')}</dl>`;
}

type Cell = string | { readonly html: string };

/** A table, of which all columns but the first have numbers, unless it says otherwise. */
function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  texts: readonly number[] = [0],
): string {
  const kind = (column: number) => (texts.includes(column) ? '' : ' class="number"');
  const cell = (content: Cell, column: number) => {
    const html = typeof content === 'string' ? escaped(content) : content.html;
    return column === 0
      ? `<th scope="row">${html}</th>`
      : `<td${texts.includes(column) ? ' class="text"' : ' class="number"'}>${html}</td>`;
  };
  const top = head.map((name, i) => `<th scope="col"${kind(i)}>${escaped(name)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('');
  return `<div class="scroll" role="region" aria-label="${escaped(caption)}" tabindex="0"><table><thead><tr>${top}</tr></thead><tbody>${body}</tbody></table></div>`;
}

/** A chart with its figures. */
function chart(caption: string, drawing: string, figures: string, isWide = false): string {
  return `<figure${isWide ? ' class="wide"' : ''}><figcaption>${escaped(caption)}</figcaption>${drawing}<details><summary>Figures: ${escaped(caption.toLowerCase())}</summary>${figures}</details></figure>`;
}

const share = (part: number, all: number) => (all === 0 ? '' : `${((100 * part) / all).toFixed(2)} %`);

function tooDamaged(): string {
  return '<p class="bad">The records are too damaged to be measured; what was verified is below.</p>';
}

function fileSection({ sections, fileBytes, entries }: TableStat): string {
  const parts = SECTIONS.map((name): Part => ({ name, bytes: sections[name] })).filter(({ bytes }) => bytes > 0);
  const rest = parts.filter(({ name }) => name !== 'keys' && name !== 'values');
  const told = (list: readonly Part[], all: number) =>
    list.map(({ name, bytes }) => `${name} ${share(bytes, all)}`).join(', ');
  const swatch = (name: string): Cell => ({
    html: `<span class="swatch swatch-${name}"></span>${escaped(name)}`,
  });
  const rows = parts.map(({ name, bytes }) => [
    swatch(name),
    { html: figure(bytes, `sections.${name}`) },
    share(bytes, fileBytes),
    entries === 0 ? '' : (bytes / entries).toFixed(2),
  ]);
  const restBytes = rest.reduce((sum, { bytes }) => sum + bytes, 0);
  const charts = [
    `<figure class="wide"><figcaption>All of the file</figcaption>${stack('The file, to scale', parts, told(parts, fileBytes))}</figure>`,
    restBytes > 0 && restBytes < fileBytes
      ? `<figure class="wide"><figcaption>All but keys and values, ${humanBytes(restBytes)}</figcaption>${stack('All but keys and values, to scale', rest, told(rest, restBytes))}</figure>`
      : '',
  ];
  return `${charts.join('')}${table('Bytes by section', ['section', 'bytes', 'share', 'an entry'], rows)}`;
}

function memorySection(measured: TableStat): string {
  const { resident, fileBytes } = measured;
  if (resident === null) return `<p>${escaped(memoryText(measured))}.</p>`;
  const text = memoryText(measured);
  const each = fileBytes / resident.map.length;
  const cells = `Each cell is ${humanBytes(each)} of the file, in order; the fuller its colour, the more of it is in memory.`;
  const rows = residentParts(measured).map(([name, bytes, inMemory]) => [
    name,
    grouped(bytes),
    { html: figure(inMemory, `resident.${name}`) },
    share(inMemory, bytes),
  ]);
  const figures = table('Bytes in memory by section', ['section', 'bytes', 'in memory', 'share'], rows);
  const total = figure(resident.total, 'resident.total');
  return `<p>${escaped(text)} (${total} bytes), before this report read it. ${escaped(cells)}</p>${chart('Pages in memory', heatMap('Pages in memory', resident.map, `${cells} ${text}.`), figures, true)}`;
}

function loadSection({ bucketLoads, fullest, entries }: TableStat): string {
  const { buckets, mean, longest, histogram, expected } = bucketLoads;
  const used = Math.min(
    histogram.length,
    Math.max(
      histogram.findLastIndex((count) => count > 0),
      expected.findLastIndex((count) => count >= 0.5),
    ) + 1,
  );
  const label = (load: number) => `${load}${load === histogram.length - 1 ? '+' : ''}`;
  const list = histogram.slice(0, used).map((count, load) => ({ label: label(load), count }));
  const summary = `${grouped(buckets)} buckets hold ${mean.toFixed(2)} records on average, the fullest ${longest}. The line is what chance gives.`;
  const rows = list.map(({ label: name, count }, load) => [
    name,
    { html: figure(count, `bucketLoads.histogram.${load}`) },
    share(count, buckets),
    { html: figure(expected[load]!, `bucketLoads.expected.${load}`, grouped(Math.round(expected[load]!))) },
  ]);
  const figures = table('Buckets by records', ['records', 'buckets', 'share', 'by chance'], rows);
  const drawing = bars('Buckets by records', list, { x: 'records in a bucket', y: 'buckets' }, summary, expected);
  const full = fullest.map(({ index, records, bytes, offset }) => [
    grouped(index),
    grouped(records),
    grouped(bytes),
    grouped(offset),
  ]);
  const fullTable =
    longest > 1
      ? `<h3>The fullest buckets</h3>${table('The fullest buckets', ['bucket', 'records', 'bytes', 'at byte'], full)}`
      : '';
  const text = `${figure(buckets, 'bucketLoads.buckets')} buckets hold ${figure(mean, 'bucketLoads.mean', mean.toFixed(2))} records on average, the fullest ${figure(longest, 'bucketLoads.longest')}. The dots are what chance gives (Poisson’s law).`;
  return `<p>${text}</p>${entries === 0 ? '' : chart('Buckets by records', drawing, figures)}${fullTable}`;
}

function lengthSection({ keys, values, largest, header }: TableStat): string {
  const charts = [
    header.layout === 'hash' && header.fingerprint === null ? lengthChart('Lengths of keys', keys) : '',
    lengthChart('Lengths of values', values),
  ].filter((one) => one !== '');
  const rows = largest.map(({ key, bytes, valueBytes, offset }) => [
    key,
    grouped(bytes),
    grouped(valueBytes),
    grouped(offset),
  ]);
  const large =
    rows.length > 1 ? `<h3>The largest</h3>${table('The largest', ['key', 'bytes', 'value', 'at byte'], rows)}` : '';
  const lengths = (name: string, each: TableStat['keys']) =>
    `${name}: ${each.shortest === each.longest ? `${counted(each.longest, 'byte')} each` : `${range(each.shortest, each.longest, 'byte')}, ${each.mean.toFixed(1)} on average`}`;
  const told =
    header.layout === 'hash' ? [lengths('Keys', keys), lengths('Values', values)] : [lengths('Values', values)];
  if (header.layout === 'bits') return '';
  return `<p>${escaped(told.join('. '))}.</p>${charts.length > 0 ? `<div class="charts">${charts.join('')}</div>` : ''}${large}`;
}

function lengthChart(title: string, { histogram }: TableStat['keys']): string {
  if (histogram.length < 2) return '';
  const ranges = mergedRanges(histogram);
  const list = ranges.map(({ least, most, count }) => ({
    label: least === most ? String(least) : `${least}–${most}`,
    count,
  }));
  const summary = list.map(({ label, count }) => `${label} bytes: ${grouped(count)}`).join(', ');
  const all = list.reduce((sum, { count }) => sum + count, 0);
  const rows = list.map(({ label, count }) => [label, grouped(count), share(count, all)]);
  const figures = table(title, ['bytes', 'entries', 'share'], rows);
  return chart(title, bars(title, list, { x: 'bytes', y: 'entries' }, summary), figures);
}

/** Entries on the page, at most. */
const SHOWN = 30;
/** Bytes of a key that is offered to the box. */
const OFFERED = 60;

function sampleSection({ header, buckets, elements }: ReportData): string {
  if (header.layout !== 'hash') {
    if (elements.length === 0) return '<p>There are none.</p>';
    const rows = elements.map(({ index, value }) =>
      header.layout === 'bits' ? [String(index)] : [String(index), value],
    );
    const head = header.layout === 'bits' ? ['integer'] : ['index', 'value'];
    return `<p>The first ${elements.length === 1 ? 'one' : elements.length}.</p>${table('Elements', head, rows, [0, 1])}`;
  }
  if (header.fingerprint !== null) return '<p>The table stores fingerprints of its keys, not the keys.</p>';
  const records = buckets.flatMap((bucket) => bucket.records).slice(0, SHOWN);
  if (records.length === 0) return header.entries === 0 ? '<p>There are none.</p>' : '<p>None could be read.</p>';
  const isSet = header.valueType === 'none';
  const rows = records.map(({ key, shown, value, offset, bytes }) => {
    const cells: Cell[] = [keyCell(header, key, shown)];
    if (!isSet) cells.push(value);
    return [...cells, grouped(offset), grouped(bytes)];
  });
  const head = ['key', ...(isSet ? [] : ['value']), 'at byte', 'bytes'];
  const told = records.length < header.entries ? 'A sample, from buckets at even distances' : 'All of them';
  return `<p>${told}; a key leads to its lookup, above.</p>${table('Entries', head, rows, isSet ? [0] : [0, 1])}`;
}

function keyCell({ keyType }: HashHeader, hex: string, shown: string): Cell {
  const bytes = Buffer.from(hex, 'hex');
  const text = keyType === 'bytes' ? (isUtf8(bytes) ? bytes.toString() : undefined) : shown;
  // A field of one line has no line ends.
  if (text === undefined || bytes.length > OFFERED || /[\r\n\0]/.test(text))
    return { html: `<code>${escaped(shown)}</code>` };
  return { html: `<button type="button" data-key="${escaped(text)}">${escaped(shown)}</button>` };
}

function lookupSection({ header, buckets }: ReportData): string {
  if (buckets.length === 0) {
    return '<p>In a terminal, <code>hmap explain</code> shows a lookup in this file step by step.</p>';
  }
  const all = header.segments.length * bucketCount(header as HashHeader);
  const some = buckets.length < all ? ` The page has ${grouped(buckets.length)} of ${grouped(all)} buckets.` : '';
  return `<p>Type a key, and see how a lookup finds it, or why it does not.${some}</p>
<form id="lookup-form"><div><label for="key">Key (${escaped(header.keyType)})</label><input id="key" autocomplete="off" autocapitalize="off" spellcheck="false"></div><button type="submit">Look up</button></form>
<div id="answer" role="status" aria-live="polite"></div>`;
}

function boxData({ header, buckets }: ReportData): BoxData {
  const { keyType, keyWidth, hash, shard, segmentBits, bucketBits, eighths } = header;
  return { keyType, keyWidth, seed: hash.seed, shard, segmentBits, bucketBits, eighths, buckets };
}

function verifySection({ verified }: Pick<ReportData, 'verified'>): string {
  const { ok, total, findings, entries } = verified;
  if (ok)
    return `<p><span class="good">Nothing was found wrong</span>: all checksums fit, and ${counted(entries, 'entry', 'entries')} break no rule of the format.</p>`;
  const rows = findings
    .slice(0, SHOWN)
    .map(({ code, section, offset, end, message }) => [
      code,
      section,
      `[${grouped(offset)}, ${grouped(end)})`,
      message,
    ]);
  const more =
    total > rows.length ? `<p>${grouped(total - rows.length)} more; <code>hmap verify</code> prints them.</p>` : '';
  return `<p class="bad">${counted(total, 'finding')}.</p>${table('Findings', ['code', 'section', 'bytes', 'what is wrong'], rows, [0, 1, 2, 3])}${more}`;
}
