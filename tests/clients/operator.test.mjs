// What people do beside the terminal: webhooks and their health, pairing, autopilot, a terminal in
// trouble, and a server that asks for its control token. A headless Chromium on the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { DESKTOP, PHONE, live, refusedCalls, visitors } from './harness/browser.mjs';
import { openWebhook } from './harness/listeners.mjs';
import { SELLERS, bearer } from './harness/merchants.mjs';
import { freshServer } from './harness/server.mjs';
import { terminal } from './harness/terminal.mjs';

const { id: SELLER, device: DEVICE, token: TOKEN } = SELLERS.MLA;

const server = freshServer();
const { open } = visitors(server, { ...DESKTOP, locale: 'es-AR' }, { expects: refusedCalls('/_cobro/v1/') });
let page;
const { ready, show, screen, key, present } = terminal(() => page);

beforeEach(async () => {
  page = await open();
});

async function charge(extra = {}) {
  const path = `/point/integration-api/devices/${DEVICE}/payment-intents`;
  const { status, body } = await server.send('POST', path, { amount: 1500, ...extra }, bearer(TOKEN));
  assert.equal(status, 201, JSON.stringify(body));
}

/** A webhook of the seller, for a test: it answers the first calls, `refusals` many, with an error. */
async function told(t, refusals) {
  const hook = await openWebhook({ refusals });
  t.after(hook.close);
  await server.control('PATCH', `merchants/${SELLER}`, { webhook: { url: hook.url } });
  return hook;
}

/** A charge that is cancelled, which is told to the webhook. */
async function cancelled() {
  await charge();
  await server.control('POST', `terminals/${DEVICE}/fetch`, {});
  await server.control('POST', `terminals/${DEVICE}/cancel`, {});
}

test('the journal shows every attempt, and sends the chosen deliveries again', async (t) => {
  await told(t, 1);
  await page.goto('/console/deliveries');
  await live(page);
  await cancelled();
  const row = page.locator('tbody tr').first();
  await row.locator('.chip', { hasText: 'En espera' }).waitFor();
  await page.locator('td', { hasText: '500' }).first().waitFor();
  await server.control('POST', 'clock/advance', { seconds: 3600 });
  await row.locator('.chip', { hasText: 'Entregada' }).waitFor();
  await row.locator('.row-open').click();
  const attempts = page.locator('.attempt');
  assert.deepEqual(await attempts.locator('summary .chip').allInnerTexts(), ['200', '500']);
  assert.match(await attempts.first().innerText(), /x-signature/);
  await attempts.nth(1).locator('summary').click();
  assert.match(await attempts.nth(1).innerText(), /CANCELED/);
  await page.keyboard.press('Escape');

  await cancelled();
  await page.locator('tbody tr').nth(1).waitFor();
  const button = page.locator('button[name="replay"]');
  assert.equal(await button.isDisabled(), true);
  await page.locator('[name="all"]').check();
  await button.click();
  await page.locator('.toast', { hasText: '2' }).waitFor();
  await page.locator('tbody tr').nth(3).waitFor();
  assert.equal(await page.locator('tbody tr').count(), 4);
  await page.locator('[name="state"]').selectOption('exhausted');
  await page.locator('#empty').waitFor();
});

test('an address shows its health, and leads to its deliveries', async (t) => {
  const hook = await told(t, 0);
  await page.goto('/console/deliveries');
  await page.locator('a[href="/console/endpoints"]').click();
  await page.locator('#empty').waitFor();
  await live(page);
  await cancelled();
  const card = page.locator('.endpoint');
  await card.locator('.chip', { hasText: '100 %' }).waitFor();
  assert.match(await card.innerText(), /\/aviso/);
  await card.locator('a').click();
  await page.locator('#only-url', { hasText: hook.url }).waitFor();
  await page.locator('tbody tr').first().waitFor();
});

test('terminals are paired, and each has a code that leads a phone to it', async () => {
  await page.goto('/console/terminals');
  await page.locator('.device').first().waitFor();
  const before = await page.locator('.spot').count();
  await page.locator('#pair').click();
  await page.locator('#pairing-form [name="count"]').fill('2');
  await page.locator('#pairing-form button[value="pair"]').click();
  const codes = page.locator('.codes .code');
  await codes.nth(1).waitFor();
  // a drawing that was loaded has a size
  await page.waitForFunction(() => [...document.querySelectorAll('.codes img')].every((one) => one.complete && one.naturalWidth > 100));
  await page.locator('#pair-local').waitFor();
  const id = await codes.first().locator('code').innerText();
  await page.locator('[data-step="scan"] .button').click();
  assert.equal(await page.locator('.spot').count(), before + 2);
  await page.locator(`.spot[aria-label="${id}"] .device[data-screen="idle"]`).waitFor();
});

