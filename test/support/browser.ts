// Chromium, driven by playwright-core, where it is installed. Knows no pages.

import { existsSync } from 'node:fs';

// What is used of playwright-core, whose own types need those of browsers, which this project does not have.
export interface Locator {
  first(): Locator;
  nth(index: number): Locator;
  innerText(): Promise<string>;
  getAttribute(name: string): Promise<string | null>;
  focus(): Promise<void>;
  isVisible(): Promise<boolean>;
}
export interface Page {
  readonly keyboard: { type(text: string): Promise<void>; press(key: string): Promise<void> };
  on(event: string, act: (what: { text(): string; url(): string }) => void): void;
  goto(url: string): Promise<unknown>;
  evaluate(code: string): Promise<unknown>;
  locator(selector: string): Locator;
  focus(selector: string): Promise<void>;
  fill(selector: string, text: string): Promise<void>;
  emulateMedia(options: { media: 'print' }): Promise<void>;
  pdf(): Promise<Buffer>;
  close(): Promise<void>;
}
export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { width: number; height: number };
}
export interface Browser {
  newPage(options: PageOptions): Promise<Page>;
  close(): Promise<void>;
}
interface Playwright {
  readonly chromium: { launch(options: { executablePath: string; args: readonly string[] }): Promise<Browser> };
}
const PLAYWRIGHT: string = 'playwright-core';

const CHROMIUM = process.env.HMAP_TEST_BROWSER ?? '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM) || process.env.HMAP_EXPECT_BROWSER === '1';

/** What node:test takes as `skip`. */
export const NO_BROWSER = isThere ? false : `no ${CHROMIUM}`;

const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

export async function startBrowser(): Promise<Browser> {
  const { chromium } = (await import(PLAYWRIGHT)) as Playwright;
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}
