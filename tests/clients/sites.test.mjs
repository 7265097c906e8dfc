// What the console shows of a merchant without terminals: sessions, charges of tokens, stored cards
// and notifications; a headless Chromium on the pages of the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { chromium } from 'playwright-core';

const LOGIN = 'c0b70000000000000000000000000001';
const CHILE = 'c0b70000000000000000000000000002';
const SECRET = 'llave-secreta-01';
const STEP_MS = 10000;

let server;
let base;
let browser;
let page;
let faults;
let shop;
let token;

before(async () => {
  const { COBRO_BIN: binary, COBRO_CHROMIUM: executablePath } = process.env;
  assert.ok(binary && executablePath, 'COBRO_BIN and COBRO_CHROMIUM must be set');
  shop = createServer((request, response) => request.resume().on('end', () => response.writeHead(204).end()));
  await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
  server = spawn(binary, ['serve', '--port', '0', '--ephemeral'], { stdio: ['ignore', 'pipe', 'inherit'] });
  base = await address(server);
  browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
  await work();
});

after(async () => {
  await browser?.close();
  shop?.closeAllConnections();
  shop?.close();
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
  assert.deepEqual(faults, []);
});

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

/** A page of a fresh visitor; what goes wrong on it is kept. */
async function open(options) {
  const context = await browser.newContext({ locale: 'es-CO', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(STEP_MS);
  const fresh = await context.newPage();
  fresh.on('pageerror', (error) => faults.push(String(error)));
  fresh.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  fresh.on('request', (request) => {
    if (new URL(request.url()).origin !== base) faults.push(`loads ${request.url()}`);
  });
  return fresh;
}

async function call(method, path, body) {
  const response = await fetch(base + path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const answer = await response.json();
  assert.ok(response.ok, `${path}: ${JSON.stringify(answer)}`);
  return answer;
}

function ask(path, body) {
  const nonce = randomBytes(16);
  const seed = new Date().toISOString();
  const tranKey = createHash('sha256').update(nonce).update(seed).update(SECRET).digest('base64');
  return call('POST', path, { ...body, auth: { login: LOGIN, tranKey, nonce: nonce.toString('base64'), seed } });
}

const session = (body) => ask('/api/session', { returnUrl: 'https://shop.example.org/', ipAddress: '127.0.0.1', userAgent: 'test', ...body });
const pay = ({ requestId }, body) => call('POST', `/_cobro/v1/sessions/${requestId}/pay`, body);
const collect = (reference, total) => ask('/api/collect', { payment: { reference, amount: { currency: 'COP', total } }, instrument: { token: { token } } });

/** A morning of a shop: a token, three charges of it, a payment that is declined and then paid. */
async function work() {
  await call('PATCH', `/_cobro/v1/merchants/${LOGIN}`, { webhook: { url: `http://127.0.0.1:${shop.address().port}/aviso` } });
  const subscription = await session({ subscription: { reference: 'PLAN-1', description: 'Plan anual' } });
  await pay(subscription, {});
  const { subscription: stored } = await ask(`/api/session/${subscription.requestId}`, {});
  token = stored.instrument.find(({ keyword }) => keyword === 'token').value;
  for (const number of [1, 2, 3]) await collect(`CUOTA-${number}`, 45900 * number);
  const payment = await session({ payment: { reference: 'ORD-7', description: 'Zapatos', amount: { currency: 'USD', total: 189.5 } } });
  await pay(payment, { card: '4110760000000016' });
  await pay(payment, { card: '5367680000000005' });
}

const part = (name, on = page) => on.locator(`#journal[data-part="${name}"]`).waitFor();
const rows = (on = page) => on.locator('#journal tbody tr');

async function show(hash = '', on = page) {
  await on.goto(`${base}/console/sites${hash}`);
  await on.locator('#pulse[data-state="live"]').waitFor();
  await part(hash.slice(1) || 'sessions', on);
}

test('sessions show how they ended, and their tries', async () => {
  await show();
  assert.equal(await rows().count(), 2);
  const first = rows().first();
  assert.match(await first.innerText(), /APPROVED/);
  assert.match(await first.innerText(), /ORD-7/);
  assert.match(await first.innerText(), /189[.,]50/);
  assert.match(await first.innerText(), /Mastercard •••• 0005/);
  await first.click();
  const tries = page.locator('#sheet .tries tr');
  assert.deepEqual(await tries.locator('.chip').allInnerTexts(), ['Aprobado', 'Rechazado']);
});

test('charges, tokens and notifications have a tab each, which keys reach too', async () => {
  await show();
  await page.locator('#part-sessions').focus();
  await page.keyboard.press('ArrowRight');
  await part('collects');
  assert.equal(await rows().count(), 3);
  assert.match(await rows().first().innerText(), /CUOTA-3/);
  await page.keyboard.press('ArrowRight');
  await part('tokens');
  const shown = await rows().first().innerText();
  assert.match(shown, new RegExp(`\\*\\*\\*\\*${token.slice(-4)}`));
  assert.match(shown, /Visa •••• 1111/);
  await rows().first().click();
  await page.locator('#sheet[open]').waitFor();
  const whole = await page.content();
  assert.ok(!whole.includes(token) && !whole.includes(token.slice(0, -4)), 'a token is shown whole');
  await page.keyboard.press('Escape');
  await page.locator('#part-notifications').click();
  await part('notifications');
  assert.equal(await rows().count(), 2);
  assert.match(await rows().first().innerText(), /aviso/);
  assert.equal(new URL(page.url()).hash, '#notifications');
});

test('another merchant has nothing of it, and says how to begin', async () => {
  await show('#tokens');
  await page.locator('#site').selectOption(CHILE);
  await page.locator('#empty:not([hidden])').waitFor();
  assert.match(await page.locator('#empty').innerText(), /suscripción/);
  assert.equal(await rows().count(), 0);
});

test('what happens meanwhile appears by itself', async () => {
  await show('#collects');
  await collect('CUOTA-9', 1000);
  await page.locator('#journal tbody tr', { hasText: 'CUOTA-9' }).waitFor();
});

test('it speaks three languages and fits a phone', async () => {
  for (const [lang, word] of [['es', 'Cobros'], ['pt', 'Cobranças'], ['en', 'Charges']]) {
    const phone = await open({ viewport: { width: 360, height: 740 } });
    await phone.goto(`${base}/console/sites?lang=${lang}#collects`);
    await part('collects', phone);
    assert.equal(await phone.locator('#part-collects').innerText(), word);
    const over = await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${lang}: ${over} px too wide`);
    for (const name of ['collects', 'tokens', 'notifications', 'sessions']) {
      await phone.locator(`#part-${name}`).click();
      await part(name, phone);
      const cut = await phone.evaluate(() => document.getElementById('journal').scrollWidth - document.querySelector('.table-frame').clientWidth);
      assert.ok(cut <= 0, `${lang}: ${cut} px of ${name} are cut off`);
    }
    await phone.context().close();
  }
});
