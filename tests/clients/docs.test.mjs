// The documentation, read by hand: a headless Chromium on the pages of the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PHONE, assertFits, visitors } from './harness/browser.mjs';
import { sharedServer } from './harness/server.mjs';

const WIDE = { viewport: { width: 1440, height: 900 } };

const server = sharedServer();
const { open } = visitors(server, { locale: 'en-US' });
let page;

/** A fresh visitor of a page. */
async function visit(path, size = WIDE) {
  page = await open(size);
  await page.goto(path);
}

/** Where the links lead to. */
const targets = (links) => links.evaluateAll((found) => found.map((link) => link.getAttribute('href')));

test('every page of the documentation fits a phone and a desktop', async () => {
  for (const size of [PHONE, WIDE]) {
    await visit('/docs', size);
    const paths = await targets(page.locator('main a[href^="/docs"]'));
    await page.goto('/docs/api');
    const surfaces = await targets(page.locator('main h2 a[href^="/docs/api/"]'));
    assert.ok(paths.length > 15 && surfaces.length >= 3, `${paths} ${surfaces}`);
    for (const path of ['/docs', '/docs/api', ...paths, ...surfaces]) {
      const response = await page.goto(path);
      assert.equal(response.status(), 200, path);
      await assertFits(page);
    }
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
  await page.goto('/docs/api');
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
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.base });
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
  await page.goto('/docs/api/placetopay');
  const [made, session] = await tried('createSession');
  assert.equal(made, '200', JSON.stringify(session));
  await page.goto('/docs/api/control');
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
  assert.ok(x >= 0 && x + width <= PHONE.viewport.width, `from ${x} to ${x + width}`);
});

test('the reference speaks the language that was chosen, here and in the console', async () => {
  await visit('/docs/api');
  for (const [language, title] of [['es', 'Referencia de la API'], ['pt-BR', 'Referência da API'], ['en', 'API reference']]) {
    await page.locator(`.languages [hreflang="${language}"]`).click();
    await page.locator('h1', { hasText: title }).waitFor();
    await page.goto('/');
    assert.equal(await page.locator('html').getAttribute('lang'), language);
    await page.locator('.actions a[href="/docs/api"]').click();
    await page.locator('h1', { hasText: title }).waitFor();
  }
});

test('every OpenAPI document is valid', async () => {
  const { Validator } = await import('@seriousme/openapi-schema-validator');
  await visit('/docs/api');
  const links = await targets(page.locator('main h2 a'));
  const paths = new Set(links.map((link) => `${link.replace('/docs/api/', '/openapi/')}.json`));
  assert.ok(paths.size >= 3);
  for (const path of ['/openapi.json', ...paths]) {
    const result = await new Validator().validate(await server.call('GET', path));
    assert.ok(result.valid, `${path}: ${JSON.stringify(result.errors)}`);
  }
  const broken = await new Validator().validate({ openapi: '3.1.0', info: {}, paths: {} });
  assert.equal(broken.valid, false);
});
