// Tests `hmap report`: that the page says what the file is, holds nothing that a browser would fetch or obey, and, in
// Chromium where there is one, that its numbers are those of `hmap stat --json`, its box explains lookups, and nothing
// stands in the way of people with a keyboard or a screen reader.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build, inspectKey, type KeyForm, type ValueChoice } from '../../src/index.js';
import { type Browser, NO_BROWSER, type Page, type PageOptions, startBrowser } from '../support/browser.js';
import { contentOf, temporaryFolder } from '../support/temp.js';
import { assertRefused, fine, hmap, libraryTable } from '../support/tools.js';

const folder = temporaryFolder(nodeTest);

const table = (entries: Iterable<unknown>, options: BuildOptions<ValueChoice, KeyForm>) =>
  libraryTable(folder, entries, options);

/** The page of a file. */
async function reportOf(path: string, code = 0): Promise<{ file: string; html: string }> {
  const file = `${path}.html`;
  const ran = await hmap(['report', path, '-o', file, '--force']);
  assert.equal(ran.code, code, ran.stderr);
  assert.match(ran.stderr, /\.html: [\d.]+ KiB\n$/);
  return { file, html: readFileSync(file, 'utf8') };
}

const words = Array.from({ length: 3000 }, (_, i) => [`word ${i}`, `${'v'.repeat(i % 40)} ${i % 7}`]);

