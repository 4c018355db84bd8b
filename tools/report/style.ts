// How a report looks: on screens wide and narrow, light and dark, and in print. Knows the classes that page.ts and
// charts.ts use.

/** Each colour has at least 3:1 against the page, and text at least 4.5:1. */
export const STYLE = `
:root { color-scheme: light dark; --page: #ffffff; --panel: #f5f6f8; --text: #1b1e24; --soft: #555c68; --rule: #d5d9df; --link: #0b57c4; --bar: #2563b0; --expected: #b8430f; --warm: #b8430f; --cell: #e3e6ea; --good: #1a6b34; --bad: #b3261e;
  --header: #5b6470; --keys: #2563b0; --values: #b8430f; --prefixes: #7146b5; --dictionary: #9c2f6b; --fingerprints: #00707a; --buckets: #1a7a42; --checksums: #8a6a00; --padding: #7d8590; }
@media (prefers-color-scheme: dark) { :root { --page: #14171c; --panel: #1d2128; --text: #e8eaee; --soft: #a9b1bd; --rule: #39404a; --link: #8ab8ff; --bar: #6ea6ee; --expected: #ff9a62; --warm: #ff9a62; --cell: #2b313a; --good: #74cf8f; --bad: #ff8f86;
  --header: #9aa4b2; --keys: #6ea6ee; --values: #ff9a62; --prefixes: #b394f0; --dictionary: #ef86bd; --fingerprints: #4fc3cd; --buckets: #6ccf91; --checksums: #dcb94a; --padding: #8d96a3; } }
* { box-sizing: border-box; }
html { background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100%; }
body { max-width: 68rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 0.5rem; border-bottom: 1px solid var(--rule); padding-bottom: 0.25rem; }
h3 { font-size: 1rem; margin: 1rem 0 0.25rem; }
p { margin: 0.5rem 0; max-width: 46rem; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, input:focus-visible, button:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; background: var(--page); padding: 0.5rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; margin: 0.5rem 0; list-style: none; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 1rem 0; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem 2rem; }
figure { margin: 0.5rem 0; } figcaption { font-weight: 600; margin-bottom: 0.25rem; }
svg { display: block; width: 100%; height: auto; max-width: 40rem; font: 11px system-ui, sans-serif; }
.wide svg { max-width: none; }
svg .tick, svg .axis { fill: var(--soft); } svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .bar { fill: var(--bar); } svg path.expected { fill: none; stroke: var(--expected); stroke-width: 1.5; } svg circle.expected { fill: var(--expected); }
svg .cell { fill: var(--cell); } svg .warm { fill: var(--warm); }
${['header', 'keys', 'values', 'prefixes', 'dictionary', 'fingerprints', 'buckets', 'checksums', 'padding'].map((part) => `svg .part-${part} { fill: var(--${part}); } .swatch-${part} { background: var(--${part}); }`).join('\n')}
.swatch { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; border-radius: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.5rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.2rem 0.9rem 0.2rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { font-weight: 600; } td.number, th.number { text-align: right; white-space: nowrap; }
td.text { overflow-wrap: anywhere; min-width: 8rem; font-family: ui-monospace, monospace; font-size: 0.875rem; }
details { margin: 0.25rem 0; } summary { cursor: pointer; color: var(--link); padding: 0.25rem 0; }
code, pre, kbd { font-family: ui-monospace, monospace; font-size: 0.9em; overflow-wrap: anywhere; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.soft { color: var(--soft); }
form { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; margin: 0.75rem 0; }
label { display: block; font-weight: 600; }
input { font: inherit; padding: 0.4rem 0.6rem; min-width: min(20rem, 80vw); background: var(--page); color: var(--text); border: 1px solid var(--soft); border-radius: 4px; }
button { font: inherit; padding: 0.4rem 0.9rem; min-height: 2.4rem; background: var(--panel); color: var(--text); border: 1px solid var(--soft); border-radius: 4px; cursor: pointer; }
td button, th button { min-height: 1.75rem; padding: 0.05rem 0.6rem; font-size: 0.875rem; font-family: ui-monospace, monospace; text-align: left; overflow-wrap: anywhere; }
#answer { background: var(--panel); border-radius: 6px; padding: 0.25rem 1rem; margin: 0.5rem 0; } #answer:empty { display: none; }
#answer ol { padding-left: 1.25rem; }
footer { margin: 3rem 0 1rem; color: var(--soft); border-top: 1px solid var(--rule); padding-top: 0.5rem; }
@media (max-width: 40rem) { svg { font-size: 14px; } dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: 0.5rem; } }
@media print { :root { --page: #ffffff; --panel: #f5f6f8; --text: #000000; --soft: #444444; --rule: #bbbbbb; } nav, form, .skip { display: none; } body { max-width: none; padding: 0; } figure, tr { break-inside: avoid; } h2 { break-after: avoid; } svg, rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; } summary { display: none; } }
`;