test('the autopilot takes a delay and a card', async () => {
  await show(DEVICE);
  const fields = page.locator('#autopilot');
  assert.equal(await fields.isVisible(), false);
  await page.locator('[name="autopilot"]').check();
  await fields.waitFor();
  await fields.locator('[name="delay"]').fill('0');
  await fields.locator('[name="delay"]').blur();
  const set = page.waitForResponse((response) => response.request().method() === 'PATCH' && response.request().postData().includes('OTHE'));
  await fields.locator('[name="card"]').selectOption({ label: 'OTHE: rechazo general' });
  await set;
  const { autopilot } = await server.control('GET', `terminals/${DEVICE}`);
  assert.deepEqual([autopilot.enabled, autopilot.delay_ms, autopilot.card.holder], [true, 0, 'OTHE']);
  await charge();
  await screen('rejected');
  await page.reload();
  await fields.waitFor();
  assert.match(await fields.locator('[name="card"] option:checked').innerText(), /OTHE/);
});

test('what goes wrong has a screen of its own', async () => {
  await show(DEVICE);
  const take = async (card) => {
    await charge();
    await server.control('POST', `terminals/${DEVICE}/fetch`, {});
    if (card) await server.control('POST', `terminals/${DEVICE}/card`, card);
  };
  await take(null);
  await screen('amount');
  await server.control('POST', 'clock/advance', { seconds: 700 });
  await screen('abandoned');
  await take({ card: { number: '5031433215406351', holder: 'CONT' } });
  await screen('pending');
  await server.control('PUT', 'faults', { acquirer: 'confirmation_required' });
  await server.control('POST', 'clock/advance', { seconds: 8 * 86400 });
  await take({});
  await screen('confirmation_required');
});

test('without paper nothing is printed, and the payment stands', async () => {
  await show(DEVICE);
  await page.locator('[name="paper"]').uncheck();
  await page.locator('.device[data-paper="false"]').waitFor();
  await charge({ additional_info: { print_on_terminal: true } });
  await screen('queued');
  await key('green');
  await screen('amount');
  await present('tap');
  await screen('approved');
  await page.locator('.device .said', { hasText: 'Sin papel' }).waitFor();
  assert.equal(await page.locator('.paper-path').isVisible(), false);
});

test('a server that others can reach asks for its token, and is live with it', async () => {
  const env = { COBRO_CONTROL_TOKEN: 'ficha-de-control' };
  await server.restart({ flags: ['--listen', '0.0.0.0:0'], host: '0.0.0.0', env });
  page = await open();
  await page.goto('/console/terminals');
  const dialog = page.locator('#token-dialog');
  await dialog.waitFor();
  await dialog.locator('input').fill('otra');
  await dialog.locator('button').click();
  await dialog.locator('.wrong').waitFor();
  await dialog.locator('input').fill('ficha-de-control');
  await dialog.locator('button').click();
  await ready();
  await charge();
  await page.locator(`.spot[aria-label="${DEVICE}"] .device[data-screen="queued"]`).waitFor();
});

test('a journal fits a phone: where one is, and lines of one height', async () => {
  await cancelled();
  const { width: wide } = PHONE.viewport;
  const phone = await open(PHONE);
  await phone.goto('/console/events');
  await phone.locator('tbody tr').first().waitFor();
  const heights = await phone.locator('tbody tr').evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
  assert.ok(Math.max(...heights) < 80, `an id breaks over many lines: ${heights}`);
  for (const page of ['events', 'deliveries', 'ledger']) {
    await phone.goto(`/console/${page}`);
    const here = phone.locator('.bar nav [aria-current="page"]');
    await here.waitFor();
    const { x, width } = await here.boundingBox();
    assert.ok(x >= 0 && x + width <= wide, `${page}: from ${x} to ${x + width}`);
    assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), wide);
  }
});

test('a webhook that nobody hears says so in words', async () => {
  const url = 'http://127.0.0.1:9/avisos';
  await server.control('PATCH', `merchants/${SELLER}`, { webhook: { url } });
  await cancelled();
  await page.goto('/console/deliveries');
  await page.locator('tbody td', { hasText: 'Sin conexión' }).first().waitFor();
  await page.goto('/console/endpoints');
  const down = page.locator(`.endpoint[data-url="${url}"]`);
  await down.locator('.chip', { hasText: 'Sin conexión' }).waitFor();
  await down.locator('.chip', { hasText: 'Nada entregado aún' }).waitFor();
});

test('what does not exist is said, with a way back', async () => {
  for (const [path, words, back] of [
    ['/console/terminals/PAX_A910__NADIE', 'Esta terminal no existe', '/console/terminals'],
    ['/console/terminals?world=w_nada', 'Este mundo no existe', '/'],
    ['/console/events?world=w_nada', 'Este mundo no existe', '/'],
  ]) {
    const lost = await open();
    await lost.goto(path);
    await lost.locator('.gone h1', { hasText: words }).waitFor();
    assert.equal(await lost.locator('.gone a').getAttribute('href'), back);
  }
});