/** Files of every kind, and what their pages have to say. */
async function samples(): Promise<Record<string, { path: string; code?: number; says: RegExp[] }>> {
  const damaged = await table(words, { value: 'utf8' });
  const copy = readFileSync(damaged);
  // In a value, which only its checksum tells.
  copy[inspectKey(damaged, 'word 39').record!.valueOffset]! ^= 4;
  writeFileSync(damaged, copy);
  const ruined = await table(words, { value: 'utf8' });
  writeFileSync(ruined, readFileSync(ruined).fill(0xff, 4096, 9000));
  const short = await table(words, { value: 'utf8' });
  writeFileSync(short, readFileSync(short).subarray(0, 9000));
  const list = join(folder, 'list.hmap');
  await build(list, ['a', '', 'ccc'.repeat(99)], { layout: 'list', value: 'utf8', base: 7 });
  const bits = join(folder, 'bits.hmap');
  await build(bits, [3, 5, 90], { layout: 'bits' });
  return {
    texts: {
      path: await table(words, { value: 'utf8', metadata: { '<b>': '"&' } }),
      says: [/>3,000<\/data>/, /nothing wrong/],
    },
    empty: { path: await table([], { value: 'json' }), says: [/>0<\/data>/, /There are none\./] },
    one: { path: await table([['only', 7]], { value: 'u8' }), says: [/data-key="only"/] },
    set: { path: await table(['a', 'b'], { value: 'none' }), says: [/data-key="a"/] },
    integers: {
      path: await table(
        [
          [5n, 'x'],
          [2n ** 60n, 'y'],
        ],
        { value: 'enum', key: 'u64' },
      ),
      says: [/enum of 2 distinct strings/],
    },
    markup: {
      path: await table([['<script>alert(1)</script>', '</script><img src=x onerror=alert(1)>']], { value: 'utf8' }),
      says: [/&#60;script&#62;alert/],
    },
    fingerprints: {
      path: await table(words, { value: 'utf8', fingerprint: 16 }),
      says: [/fingerprints of 16 bits stand for them/],
    },
    list: { path: list, says: [/list, integers from 7, 3 of them/, /297 bytes/] },
    bits: { path: bits, says: [/bits, integers from 0/, />90</] },
    damaged: { path: damaged, code: 1, says: [/HMAP_BLOCK_CHECKSUM/, />3,000<\/data>/, /1 finding/] },
    ruined: { path: ruined, code: 1, says: [/too damaged to be measured/, /HMAP_/] },
    short: { path: short, code: 1, says: [/The header of the file is damaged, or/, /HMAP_TRUNCATED/] },
  };
}

describe('hmap report', () => {
  test('shows files of every kind, and holds nothing that a browser would fetch or obey', async () => {
    for (const [name, { path, code, says }] of Object.entries(await samples())) {
      const { html } = await reportOf(path, code);
      for (const one of says) assert.match(html, one, name);
      // Values may say anything, as text.
      if (name !== 'markup') assert.doesNotMatch(html, /https?:|src=|@import|url\(/i, name);
      assert.doesNotMatch(html, /<link|<[^>]* (?:src|onerror)=/i, name);
      // Its own scripts, and no element of a value.
      assert.equal(html.match(/<script/g)?.length ?? 0, html.includes('id="lookup-data"') ? 2 : 0, name);
      assert.doesNotMatch(html, /<img|<b>/, name);
      assert.match(html, /^<!doctype html>\n<html lang="en">/);
      for (const [, id] of html.matchAll(/href="#([^"]+)"/g)) assert.ok(html.includes(`id="${id}"`), `${name}: #${id}`);
      const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
      assert.equal(new Set(ids).size, ids.length, `${name}: an id stands twice`);
    }
  });

  test('is the same for the same file, and replaces a page only if told to', async () => {
    const path = await table(words, { value: 'utf8' });
    const { file, html } = await reportOf(path);
    assert.equal((await reportOf(path)).html, html);
    const before = contentOf(folder);
    assertRefused(await hmap(['report', path, '-o', file]), /exists; --force replaces it/);
    assertRefused(await hmap(['report', path, '-o', path, '--force']), /it is the table/);
    assertRefused(
      await hmap(['report', join(folder, 'missing.hmap'), '-o', join(folder, 'new.html')]),
      /cannot open .*missing\.hmap: no such file/,
    );
    assertRefused(await hmap(['report', path, '-o', join(folder, 'no', 'new.html')]), /no such file or folder/);
    assertRefused(await hmap(['report', path, '-o', '-']), /--output: expected a file/);
    assert.deepEqual(contentOf(folder), before);
  });
});

describe('in a browser', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  /** Opens a page, which must say nothing on the console and ask for nothing. */
  async function opened(file: string, options: PageOptions, use: (page: Page) => Promise<void>) {
    const page = await browser.newPage(options);
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) said.push(request.url());
    });
    try {
      await page.goto(pathToFileURL(file).href);
      await use(page);
      assert.deepEqual(said, []);
    } finally {
      await page.close();
    }
  }

  /** Nothing serious, in either theme, on a desk and on a phone; nothing wider than the screen. */
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  async function assertAccessible(page: Page, what: string): Promise<void> {
    const found = (await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`)) as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(
      serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`),
      [],
      what,
    );
    const wider = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    assert.ok(Number(wider) <= 0, `${what}: ${wider} pixels too wide`);
  }

  test('files of every kind are shown without a complaint, wide and narrow, light and dark', async () => {
    for (const [name, { path, code }] of Object.entries(await samples())) {
      const { file } = await reportOf(path, code);
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [1200, 390]) {
          await opened(file, { colorScheme, viewport: { width, height: 900 } }, async (page) => {
            // What is folded is checked, too.
            await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
            await assertAccessible(page, `${name}, ${colorScheme}, ${width}`);
          });
        }
      }
    }
  });

  test('the numbers are those of hmap stat --json', async () => {
    for (const value of ['utf8', 'enum'] as const) {
      const path = await table(words, { value });
      const measured = JSON.parse((await fine(['stat', '--json', path])).stdout);
      const { file } = await reportOf(path);
      await opened(file, {}, async (page) => {
        const figures = (await page.evaluate(
          "Array.from(document.querySelectorAll('data[data-stat]'), (each) => [each.dataset.stat, each.value, each.textContent])",
        )) as [string, string, string][];
        assert.ok(figures.length > 30);
        for (const [name, shown, text] of figures) {
          const wanted = name.split('.').reduce((part, step) => part[step], measured);
          assert.equal(Number(shown), wanted, name);
          const digits = Number(text.replaceAll(',', ''));
          assert.ok(Math.abs(digits - wanted) <= 0.5, `${name}: ${text} for ${wanted}`);
        }
        for (const [section, bytes] of Object.entries(measured.sections)) {
          if (bytes !== 0)
            assert.ok(
              figures.some(([name]) => name === `sections.${section}`),
              section,
            );
        }
      });
    }
  });

  test('a key that is typed is looked up, by keyboard alone', async () => {
    const path = await table(words, { value: 'utf8' });
    const { file } = await reportOf(path);
    await opened(file, {}, async (page) => {
      const answer = page.locator('#answer');
      const offered = (await page.locator('button[data-key]').first().getAttribute('data-key'))!;
      await page.focus('#key');
      await page.keyboard.type(offered);
      await page.keyboard.press('Enter');
      const value = words.find(([key]) => key === offered)![1]!;
      assert.ok((await answer.innerText()).includes(`Found: "${value}`));
      const { record, bucket } = inspectKey(path, offered);
      assert.ok((await answer.innerText()).includes(`at byte ${record!.offset}: this is the one.`));
      assert.ok((await answer.innerText()).includes(`bytes [${bucket!.start}, ${bucket!.end})`));
      await page.fill('#key', `${offered}x`);
      await page.keyboard.press('Enter');
      assert.match(await answer.innerText(), /Not found: (its bucket is empty|no record)|only a sample/);
      await page.locator('button[data-key]').nth(2).focus();
      await page.keyboard.press('Enter');
      assert.match(await answer.innerText(), /Found: "/);
      await page.keyboard.press('Home');
    });
  });

  test('keys of other types are looked up as the library does it', async () => {
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    const kinds: [KeyForm, key: unknown, text: string, wrong: string][] = [
      ['u32', 4_000_000_000, '4000000000', '-1'],
      ['u64', 2n ** 63n, String(2n ** 63n), 'x'],
      ['i64', -5n, '-5', '9223372036854775808'],
      ['uuid', uuid, uuid.toUpperCase(), uuid.slice(1)],
      ['hex', 'c0ffee', 'C0FFEE', 'c0f'],
      ['string', 'Zürich 🗺', 'Zürich 🗺', 'zürich'],
    ];
    for (const [key, name, text, wrong] of kinds) {
      const { file } = await reportOf(await table([[name, 42]], { value: 'u8', key }));
      await opened(file, {}, async (page) => {
        for (const [typed, verdict] of [
          [text, /Found: 42/],
          [wrong, /Not found/],
        ] as const) {
          await page.fill('#key', typed);
          await page.keyboard.press('Enter');
          assert.match(await page.locator('#answer').innerText(), verdict, `${key}: ${typed}`);
        }
      });
    }
  });

  test('on paper, figures that were folded are there, and the box is not', async () => {
    const { file } = await reportOf(await table(words, { value: 'utf8' }));
    await opened(file, {}, async (page) => {
      await page.emulateMedia({ media: 'print' });
      await page.evaluate("dispatchEvent(new Event('beforeprint'))");
      assert.equal(await page.locator('details table').first().isVisible(), true);
      assert.equal(await page.locator('#lookup-form').isVisible(), false);
      const pdf = await page.pdf();
      assert.ok(pdf.length > 10_000);
    });
  });
});
