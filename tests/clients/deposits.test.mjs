// Deposits in the console: a headless Chromium on the pages of the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { DESKTOP, PHONE, assertFits, live, refusedCalls, visitors } from './harness/browser.mjs';
import { clipPair } from './harness/merchants.mjs';
import { sharedServer } from './harness/server.mjs';

const CARD = '5177136199824515';

const server = sharedServer();
const { open } = visitors(server, { ...DESKTOP, locale: 'es-MX' }, { expects: refusedCalls('/_cobro/v1/') });
let page;

beforeEach(async () => {
  page = await open();
});

/** A world of its own, with its merchant's credential. */
async function shop() {
  const { id, clip } = await server.newWorld();
  return { world: id, authorization: clipPair(clip.api_key, clip.secret) };
}

async function pay({ authorization }, amount, more = {}) {
  const token = await server.call('POST', '/card_tokens', {
    card_number: CARD, cardholder_name: 'Ana Lopez', card_exp_month: '12', card_exp_year: '30', cvv: '123',
  }, { authorization });
  const payment = await server.call('POST', '/payments', {
    amount, currency: 'MXN', description: 'Café', payment_method: { token: token.id },
    customer: { email: 'ana@example.org', phone: '5512345678' }, ...more,
  }, { authorization });
  assert.equal(payment.status, 'approved', JSON.stringify(payment));
  return payment;
}

const refund = ({ authorization }, { id }, amount) =>
  server.call('POST', '/refunds', { reference: { type: 'payment', id }, amount, reason: '' }, { authorization });

const goTo = ({ world }, to) => server.control('POST', 'clock/advance', { to }, { 'cobro-world': world });

const text = (locator) => locator.innerText();
/** Whether the table is wider than its frame. */
const isCut = () => page.locator('#rows').evaluate((rows) => {
  const box = rows.closest('.table-frame');
  return box.scrollWidth > box.clientWidth;
});
const role = (name) => page.locator(`[data-role="${name}"] dd`).first();

test('a deposit is seen coming, paid out, and traced to its postings', async () => {
  const one = await shop();
  await goTo(one, '2027-01-08T12:00:00-06:00');
  await page.goto(`/console/deposits?world=${one.world}`);
  await page.locator('#empty').waitFor();
  await live(page);

  // appears without a reload, to be paid out on Monday
  const first = await pay(one, 100);
  await page.locator('#rows tr').waitFor();
  assert.match(await text(page.locator('#rows tr')), /11 ene 2027[\s\S]*\$95\.82[\s\S]*Abierto/);
  assert.equal(await text(role('open')), '$95.82');
  await page.locator('#chart .bar-link.open').waitFor();

  await pay(one, 200, { tip_amount: 20 });
  await refund(one, first, 40);
  await goTo(one, '2027-01-11T00:00:00-06:00');
  await page.locator('#rows .chip.good').waitFor();
  assert.equal(await page.locator('#chart .bar-link').count(), 1);
  assert.equal(await text(role('open')), '$0.00');
  const net = await text(role('last'));

  await page.locator('#rows tr').click();
  await page.locator('#paid [data-posting]').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('world'), one.world, 'the world goes along');
  assert.match(await text(page.locator('#date')), /lunes, 11 de enero de 2027/);
  // 60.00 of the first, 2.16 and 0.35; 220.00 of the second, 7.92 and 1.27
  assert.deepEqual(
    await Promise.all(['gross', 'fee', 'tax', 'net'].map((name) => text(role(name)))),
    ['$280.00', '$10.08', '$1.62', net]);
  assert.equal(net, '$268.30');
  assert.match(await text(page.locator('#paid')), /merchant_payable[\s\S]*268\.30[\s\S]*bank/);

  assert.equal(await isCut(), false, 'a column is cut off');
  const lines = page.locator('#rows tr[data-line]');
  assert.equal(await lines.count(), 2);
  assert.match(await text(lines.first()), /\$40\.00 devueltos antes[\s\S]*\$57\.49/);
  await lines.first().locator('.row-open').press('Enter');
  const under = page.locator('.under .posting');
  await under.first().waitFor();
  assert.equal(await under.count(), 2, 'the payment and the refund that reduces it');
  assert.match(await text(under.first()), /acquirer_receivable[\s\S]*100\.00[\s\S]*fee_income[\s\S]*3\.60/);
  await lines.first().locator('.row-open').press('Enter');
  await under.first().waitFor({ state: 'hidden' });
  assert.equal(await lines.first().locator('.row-open').getAttribute('aria-expanded'), 'false');
});

test('a refund after the pay-out is a line of its own, below zero', async () => {
  const one = await shop();
  await goTo(one, '2027-01-08T12:00:00-06:00');
  const payment = await pay(one, 50);
  await goTo(one, '2027-01-11T12:00:00-06:00');
  await refund(one, payment, 10);
  await goTo(one, '2027-01-12T00:00:00-06:00');
  await page.goto(`/console/deposits?world=${one.world}&lang=en`);
  await page.locator('#rows tr').nth(1).waitFor();
  await page.locator('#chart .bar-link.below').focus();
  await page.keyboard.press('Enter');
  await page.locator('#rows .chip.warn').waitFor();
  assert.match(await text(page.locator('#rows tr')), /Refund[\s\S]*-\$10\.00[\s\S]*-\$9\.58/);
});

test('an unknown deposit says so, and nothing spills on a phone', async () => {
  await page.goto('/console/deposits/A00000000');
  await page.locator('#unknown').waitFor();
  assert.ok(!(await page.locator('#whole').isVisible()));
  const one = await shop();
  await goTo(one, '2027-01-08T12:00:00-06:00');
  await pay(one, 19999.99);
  await goTo(one, '2027-01-11T00:00:00-06:00');
  page = await open({ ...PHONE, locale: 'pt-BR' });
  await page.goto(`/console/deposits?world=${one.world}`);
  await page.locator('#rows tr').waitFor();
  await assertFits(page);
  await page.locator('#rows tr a').click();
  await page.locator('#rows tr[data-line]').click();
  await page.locator('.under .posting').waitFor();
  await assertFits(page);
  assert.equal(await isCut(), false, 'a column is cut off');
});
