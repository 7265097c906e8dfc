// A headless Chromium on a server's pages. Nothing waits for a time: a step waits for what a person
// would see.

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { chromium } from 'playwright-core';

import { needed } from './server.mjs';

/** How long a step may wait for what it is about. */
const STEP_MS = 10000;

export const DESKTOP = { viewport: { width: 1280, height: 860 } };
export const PHONE = { viewport: { width: 390, height: 844 } };
export const TOUCH = { ...PHONE, hasTouch: true, isMobile: true };

/**
 * The visitors of a server's pages, with these habits (options of a browser's context). At the end
 * of a test they leave, and a fault of any page fails it: what a script throws or a policy blocks,
 * a file that is missing, a request to somebody who is not in `neighbours`. An error of the console
 * that `expects` knows is none.
 */
export function visitors(server, habits, { neighbours = () => [], expects = () => false } = {}) {
  const contexts = [];
  const faults = [];
  let launched;

  before(async () => {
    const executablePath = needed('COBRO_CHROMIUM');
    launched = chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
    await launched;
  });

  // Where another hook has failed, this one may come before the browser is there.
  after(async () => {
    await (await launched)?.close();
  });

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    assert.deepEqual(faults.splice(0), []);
  });

  /** A page of a fresh visitor. */
  async function open(options = {}) {
    const browser = await launched;
    const context = await browser.newContext({ baseURL: server.base, reducedMotion: 'reduce', ...habits, ...options });
    contexts.push(context);
    context.setDefaultTimeout(STEP_MS);
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !expects(message)) faults.push(message.text());
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      const from = protocol === 'data:' ? protocol : origin;
      if (![server.base, ...neighbours()].includes(from)) faults.push(`loads ${request.url()}`);
    });
    return page;
  }

  /** Takes back the faults so far that say `words`: the test has provoked them. */
  function forgive(words) {
    faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes(words)));
  }

  return { open, forgive };
}

/** Knows the console's line for a refused call: the test that provokes one looks at the page. */
export const refusedCalls = (...paths) => (message) => paths.some((path) => message.location().url.includes(path));

/** Waits until a page hears of what happens. */
export const live = (page) => page.locator('#pulse[data-state="live"]').waitFor();

/** Nothing is wider than the window. */
export async function assertFits(page) {
  const [content, width] = [await page.evaluate('document.documentElement.scrollWidth'), page.viewportSize().width];
  assert.ok(content <= width, `${page.url()}: ${content} > ${width}`);
}
