// What people do beside the terminal: webhooks and their health, pairing, autopilot, a terminal in
// trouble, and a server that asks for its control token. A headless Chromium on the real binary.
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

let servers = [];
let base;
let browser;
let page;
let faults = [];

before(async () => {
  const { COBRO_BIN, COBRO_CHROMIUM: executablePath } = process.env;
  assert.ok(COBRO_BIN && executablePath, 'COBRO_BIN and COBRO_CHROMIUM must be set');
  browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
});

after(async () => {
  await browser?.close();
});

beforeEach(async () => {
  faults = [];
  base = await start(['--port', '0']);
  page = await open();
});

afterEach(async () => {
  await page?.context().close();
  for (const server of servers) {
    server.kill();
    await once(server, 'exit');
  }
  servers = [];
  assert.deepEqual(faults, []);
});

/** Starts a server and answers its address. */
async function start(flags, env = {}) {
  const server = spawn(process.env.COBRO_BIN, ['serve', '--ephemeral', ...flags], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  servers.push(server);
  return new Promise((resolve, reject) => {
    createInterface({ input: server.stdout }).on('line', (line) => {
      const match = /http:\/\/[\d.]+:\d+/.exec(line);
      if (match) resolve(match[0].replace('0.0.0.0', '127.0.0.1'));
    });
    server.once('exit', (code) => reject(new Error(`cobro ended with ${code} before it listened`)));
  });
}

/** A page of a fresh visitor; what goes wrong on it is kept. */
async function open(options) {
  const context = await browser.newContext({ locale: 'es-AR', reducedMotion: 'reduce', viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(STEP_MS);
  const fresh = await context.newPage();
  fresh.on('pageerror', (error) => faults.push(String(error)));
  fresh.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.includes('/_cobro/v1/')) faults.push(message.text());
  });
  return fresh;
}

async function control(method, path, body, headers = {}) {
  const response = await fetch(`${base}/_cobro/v1/${path}`, {
    method, headers: { 'content-type': 'application/json', ...headers }, body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}

async function charge(extra = {}) {
  const response = await fetch(`${base}/point/integration-api/devices/${DEVICE}/payment-intents`, {
    method: 'POST', headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }, body: JSON.stringify({ amount: 1500, ...extra }),
  });
  assert.equal(response.status, 201);
}

const screen = (name) => page.locator(`.device[data-screen="${name}"]`).first().waitFor();
const live = () => page.locator('#pulse[data-state="live"]').waitFor();

/** A webhook that answers the next `refusals` calls with an error. */
async function webhook(refusals) {
  const hook = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(refusals-- > 0 ? 500 : 200).end('{"ok":true}'));
  });
  await new Promise((resolve) => hook.listen(0, '127.0.0.1', resolve));
  hook.unref();
  const url = `http://127.0.0.1:${hook.address().port}/avisos`;
  await control('PATCH', 'merchants/100000001', { webhook: { url } });
  return { url, close: () => { hook.closeAllConnections(); hook.close(); } };
}

/** A charge that is cancelled, which is told to the webhook. */
async function told() {
  await charge();
  await control('POST', `terminals/${DEVICE}/fetch`, {});
  await control('POST', `terminals/${DEVICE}/cancel`, {});
}

test('the journal shows every attempt, and sends the chosen deliveries again', async () => {
  const hook = await webhook(1);
  await page.goto(`${base}/console/deliveries`);
  await live();
  await told();
  const row = page.locator('tbody tr').first();
  await row.locator('.chip', { hasText: 'En espera' }).waitFor();
  await page.locator('td', { hasText: '500' }).first().waitFor();
  await control('POST', 'clock/advance', { seconds: 3600 });
  await row.locator('.chip', { hasText: 'Entregada' }).waitFor();
  await row.locator('.row-open').click();
  const attempts = page.locator('.attempt');
  assert.deepEqual(await attempts.locator('summary .chip').allInnerTexts(), ['200', '500']);
  assert.match(await attempts.first().innerText(), /x-signature/);
  await attempts.nth(1).locator('summary').click();
  assert.match(await attempts.nth(1).innerText(), /CANCELED/);
  await page.keyboard.press('Escape');

  await told();
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
  hook.close();
});

test('an address shows its health, and leads to its deliveries', async () => {
  const hook = await webhook(0);
  await page.goto(`${base}/console/deliveries`);
  await page.locator('a[href="/console/endpoints"]').click();
  await page.locator('#empty').waitFor();
  await live();
  await told();
  const card = page.locator('.endpoint');
  await card.locator('.chip', { hasText: '100 %' }).waitFor();
  assert.match(await card.innerText(), /\/avisos/);
  await card.locator('a').click();
  await page.locator('#only-url', { hasText: hook.url }).waitFor();
  await page.locator('tbody tr').first().waitFor();
  hook.close();
});

