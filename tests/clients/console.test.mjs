// The virtual terminal, driven by hand: a headless Chromium on the pages of the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { chromium } from 'playwright-core';

const DEVICE = 'PAX_A910__SBX0000001';
const TOKEN = 'TEST-1000000000000001-112000-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-100000001';
const STEP_MS = 10000;

let server;
let base;
let browser;
let page;
let faults;

before(async () => {
  const { COBRO_BIN: binary, COBRO_CHROMIUM: executablePath } = process.env;
  assert.ok(binary && executablePath, 'COBRO_BIN and COBRO_CHROMIUM must be set');
  server = spawn(binary, ['serve', '--port', '0', '--ephemeral'], { stdio: ['ignore', 'pipe', 'inherit'] });
  base = await address(server);
  browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
});

after(async () => {
  await browser?.close();
  if (server && server.exitCode === null) {
    server.kill();
    await once(server, 'exit');
  }
});

beforeEach(async () => {
  faults = [];
  page = await open({ viewport: { width: 1280, height: 800 } });
});

afterEach(async () => {
  await page.context().close();
  // a policy that blocks something, a script that fails, a file that is missing: all are faults
  assert.deepEqual(faults, []);
});

/** The address that the program prints; its later lines are let go. */
async function address(child) {
  const lines = createInterface({ input: child.stdout });
  const found = new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
      if (match) resolve(match[0]);
    });
    child.once('exit', (code) => reject(new Error(`cobro ended with ${code} before it listened`)));
  });
  return found;
}

