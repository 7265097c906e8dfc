// The documentation, read by hand: a headless Chromium on the pages of the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const STEP_MS = 10000;
const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

let server;
let base;
let browser;
let page;
let faults = [];

before(async () => {
  const { COBRO_BIN: binary, COBRO_CHROMIUM: executablePath } = process.env;
  assert.ok(binary && executablePath, 'COBRO_BIN and COBRO_CHROMIUM must be set');
  server = spawn(binary, ['serve', '--port', '0', '--ephemeral'], { stdio: ['ignore', 'pipe', 'inherit'] });
  base = await new Promise((resolve, reject) => {
    createInterface({ input: server.stdout }).on('line', (line) => {
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
      if (match) resolve(match[0]);
    });
    server.once('exit', (code) => reject(new Error(`cobro ended with ${code} before it listened`)));
  });
  browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
});

after(async () => {
  await browser?.close();
  if (server && server.exitCode === null) {
    server.kill();
    await once(server, 'exit');
  }
});

afterEach(async () => {
  await page?.context().close();
  page = null;
  assert.deepEqual(faults, []);
});

/** A page of a fresh visitor; what goes wrong on it is kept. */
async function visit(path, viewport = WIDE) {
  faults = [];
  const context = await browser.newContext({ locale: 'en-US', reducedMotion: 'reduce', viewport });
  context.setDefaultTimeout(STEP_MS);
  page = await context.newPage();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== base) faults.push(`loads ${request.url()}`);
  });
  await page.goto(base + path);
}

/** Nothing is wider than the window. */
async function fits() {
  const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= width, `${page.url()}: ${content} > ${width}`);
}

test('every page of the documentation fits a phone and a desktop', async () => {
  for (const viewport of [PHONE, WIDE]) {
    await visit('/docs', viewport);
    const paths = await page.locator('main a[href^="/docs"]').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    await page.goto(`${base}/docs/api`);
    const surfaces = await page.locator('main h2 a[href^="/docs/api/"]').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    assert.ok(paths.length > 15 && surfaces.length >= 3, `${paths} ${surfaces}`);
    for (const path of ['/docs', '/docs/api', ...paths, ...surfaces]) {
      const response = await page.goto(base + path);
      assert.equal(response.status(), 200, path);
      await fits();
    }
    await page.context().close();
  }
});

test('a call is found with the keyboard alone', async () => {
  await visit('/docs/api');
  await page.locator('.search').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('post queue payment-intents');
  const rows = page.locator('.rows li:not([hidden])');
  assert.equal(await rows.count(), 1);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/docs\/api\/mercadopago#createPaymentIntent$/);
  await page.locator('.side a[aria-current]', { hasText: 'Queue a payment intent on a terminal' }).waitFor();
  await page.goto(`${base}/docs/api`);
  await page.locator('#search').fill('no such words');
  await page.locator('#none').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#none').waitFor({ state: 'hidden' });
});

test('on a phone the list is closed until it is wanted, and after a choice', async () => {
  await visit('/docs/api/mercadopago', PHONE);
  const list = page.locator('.side-body');
  await list.waitFor({ state: 'hidden' });
  await page.locator('.side > summary').click();
  await page.locator('.side a[href="#listDevices"]').click();
  await list.waitFor({ state: 'hidden' });
  assert.match(page.url(), /#listDevices$/);
});

test('a command is copied', async () => {
  await visit('/docs/api/mercadopago');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
  const button = page.locator('#createPaymentIntent .copy');
  await button.click();
  await button.filter({ hasText: 'Copied' }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^curl "http:.*\/payment-intents" \\\n/);
});

/** Opens the form of a call, sends it, and answers the status and the body. */
async function tried(id, fill = async () => {}) {
  const trial = page.locator(`#${id} .trial`);
  await trial.locator('summary').click();
  await fill(trial);
  await trial.locator('form button').click();
  await trial.locator('.trial-answer .chip').waitFor();
  const text = await trial.locator('.trial-answer pre').innerText();
  return [await trial.locator('.trial-answer .chip').innerText(), JSON.parse(text)];
}

test('calls are tried on the page, with each way to say who calls', async () => {
  await visit('/docs/api/mercadopago');
  const [status, intent] = await tried('createPaymentIntent');
  assert.equal(status, '201');
  const [, read] = await tried('readPaymentIntent', (trial) => trial.locator('[name="payment_intent_id"]').fill(intent.id));
  assert.deepEqual([read.id, read.state], [intent.id, 'OPEN']);
  await page.goto(`${base}/docs/api/placetopay`);
  const [made, session] = await tried('createSession');
  assert.equal(made, '200', JSON.stringify(session));
  await page.goto(`${base}/docs/api/control`);
  const [shown, terminal] = await tried('showTerminal');
  assert.deepEqual([shown, terminal.intent.id], ['200', intent.id]);
  const trial = page.locator('#removeWorld .trial');
  await trial.locator('summary').click();
  await trial.locator('form button').click();
  assert.match(await trial.locator('.trial-answer .notice').innerText(), /id/);
});

test('an answer that is tried fits a phone', async () => {
  await visit('/docs/api/mercadopago', PHONE);
  await tried('readIntegrators');
  const { x, width } = await page.locator('#readIntegrators .trial-answer').boundingBox();
  assert.ok(x >= 0 && x + width <= PHONE.width, `from ${x} to ${x + width}`);
});

test('the reference speaks the language that was chosen, here and in the console', async () => {
  await visit('/docs/api');
  for (const [language, title] of [['es', 'Referencia de la API'], ['pt-BR', 'Referência da API'], ['en', 'API reference']]) {
    await page.locator(`.languages [hreflang="${language}"]`).click();
    await page.locator('h1', { hasText: title }).waitFor();
    await page.goto(`${base}/`);
    assert.equal(await page.locator('html').getAttribute('lang'), language);
    await page.locator('.actions a[href="/docs/api"]').click();
    await page.locator('h1', { hasText: title }).waitFor();
  }
});

test('every OpenAPI document is valid', async () => {
  const { Validator } = await import('@seriousme/openapi-schema-validator');
  await visit('/docs/api');
  const paths = new Set();
  for (const link of await page.locator('main h2 a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))) {
    paths.add(link.replace('/docs/api/', '/openapi/') + '.json');
  }
  assert.ok(paths.size >= 3);
  for (const path of ['/openapi.json', ...paths]) {
    const document = await (await fetch(base + path)).json();
    const result = await new Validator().validate(document);
    assert.ok(result.valid, `${path}: ${JSON.stringify(result.errors)}`);
  }
  const broken = await new Validator().validate({ openapi: '3.1.0', info: {}, paths: {} });
  assert.equal(broken.valid, false);
});