test('terminals are paired, and each has a code that leads a phone to it', async () => {
  await page.goto(`${base}/console/terminals`);
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
  await page.goto(`${base}/console/terminals/${DEVICE}`);
  await page.locator('.device').waitFor();
  await live();
  const fields = page.locator('#autopilot');
  assert.equal(await fields.isVisible(), false);
  await page.locator('[name="autopilot"]').check();
  await fields.waitFor();
  await fields.locator('[name="delay"]').fill('0');
  await fields.locator('[name="delay"]').blur();
  const set = page.waitForResponse((response) => response.request().method() === 'PATCH' && response.request().postData().includes('OTHE'));
  await fields.locator('[name="card"]').selectOption({ label: 'OTHE: rechazo general' });
  await set;
  const { autopilot } = await control('GET', `terminals/${DEVICE}`);
  assert.deepEqual([autopilot.enabled, autopilot.delay_ms, autopilot.card.holder], [true, 0, 'OTHE']);
  await charge();
  await screen('rejected');
  await page.reload();
  await fields.waitFor();
  assert.match(await fields.locator('[name="card"] option:checked').innerText(), /OTHE/);
});

test('what goes wrong has a screen of its own', async () => {
  await page.goto(`${base}/console/terminals/${DEVICE}`);
  await page.locator('.device').waitFor();
  await live();
  const take = async (card) => {
    await charge();
    await control('POST', `terminals/${DEVICE}/fetch`, {});
    if (card) await control('POST', `terminals/${DEVICE}/card`, card);
  };
  await take(null);
  await screen('amount');
  await control('POST', 'clock/advance', { seconds: 700 });
  await screen('abandoned');
  await take({ card: { number: '5031433215406351', holder: 'CONT' } });
  await screen('pending');
  await control('PUT', 'faults', { acquirer: 'confirmation_required' });
  await control('POST', 'clock/advance', { seconds: 8 * 86400 });
  await take({});
  await screen('confirmation_required');
});

test('without paper nothing is printed, and the payment stands', async () => {
  await page.goto(`${base}/console/terminals/${DEVICE}`);
  await page.locator('.device').waitFor();
  await live();
  await page.locator('[name="paper"]').uncheck();
  await page.locator('.device[data-paper="false"]').waitFor();
  await charge({ additional_info: { print_on_terminal: true } });
  await screen('queued');
  await page.locator('.device [data-key="green"]').click();
  await screen('amount');
  await page.locator('.counter [data-entry="tap"]').click();
  await screen('approved');
  await page.locator('.device .said', { hasText: 'Sin papel' }).waitFor();
  assert.equal(await page.locator('.paper-path').isVisible(), false);
});

test('a server that others can reach asks for its token, and is live with it', async () => {
  base = await start(['--listen', '0.0.0.0:0'], { COBRO_CONTROL_TOKEN: 'ficha-de-control' });
  await page.goto(`${base}/console/terminals`);
  const dialog = page.locator('#token-dialog');
  await dialog.waitFor();
  await dialog.locator('input').fill('otra');
  await dialog.locator('button').click();
  await dialog.locator('.wrong').waitFor();
  await dialog.locator('input').fill('ficha-de-control');
  await dialog.locator('button').click();
  await page.locator('.device').first().waitFor();
  await live();
  await charge();
  await page.locator(`.spot[aria-label="${DEVICE}"] .device[data-screen="queued"]`).waitFor();
});

test('a journal fits a phone: where one is, and lines of one height', async () => {
  await charge();
  await control('POST', `terminals/${DEVICE}/fetch`, {});
  await control('POST', `terminals/${DEVICE}/cancel`, {});
  const phone = await open({ viewport: { width: 390, height: 844 } });
  await phone.goto(`${base}/console/events`);
  await phone.locator('tbody tr').first().waitFor();
  const heights = await phone.locator('tbody tr').evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
  assert.ok(Math.max(...heights) < 80, `an id breaks over many lines: ${heights}`);
  for (const page of ['events', 'deliveries', 'ledger']) {
    await phone.goto(`${base}/console/${page}`);
    const here = phone.locator('.bar nav [aria-current="page"]');
    await here.waitFor();
    const { x, width } = await here.boundingBox();
    assert.ok(x >= 0 && x + width <= 390, `${page}: from ${x} to ${x + width}`);
    assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 390);
  }
  await phone.context().close();
});

test('a webhook that nobody hears says so in words', async () => {
  await control('PATCH', 'merchants/100000001', { webhook: { url: 'http://127.0.0.1:9/avisos' } });
  await told();
  await page.goto(`${base}/console/deliveries`);
  await page.locator('tbody td', { hasText: 'Sin conexión' }).first().waitFor();
  await page.goto(`${base}/console/endpoints`);
  const down = page.locator('.endpoint[data-url="http://127.0.0.1:9/avisos"]');
  await down.locator('.chip', { hasText: 'Sin conexión' }).waitFor();
  await down.locator('.chip', { hasText: 'Nada entregado aún' }).waitFor();
});

test('what does not exist is said, with a way back', async () => {
  for (const [path, words, back] of [
    ['/console/terminals/PAX_A910__NADIE', 'Esta terminal no existe', '/console/terminals'],
    ['/console/terminals?world=w_nada', 'Este mundo no existe', '/'],
    ['/console/events?world=w_nada', 'Este mundo no existe', '/'],
  ]) {
    const lost = await open({});
    await lost.goto(base + path);
    await lost.locator('.gone h1', { hasText: words }).waitFor();
    assert.equal(await lost.locator('.gone a').getAttribute('href'), back);
    await lost.context().close();
  }
});
