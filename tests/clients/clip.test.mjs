// Clip's way of working at the virtual terminal: a list of pending charges for who is signed in, a
// tip, months without interest, a card, a receipt. A headless Chromium on the real binary's pages.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//   COBRO_PICTURES  a directory for pictures of what is shown, where some are wanted
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';

import { DESKTOP, PHONE, assertFits, live, refusedCalls, visitors } from './harness/browser.mjs';
import { CLIP } from './harness/merchants.mjs';
import { freshServer } from './harness/server.mjs';
import { terminal } from './harness/terminal.mjs';

const TERMINAL = 'CLIP_PRO__P8220000001';
const CASHIER = 'caja1@cafecentral.example';

const server = freshServer();
const { open } = visitors(server, { ...DESKTOP, locale: 'es-MX' }, { expects: refusedCalls('/_cobro/v1/') });
let page;
const { show, screen, key, present } = terminal(() => page);

beforeEach(async () => {
  page = await open();
});

const api = (method, path, body) => server.call(method, path, body, { 'x-api-key': CLIP });

const register = async (amount, message, extra = {}) =>
  (await api('POST', '/paymentrequest', { amount, reference: message, message, ...extra })).payment_request_code;
const charge = (code) => api('GET', `/paymentrequest/${code}`);
const payment = (id) => api('GET', `/payments/${id}`);

const digit = (name) => page.locator(`.device [data-digit="${name}"]`).click();
const view = () => page.locator('.device [data-role="view"]').innerText();
const listed = (count) => page.locator('.queue li').nth(count - 1).waitFor();

/** Keeps a picture where some are wanted. */
const picture = async (name) => {
  const { COBRO_PICTURES: directory } = process.env;
  if (directory) await page.screenshot({ path: join(directory, `${name}.png`) });
};

test('a charge is picked from the list, tipped, split into months and paid', async () => {
  await show(TERMINAL);
  await screen('idle');
  await picture('idle');
  await register(45, 'Mesa 1');
  const code = await register('600.00', 'Mesa 4', { assigned_user: CASHIER });
  await register(10, 'De otra persona', { assigned_user: 'caja2@cafecentral.example' });
  await screen('list');
  await listed(2);
  await picture('list');
  assert.match(await view(), /Mesa 1/);
  assert.doesNotMatch(await view(), /De otra persona/);
  await digit(2);
  await screen('tip');
  await picture('tip');
  assert.match(await view(), /15 %\s+\$90.00/);
  await digit(2);
  await screen('months');
  await picture('months');
  assert.match(await view(), /3 × \$230.00/);
  await digit(2);
  await screen('amount');
  await picture('amount');
  assert.match(await page.locator('.device [data-role="amount"]').innerText(), /690.00/);
  await present('insert');
  await screen('approved');
  await key('green');
  await page.locator('.paper .slip').waitFor();
  await picture('approved');
  const slip = await page.locator('.paper .slip').innerText();
  assert.match(slip, /690.00/);
  assert.match(slip, /90.00/);
  const paid = await charge(code);
  assert.equal(paid.statusMsg, 'COMPLETED');
  const { amount, tip_amount: tip, installments, paid_amount: whole } = await payment(paid.transactionId);
  assert.deepEqual({ amount, tip, installments, whole }, { amount: 600, tip: 90, installments: 3, whole: 690 });
  await screen('approved');
  await key('green');
  // what is left of the list is shown again
  await screen('list');
  assert.match(await view(), /Mesa 1/);
});

test('a declined card is followed by another; a touch picks as a key does', async () => {
  const code = await register(80, 'Barra');
  await show(TERMINAL);
  await screen('list');
  await page.locator('.queue [data-pick="1"]').click();
  await screen('tip');
  await key('green');
  await screen('amount');
  await page.locator('[data-role="picker"]').selectOption({ label: 'Fondos insuficientes •••• 2952' });
  await present('tap');
  await screen('rejected');
  assert.match(await view(), /Fondos insuficientes/);
  await picture('declined');
  assert.equal((await charge(code)).statusMsg, 'DECLINED');
  await key('green');
  await screen('amount');
  await page.locator('[data-role="picker"]').selectOption('0');
  await present('tap');
  await screen('approved');
  assert.equal((await charge(code)).statusMsg, 'COMPLETED');
});

test('who is signed in, and the setting of the device, decide what is shown', async () => {
  await register(20, 'Para la otra caja', { assigned_user: 'caja2@cafecentral.example' });
  await show(TERMINAL);
  await screen('idle');
  await page.locator('#settings [name="cashier"]').fill('caja2@cafecentral.example');
  await page.locator('#settings [name="cashier"]').press('Enter');
  await screen('list');
  assert.match(await view(), /Para la otra caja/);
  await page.locator('#settings [name="b2b"]').uncheck();
  await screen('closed');
  await picture('closed');
  await page.locator('#settings [name="b2b"]').check();
  await screen('list');
});

test('the page is a point of sale too, and a charge that is given up is cancelled', async () => {
  await show(TERMINAL);
  await page.locator('#charge [name="amount"]').fill('99,50');
  await page.locator('#charge [name="message"]').fill('Desde la página');
  await page.locator('#charge button.primary').click();
  await screen('list');
  assert.match(await view(), /Desde la página/);
  await key('green');
  await screen('tip');
  await key('red');
  await screen('canceled');
  const { transactions } = await api('GET', '/paymentrequest');
  assert.equal(transactions[0].statusMsg, 'CANCELLED');
  assert.equal(transactions[0].amount, 99.5);
});

test('all terminals side by side show the list without a reload', async () => {
  await page.goto('/console/terminals');
  const place = page.getByRole('article', { name: TERMINAL });
  await place.waitFor();
  await live(page);
  await register(20, 'Para todas');
  await place.locator('.device[data-screen="list"]').waitFor();
  await picture('terminals');
});

test('it fits a telephone, and speaks three languages', async () => {
  for (const [locale, words] of [['es-MX', /Cobros pendientes/], ['pt-BR', /Cobranças pendentes/], ['en', /Pending charges/]]) {
    page = await open({ ...PHONE, locale });
    if (locale === 'es-MX') for (let n = 1; n <= 11; n += 1) await register(n * 1000, `Mesa ${n} con un texto que es demasiado largo para una línea`);
    await show(TERMINAL);
    await screen('list');
    assert.match(await view(), words);
    await picture(`phone-${locale}`);
    await assertFits(page);
  }
});
