// Tests of what ships as `hmap/remote`: how large it is, that it needs no Node, and that it reads tables over nginx, in Node and in
// Chromium, where these are installed.

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from '../../src/index.js';
import { makeSite } from '../../tools/demo/site.js';
import { type Browser, NO_BROWSER, startBrowser } from '../support/browser.js';
import { runNode } from '../support/child.js';
import { serveFile } from '../support/file-server.js';
import { type Nginx, startNginx } from '../support/nginx.js';
import { NO_NGINX } from '../support/programs.js';
import { PACKAGE_ROOT } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

const folder = temporaryFolder(nodeTest);
const LIB = join(PACKAGE_ROOT, 'dist/lib');
const MOST = 15_000;
const lib = (pattern: RegExp) => readdirSync(LIB).filter((name) => pattern.test(name));

describe('the bundle', () => {
  test('has at most 15 KB minified and gzipped, and asks for no Node', () => {
    const size = gzipSync(readFileSync(join(LIB, 'remote.js')), { level: 9 }).length;
    assert.ok(size <= MOST, `${size} bytes`);
    const all = lib(/^remote.*\.js$/);
    assert.ok(all.length >= 3, 'with what only some tables need in chunks of their own');
    for (const name of all) {
      const text = readFileSync(join(LIB, name), 'utf8');
      assert.doesNotMatch(text, /node:|\brequire\(|\bprocess\.|\bBuffer\.|\b__dirname\b/, name);
    }
  });

  for (const [form, load] of [
    ['import', (name: string) => `await import(${JSON.stringify(join(LIB, `${name}.js`))})`],
    ['require', (name: string) => `require(${JSON.stringify(join(LIB, `${name}.cjs`))})`],
  ] as const) {
    test(`works in Node by ${form}, also for structs and fingerprints`, async () => {
      const value = { struct: { on: 'bool', level: 'u20' } } as const;
      const structs = join(folder, 'structs.hmap');
      await build(structs, [['a', { on: true, level: 5 }]], { value });
      const prints = join(folder, 'prints.hmap');
      await build(
        prints,
        Array.from({ length: 2000 }, (_, i) => [`key ${i}`, i] as const),
        { value: 'u32', fingerprint: 8 },
      );
      await using first = await serveFile(structs);
      await using second = await serveFile(prints);
      const script = `
        const { createRequire } = await import('node:module');
        const require = createRequire('/');
        const { openUrl, HmapError } = ${load('remote')};
        const table = await openUrl(${JSON.stringify(first.url)}, { value: ${JSON.stringify(value)} });
        const prints = await openUrl(${JSON.stringify(second.url)}, { fingerprint: true });
        const missing = await openUrl(${JSON.stringify(`${first.url}`)}, { value: 'u8' }).catch((error) => error);
        console.log(JSON.stringify([await table.get('a'), await prints.get('key 77'), missing instanceof HmapError, missing.code]));
      `;
      const { stdout, stderr } = await runNode(['--input-type=module', '-e', script]);
      assert.equal(stderr, '');
      assert.deepEqual(JSON.parse(stdout), [{ on: true, level: 5 }, 77, true, 'HMAP_VALUE_TYPE']);
    });
  }
});

describe('over nginx', { skip: NO_NGINX }, () => {
  const site = join(folder, 'site');
  let nginx: Nginx;
  before(async () => {
    await makeSite(site);
    nginx = await startNginx(site, join(folder, 'nginx'));
  });
  after(() => nginx?.[Symbol.asyncDispose]());

  test('a table is read, and one that replaces it is noticed', async () => {
    const { openUrl } = await import('../../src/remote/open-url.js');
    const url = `${nginx.url}words.hmap`;
    using table = await openUrl(url, { value: 'u32' });
    const { default: path } = await import('word-list');
    const words = readFileSync(path, 'utf8').split('\n');
    const some = words.filter((_, i) => i % 97 === 0);
    assert.deepEqual(
      await table.getMany(some),
      some.map((_, i) => 97 * i + 1),
    );
    using small = await openUrl(url, { check: 'header' });
    assert.equal(await small.get('zymurgy'), words.indexOf('zymurgy') + 1);
    assert.equal(small.traffic.requests, 3);
    const other = join(folder, 'other.hmap');
    await build(other, [['kiwi', 5]], { value: 'u32' } as BuildOptions<'u32'>);
    copyFileSync(join(site, 'words.hmap'), join(folder, 'kept.hmap'));
    renameSync(other, join(site, 'words.hmap'));
    await assert.rejects(small.get('kiwi'), { code: 'HMAP_REPLACED' });
    renameSync(join(folder, 'kept.hmap'), join(site, 'words.hmap'));
  });

  describe('in Chromium', { skip: NO_BROWSER }, () => {
    let browser: Browser;
    before(async () => {
      browser = await startBrowser();
    });
    after(() => browser?.close());

    test('the demo page looks words up, and shows what that moves', async () => {
      const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
      const said: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(String(error)));
      await page.goto(nginx.url);
      const answer = async (word: string, expected: RegExp) => {
        await page.fill('#word', word);
        await page.focus('#word');
        await page.keyboard.press('Enter');
        for (let i = 0; i < 100; i++) {
          const text = await page.locator('#answer').first().innerText();
          if (expected.test(text)) return;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert.match(await page.locator('#answer').first().innerText(), expected);
      };
      await answer('zymurgy', /word number 2\d\d,\d\d\d/);
      await answer('notaword', /not in the list/);
      const cells = await page.locator('#log').first().innerText();
      assert.match(cells, /zymurgy\s+2\d\d,\d\d\d\s+2\s+[\d,]+/);
      assert.match(cells, /\(the header\)\s+1\s+8,192/);
      const fetched = Number((await page.locator('#fetched').first().innerText()).replaceAll(',', ''));
      assert.ok(fetched > 0 && fetched < 16_384, String(fetched));
      assert.deepEqual(said, []);
      // All other things that a table may need, in the same browser.
      const value = { struct: { on: 'bool', level: 'u20' } } as const;
      await build(join(site, 'structs.hmap'), [['a', { on: true, level: 5 }]], { value });
      await build(join(site, 'prints.hmap'), [['b', 'text']], { value: 'utf8', fingerprint: 16 });
      await build(join(site, 'u64.hmap'), [[2n ** 60n, 'ä€😀'.repeat(30)]], { key: 'u64', value: 'json' });
      const found = await page.evaluate(`(async () => {
        const { openUrl } = await import('./remote.js');
        const of = async (name, key, options) => (await openUrl(new URL(name, location.href), options)).get(key);
        return JSON.stringify([
          await of('structs.hmap', 'a'),
          await of('prints.hmap', 'b', { fingerprint: true }),
          await of('u64.hmap', 2n ** 60n),
          await of('u64.hmap', 5),
          await of('none.hmap', 5).catch((error) => error.code),
        ]);
      })()`);
      const expected = [{ on: true, level: 5 }, 'text', 'ä€😀'.repeat(30), null, 'HMAP_HTTP'];
      assert.deepEqual(JSON.parse(found as string), expected);
      await page.close();
    });

    test('a server of another origin that misbehaves gives clear errors, or right answers', async () => {
      const [a, b] = [join(folder, 'far-a.hmap'), join(folder, 'far-b.hmap')];
      const pairs = (n: number) => Array.from({ length: 30_000 }, (_, i) => [`key ${i}`, i * n] as const);
      for (const [path, n] of [
        [a, 1],
        [b, 2],
      ] as const)
        await build(path, pairs(n), { value: 'u32' });
      const bytes = readFileSync(a);
      await using server = await serveFile(a);
      const page = await browser.newPage({});
      await page.goto(nginx.url);
      const asked = (code: string) =>
        page.evaluate(`(async () => {
          const { openUrl } = await import('./remote.js');
          const open = (options) => openUrl(${JSON.stringify(server.url)}, { retries: 1, timeout: 2000, ...options });
          const outcome = (promise) => promise.catch((error) => error.code ?? String(error));
          ${code}
        })()`);
      assert.equal(await asked("return outcome((await open()).get('key 77'))"), 77);
      // No parts: the whole file, or a refusal.
      server.misbehave((_, response) => response.writeHead(200).end(bytes));
      assert.equal(await asked("return outcome((await open()).get('key 78'))"), 78);
      assert.equal(await asked('return outcome(open({ cacheBytes: 262144 }))'), 'HMAP_NO_RANGES');
      const range = ({ from, end }: { from: number; end: number }) => `bytes ${from}-${end - 1}/${bytes.length}`;
      // A wrong length, once and always.
      let times = 0;
      const short =
        (limit: number): Parameters<typeof server.misbehave>[0] =>
        (request, response, good) => {
          if (times++ >= limit) good();
          else
            response
              .writeHead(206, { 'content-range': range(request) })
              .end(bytes.subarray(request.from, request.end - 3));
        };
      server.misbehave(short(1));
      assert.equal(await asked("return outcome((await open()).get('key 79'))"), 79);
      server.misbehave(short(Number.POSITIVE_INFINITY));
      assert.equal(await asked('return outcome(open())'), 'HMAP_HTTP');
      // A body that is cut.
      times = 0;
      server.misbehave((request, response, good) => {
        if (times++ > 0) return good();
        response.writeHead(206, { 'content-range': range(request), 'content-length': request.end - request.from });
        response.write(bytes.subarray(request.from, request.from + 100));
        setTimeout(() => response.destroy(), 20);
      });
      assert.equal(await asked("return outcome((await open()).get('key 80'))"), 80);
      server.misbehave(undefined);
      // Another file under the name: an error, or a reload.
      await asked("globalThis.strict = await open(); globalThis.following = await open({ onReplaced: 'reload' })");
      server.replace(b);
      const code =
        "return JSON.stringify([await outcome(strict.get('key 81')), await outcome(following.get('key 82'))])";
      assert.deepEqual(JSON.parse((await asked(code)) as string), ['HMAP_REPLACED', 164]);
      // The new bytes under the old ETag, and no other word of it.
      server.misbehave((_, response, good) => {
        response.setHeader('etag', '"stale"');
        good();
      });
      await asked('globalThis.stale = await open()');
      server.replace(a);
      assert.equal(await asked("return outcome(stale.get('key 83'))"), 'HMAP_REPLACED');
      await page.close();
    });
  });
});