/** A page of a fresh visitor; what goes wrong on it is kept. */
async function open(options) {
  const context = await browser.newContext({ locale: 'es-AR', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(STEP_MS);
  const fresh = await context.newPage();
  fresh.on('pageerror', (error) => faults.push(String(error)));
  fresh.on('console', (message) => {
    // Chromium reports each refused call as well; the test that provokes one looks at the screen
    if (message.type() === 'error' && !message.location().url.includes('/_cobro/v1/')) faults.push(message.text());
  });
  fresh.on('request', (request) => {
    if (new URL(request.url()).origin !== base) faults.push(`loads ${request.url()}`);
  });
  return fresh;
}

async function api(method, path, body) {
  const response = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

async function charge(amount, extra = {}) {
  const { status, body } = await api('POST', `/point/integration-api/devices/${DEVICE}/payment-intents`, { amount, ...extra });
  assert.equal(status, 201, JSON.stringify(body));
  return body.id;
}

const intent = async (id) => (await api('GET', `/point/integration-api/payment-intents/${id}`)).body;

const screen = (name, on = page) => on.locator(`.device[data-screen="${name}"]`).waitFor();
const key = (name, on = page) => on.locator(`.device [data-key="${name}"]`).click();
const present = (entry, on = page) => on.locator(`.counter [data-entry="${entry}"]`).click();
const showTerminal = async (on = page) => {
  await on.goto(`${base}/console/terminals/${DEVICE}`);
  await on.locator('.device').waitFor();
  await on.locator('#pulse[data-state="live"]').waitFor();
};

/** Resolves once the track beside the terminal shows the intent in that state. */
const state = (name, on = page) => on.locator(`.track [data-state="${name}"][aria-current="step"]`).waitFor();

async function paid(id) {
  const one = await intent(id);
  const payment = await api('GET', `/v1/payments/${one.payment.id}`);
  return { state: one.state, status: payment.body.status };
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
  for (const [entry, [across, down]] of Object.entries(places)) {
    await charge(1800);
    await screen('queued');
    await key('green');
    await screen('amount');
    const [card, body] = [await page.locator('.card').boundingBox(), await page.locator('.device .body').boundingBox()];
    await page.mouse.move(card.x + card.width / 2, card.y + card.height / 2);
    await page.mouse.down();
    await page.mouse.move(body.x + body.width * across, body.y + body.height * down, { steps: 6 });
    const asked = page.waitForRequest((request) => request.url().endsWith('/card'));
    await page.mouse.up();
    assert.equal((await asked).postDataJSON().entry, entry);
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
  const shelf = await open({ viewport: { width: 1280, height: 800 } });
  await shelf.goto(`${base}/console/terminals`);
  await shelf.locator('#pulse[data-state="live"]').waitFor();
  const spot = shelf.locator('.spot', { hasText: DEVICE });
  await charge(1900);
  await spot.locator('.device[data-screen="queued"]').waitFor();
  await spot.locator('[data-key="green"]').click();
  await screen('amount');
  await spot.locator('[data-entry="tap"]').click();
  await screen('approved');
  await state('FINISHED');
  await shelf.context().close();
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
  const phone = await open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
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
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 390);
  await phone.context().close();
});

test('the first page has credentials, a snippet that works and a clock to advance', async () => {
  await page.goto(base);
  await page.locator('#credentials').getByText(TOKEN).waitFor();
  const snippet = await page.locator('#snippet-text').innerText();
  assert.ok(snippet.includes(`${base}/point/integration-api/devices/${DEVICE}/payment-intents`), snippet);
  assert.ok(snippet.includes(TOKEN));
  await page.locator(`.tile[data-id="${DEVICE}"]`).waitFor();
  const before = (await api('GET', '/_cobro/v1/clock')).body.now;
  const advanced = page.waitForResponse((response) => response.url().endsWith('/clock/advance'));
  await page.locator('#advance button[value="86400"]').click();
  const { now } = await (await advanced).json();
  assert.ok(Date.parse(now) - Date.parse(before) >= 86400000, `${before} ${now}`);
});

test('journals and books show what was done, live', async () => {
  const id = await charge(2000);
  await page.goto(`${base}/console/events`);
  await page.locator('tbody tr').first().click();
  await page.locator('#sheet[open] pre').first().waitFor();
  await page.keyboard.press('Escape');
  const rows = await page.locator('tbody tr').count();
  await api('POST', `/_cobro/v1/terminals/${DEVICE}/fetch`, {});
  await page.locator('tbody tr').nth(rows).waitFor();
  await api('POST', `/_cobro/v1/terminals/${DEVICE}/card`, {});
  assert.equal((await paid(id)).status, 'approved');
  await page.goto(`${base}/console/requests`);
  await page.locator('tbody tr', { hasText: `/devices/${DEVICE}/payment-intents` }).first().click();
  await page.locator('#sheet[open] pre').first().waitFor();
  assert.equal((await page.locator('#sheet').innerText()).includes(TOKEN), false);
  await page.goto(`${base}/console/ledger`);
  await page.locator('.posting').first().waitFor();
  assert.equal(await page.locator('.book caption .chip.bad').count(), 0);
  assert.ok((await page.locator('.book caption .chip.good').count()) > 0);
});

test('a delivery is seen and sent again', async () => {
  let calls = 0;
  const hook = createServer((request, response) => {
    calls += 1;
    request.resume().on('end', () => response.end('ok'));
  }).listen(0, '127.0.0.1');
  await once(hook, 'listening');
  try {
    const url = `http://127.0.0.1:${hook.address().port}/aviso`;
    const seller = (await api('GET', '/_cobro/v1/worlds/demo')).body.mercado_pago.sellers[0];
    const set = await api('PATCH', `/_cobro/v1/merchants/${seller.user_id}`, { webhook: { url } });
    assert.equal(set.status, 200, JSON.stringify(set.body));
    await page.goto(`${base}/console/deliveries`);
    await page.locator('#pulse[data-state="live"]').waitFor();
    await charge(2100);
    await api('POST', `/_cobro/v1/terminals/${DEVICE}/fetch`, {});
    await api('POST', `/_cobro/v1/terminals/${DEVICE}/card`, {});
    const row = page.locator('tbody tr', { hasText: url }).filter({ has: page.locator('.chip.good') });
    await row.first().waitFor();
    const first = calls;
    const [replayed] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/replay')),
      row.first().locator('.action button').click(),
    ]);
    assert.ok(replayed.ok());
    await row.nth(1).waitFor();
    assert.ok(calls > first, 'the webhook was not called again');
  } finally {
    hook.closeAllConnections();
    hook.close();
  }
});

for (const [lang, word] of [['es', 'Terminales'], ['pt-BR', 'Maquininhas'], ['en', 'Terminals']]) {
  test(`the page speaks ${lang}`, async () => {
    await page.goto(`${base}/console/terminals?lang=${lang}`);
    assert.equal(await page.locator('h1').innerText(), word);
    await page.locator('.device').first().waitFor();
    await page.goto(`${base}/console/terminals`);
    assert.equal(await page.locator('h1').innerText(), word);
  });
}
