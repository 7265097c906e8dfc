// Deposits in the console: a headless Chromium on the pages of the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { chromium } from 'playwright-core';

const CARD = '5177136199824515';
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
  page = await open();
});

afterEach(async () => {
  await page.context().close();
  assert.deepEqual(faults, []);
});

/** The address that the program prints; its later lines are let go. */
async function address(child) {
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
      if (match) resolve(match[0]);
    });
    child.once('exit', (code) => reject(new Error(`cobro ended with ${code} before it listened`)));
  });
}

async function open(options = {}) {
  const context = await browser.newContext({ locale: 'es-MX', reducedMotion: 'reduce', viewport: { width: 1280, height: 800 }, ...options });
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

async function call(method, path, body, headers = {}) {
  const response = await fetch(base + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** A world of its own, with its merchant's credential. */
async function shop() {
  const world = await call('POST', '/_cobro/v1/worlds', {});
  const { api_key: key, secret } = world.clip;
  return { world: world.id, authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}` };
}

async function pay({ authorization }, amount, more = {}) {
  const token = await call('POST', '/card_tokens', {
    card_number: CARD, cardholder_name: 'Ana Lopez', card_exp_month: '12', card_exp_year: '30', cvv: '123',
  }, { authorization });
  const payment = await call('POST', '/payments', {
    amount, currency: 'MXN', description: 'Café', payment_method: { token: token.id },
    customer: { email: 'ana@example.org', phone: '5512345678' }, ...more,
  }, { authorization });
  assert.equal(payment.status, 'approved', JSON.stringify(payment));
  return payment;
}

const refund = ({ authorization }, { id }, amount) =>
  call('POST', '/refunds', { reference: { type: 'payment', id }, amount, reason: '' }, { authorization });

const goTo = ({ world }, to) => call('POST', '/_cobro/v1/clock/advance', { to }, { 'cobro-world': world });

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
  await page.goto(`${base}/console/deposits?world=${one.world}`);
  await page.locator('#empty').waitFor();
  await page.locator('#pulse[data-state="live"]').waitFor();

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
  await page.goto(`${base}/console/deposits?world=${one.world}&lang=en`);
  await page.locator('#rows tr').nth(1).waitFor();
  await page.locator('#chart .bar-link.below').focus();
  await page.keyboard.press('Enter');
  await page.locator('#rows .chip.warn').waitFor();
  assert.match(await text(page.locator('#rows tr')), /Refund[\s\S]*-\$10\.00[\s\S]*-\$9\.58/);
});

test('an unknown deposit says so, and nothing spills on a phone', async () => {
  await page.goto(`${base}/console/deposits/A00000000`);
  await page.locator('#unknown').waitFor();
  assert.ok(!(await page.locator('#whole').isVisible()));
  const one = await shop();
  await goTo(one, '2027-01-08T12:00:00-06:00');
  await pay(one, 19999.99);
  await goTo(one, '2027-01-11T00:00:00-06:00');
  await page.context().close();
  page = await open({ viewport: { width: 390, height: 844 }, locale: 'pt-BR' });
  const spills = () => page.evaluate('document.documentElement.scrollWidth > innerWidth');
  await page.goto(`${base}/console/deposits?world=${one.world}`);
  await page.locator('#rows tr').waitFor();
  assert.equal(await spills(), false);
  await page.locator('#rows tr a').click();
  await page.locator('#rows tr[data-line]').click();
  await page.locator('.under .posting').waitFor();
  assert.equal(await spills(), false);
  assert.equal(await isCut(), false, 'a column is cut off');
});
