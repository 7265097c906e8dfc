// The virtual terminal, driven by hand: a headless Chromium on the pages of the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { DESKTOP, TOUCH, assertFits, live, refusedCalls, visitors } from './harness/browser.mjs';
import { openWebhook } from './harness/listeners.mjs';
import { SELLERS, bearer } from './harness/merchants.mjs';
import { sharedServer } from './harness/server.mjs';
import { terminal } from './harness/terminal.mjs';

const { id: SELLER, device: DEVICE, token: TOKEN } = SELLERS.MLA;

const server = sharedServer();
const { open } = visitors(server, { ...DESKTOP, locale: 'es-AR' }, { expects: refusedCalls('/_cobro/v1/') });
let page;
const { show, screen, key, present, state, drag } = terminal(() => page);

beforeEach(async () => {
  page = await open();
});

const api = (method, path, body) => server.call(method, path, body, bearer(TOKEN));

async function charge(amount, extra = {}) {
  const path = `/point/integration-api/devices/${DEVICE}/payment-intents`;
  const { status, body } = await server.send('POST', path, { amount, ...extra }, bearer(TOKEN));
  assert.equal(status, 201, JSON.stringify(body));
  return body.id;
}

const intent = (id) => api('GET', `/point/integration-api/payment-intents/${id}`);
const showTerminal = (on = page) => show(DEVICE, on);

async function paid(id) {
  const one = await intent(id);
  const payment = await api('GET', `/v1/payments/${one.payment.id}`);
  return { state: one.state, status: payment.status };
}

test('a charge appears without a reload, is paid by tapping, and prints its receipt', async () => {
  await showTerminal();
  await screen('idle');
  const id = await charge(1500, { additional_info: { print_on_terminal: true } });
  await screen('queued');
  await key('green');
  await screen('amount');
  assert.match(await page.locator('.device [data-role="amount"]').innerText(), /15,00/);
  await present('tap');
  await screen('approved');
  await page.locator('.paper .slip').waitFor();
  const slip = await page.locator('.paper .slip').innerText();
  assert.match(slip, /15,00/);
  assert.match(slip, /SBX0000001/);
  await state('FINISHED');
  assert.deepEqual(await paid(id), { state: 'FINISHED', status: 'approved' });
  await key('green');
  await screen('idle');
});

test('the receipt is asked for where the charge does not say', async () => {
  await showTerminal();
  await charge(2345);
  await screen('queued');
  await key('green');
  await screen('amount');
  await present('insert');
  await screen('approved');
  assert.equal(await page.locator('.paper-path').isVisible(), false);
  await key('green');
  await page.locator('.paper').click();
  assert.match(await page.locator('#receipt-sheet .slip').innerText(), /23,45/);
  await page.locator('#receipt-sheet .button').click();
  await state('FINISHED');
  await key('green');
  await screen('idle');
});

test('the red key cancels what is on the terminal', async () => {
  await showTerminal();
  const id = await charge(1600);
  await screen('queued');
  await key('green');
  await screen('amount');
  await key('red');
  await screen('canceled');
  assert.equal((await intent(id)).state, 'CANCELED');
  await key('yellow');
  await screen('idle');
});

for (const [amount, outcome, end, status] of [
  [1100, 'reversed', 'FINISHED', 'cancelled'],
  [1200, 'rejected', 'FINISHED', 'rejected'],
  [1300, 'error', 'ERROR', null],
]) {
  test(`amount ${amount} shows ${outcome}`, async () => {
    await showTerminal();
    const id = await charge(amount);
    await screen('queued');
    await key('green');
    await screen('amount');
    await present('swipe');
    await screen(outcome);
    await state(end);
    if (status) assert.deepEqual(await paid(id), { state: end, status });
    else assert.equal((await intent(id)).state, end);
    await key('green');
    await screen('idle');
  });
}

test('a whole payment with the keyboard alone', async () => {
  await showTerminal();
  await page.keyboard.press('t');
  await page.locator('.device .said').waitFor();
  const id = await charge(1700);
  await screen('queued');
  await page.keyboard.press('Enter');
  await screen('amount');
  await page.keyboard.press('t');
  await screen('approved');
  await page.keyboard.press('Backspace');
  await screen('idle');
  await state('FINISHED');
  assert.equal((await paid(id)).status, 'approved');
});

test('the card is dragged to reader, slot and edge', async () => {
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await showTerminal();
  const places = { tap: [0.5, 0.2], insert: [0.5, 0.99], swipe: [0.98, 0.5] };
  for (const [entry, place] of Object.entries(places)) {
    await charge(1800);
    await screen('queued');
    await key('green');
    await screen('amount');
    assert.equal(await drag(place), entry);
    await screen('approved');
    await state('FINISHED');
    await key('yellow');
    await screen('idle');
  }
});

test('with nothing queued the green key says so, and a card is not read', async () => {
  await showTerminal();
  await key('green');
  await page.locator('.device .said').waitFor();
  await screen('idle');
  await present('tap');
  await page.locator('.device .said').waitFor();
  await screen('idle');
});

test('what another page does shows here', async () => {
  await showTerminal();
  const shelf = await open();
  await shelf.goto('/console/terminals');
  await live(shelf);
  const spot = shelf.locator('.spot', { hasText: DEVICE });
  await charge(1900);
  await spot.locator('.device[data-screen="queued"]').waitFor();
  await spot.locator('[data-key="green"]').click();
  await screen('amount');
  await spot.locator('[data-entry="tap"]').click();
  await screen('approved');
  await state('FINISHED');
});

test('offline and standalone are switched on the page and shown', async () => {
  await showTerminal();
  for (const [name, shown] of [['online', 'offline'], ['pdv', 'standalone']]) {
    const box = page.locator(`#settings [name="${name}"]`);
    await box.uncheck();
    await screen(shown);
    await box.check();
    await screen('idle');
  }
});

test('a phone: the page sends the test charge, touch does the rest', async () => {
  const phone = await open(TOUCH);
  await showTerminal(phone);
  await phone.locator('#charge [name="amount"]').fill('21,50');
  await phone.locator('#charge button').tap();
  await screen('queued', phone);
  await phone.locator('.device [data-key="green"]').tap();
  await screen('amount', phone);
  assert.match(await phone.locator('.device [data-role="amount"]').innerText(), /21,50/);
  await phone.locator('.card').tap();
  await screen('approved', phone);
  await state('FINISHED', phone);
  await assertFits(phone);
});

test('the first page has credentials, a snippet that works and a clock to advance', async () => {
  await page.goto('/');
  await page.locator('#credentials').getByText(TOKEN).waitFor();
  const snippet = await page.locator('#snippet-text').innerText();
  assert.ok(snippet.includes(`${server.base}/point/integration-api/devices/${DEVICE}/payment-intents`), snippet);
  assert.ok(snippet.includes(TOKEN));
  await page.locator(`.tile[data-id="${DEVICE}"]`).waitFor();
  const before = (await server.control('GET', 'clock')).now;
  const advanced = page.waitForResponse((response) => response.url().endsWith('/clock/advance'));
  await page.locator('#advance button[value="86400"]').click();
  const { now } = await (await advanced).json();
  assert.ok(Date.parse(now) - Date.parse(before) >= 86400000, `${before} ${now}`);
});

test('journals and books show what was done, live', async () => {
  const id = await charge(2000);
  await page.goto('/console/events');
  await page.locator('tbody tr').first().click();
  await page.locator('#sheet[open] pre').first().waitFor();
  await page.keyboard.press('Escape');
  const rows = await page.locator('tbody tr').count();
  await server.control('POST', `terminals/${DEVICE}/fetch`, {});
  await page.locator('tbody tr').nth(rows).waitFor();
  await server.control('POST', `terminals/${DEVICE}/card`, {});
  assert.equal((await paid(id)).status, 'approved');
  await page.goto('/console/requests');
  await page.locator('tbody tr', { hasText: `/devices/${DEVICE}/payment-intents` }).first().click();
  await page.locator('#sheet[open] pre').first().waitFor();
  assert.equal((await page.locator('#sheet').innerText()).includes(TOKEN), false);
  await page.goto('/console/ledger');
  await page.locator('.posting').first().waitFor();
  assert.equal(await page.locator('.book caption .chip.bad').count(), 0);
  assert.ok((await page.locator('.book caption .chip.good').count()) > 0);
});

test('a delivery is seen and sent again', async (t) => {
  const hook = await openWebhook();
  t.after(hook.close);
  await server.control('PATCH', `merchants/${SELLER}`, { webhook: { url: hook.url } });
  await page.goto('/console/deliveries');
  await live(page);
  await charge(2100);
  await server.control('POST', `terminals/${DEVICE}/fetch`, {});
  await server.control('POST', `terminals/${DEVICE}/card`, {});
  const row = page.locator('tbody tr', { hasText: hook.url }).filter({ has: page.locator('.chip.good') });
  await row.first().waitFor();
  const first = hook.calls();
  const [replayed] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/replay')),
    row.first().locator('.action button').click(),
  ]);
  assert.ok(replayed.ok());
  await row.nth(1).waitFor();
  assert.ok(hook.calls() > first, 'the webhook was not called again');
});

for (const [lang, word] of [['es', 'Terminales'], ['pt-BR', 'Maquininhas'], ['en', 'Terminals']]) {
  test(`the page speaks ${lang}`, async () => {
    await page.goto(`/console/terminals?lang=${lang}`);
    assert.equal(await page.locator('h1').innerText(), word);
    await page.locator('.device').first().waitFor();
    await page.goto('/console/terminals');
    assert.equal(await page.locator('h1').innerText(), word);
  });
}
