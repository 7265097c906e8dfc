// The hosted card page as a card holder meets it: a headless Chromium on the pages of the real
// binary, with sessions that a shop makes through the API.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { chromium } from 'playwright-core';

const LOGIN = 'c0b70000000000000000000000000001';
const SECRET_KEY = 'llave-secreta-01';
const STEP_MS = 10000;

const APPROVES = '4111111111111111';
const CANARY = '4539578763621486';

let server;
let base;
let shop;
let shopUrl;
let browser;
let page;
let faults;

before(async () => {
  const { COBRO_BIN: binary, COBRO_CHROMIUM: executablePath } = process.env;
  assert.ok(binary && executablePath, 'COBRO_BIN and COBRO_CHROMIUM must be set');
  server = spawn(binary, ['serve', '--port', '0', '--ephemeral'], { stdio: ['ignore', 'pipe', 'inherit'] });
  base = await address(server);
  shop = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>shop</title><link rel="icon" href="data:,"><h1>${request.url}</h1>`);
  });
  shop.listen(0, '127.0.0.1');
  await once(shop, 'listening');
  shopUrl = `http://127.0.0.1:${shop.address().port}`;
  browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
});

after(async () => {
  await browser?.close();
  shop?.close();
  if (server && server.exitCode === null) {
    server.kill();
    await once(server, 'exit');
  }
});

beforeEach(async () => {
  faults = [];
  page = await open({ viewport: { width: 390, height: 844 } });
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
  const context = await browser.newContext({ locale: 'es-CO', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(STEP_MS);
  const fresh = await context.newPage();
  fresh.on('pageerror', (error) => faults.push(String(error)));
  fresh.on('console', (message) => {
    // Chromium reports each refused form as well; the test that provokes one looks at the page
    if (message.type() === 'error' && !/status of 4(09|22)/.test(message.text())) faults.push(message.text());
  });
  fresh.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (origin !== base && origin !== shopUrl && !request.url().startsWith('data:')) faults.push(`loads ${request.url()}`);
  });
  return fresh;
}

/** Fresh authentication, as the provider's libraries reckon it. */
function auth() {
  const nonce = randomBytes(16);
  const seed = new Date().toISOString();
  const digest = createHash('sha256').update(nonce).update(seed).update(SECRET_KEY).digest('base64');
  return { login: LOGIN, tranKey: digest, nonce: nonce.toString('base64'), seed };
}

async function call(path, body) {
  const answer = await fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: auth(), ...body }),
  });
  return answer.json();
}

async function session(request) {
  const made = await call('/api/session', {
    locale: 'es_CO',
    returnUrl: `${shopUrl}/back`,
    cancelUrl: `${shopUrl}/cart`,
    ipAddress: '127.0.0.1',
    userAgent: 'tests',
    ...request,
  });
  assert.equal(made.status.status, 'OK', JSON.stringify(made));
  return made;
}

const payment = (more = {}) => ({
  payment: { reference: 'ORD-1', description: 'Cafetera', amount: { currency: 'COP', total: 189900 }, ...more },
});

const asked = (made) => call(`/api/session/${made.requestId}`, {});

const button = (name) => page.getByRole('button', { name });

async function fill(number) {
  await page.getByLabel('Número de tarjeta').pressSequentially(number);
  await page.getByLabel('Vencimiento').pressSequentially('1235');
  await page.getByLabel('Código CVV').pressSequentially('123');
  await page.getByLabel('Nombre como está en la tarjeta').fill('Rosa Lemus');
  await page.getByLabel('Número de documento').fill('1040099001');
  await page.getByLabel('Correo electrónico').fill('rosa@example.org');
}

test('typed by hand, approved, and back to the shop', async () => {
  const made = await session(payment());
  await page.goto(made.processUrl);
  await fill(APPROVES);
  assert.equal(await page.getByLabel('Número de tarjeta').inputValue(), '4111 1111 1111 1111');
  assert.equal(await page.getByLabel('Vencimiento').inputValue(), '12/35');
  assert.equal(await page.locator('#brand').textContent(), 'Visa');
  await button(/^Pagar/).click();
  await page.getByRole('heading', { name: 'Pago aprobado' }).waitFor();
  assert.equal(page.url(), made.processUrl, 'nothing is added to the address');
  const state = await asked(made);
  assert.equal(state.status.status, 'APPROVED');
  assert.deepEqual(
    { ...state.request.payer },
    { document: '1040099001', documentType: 'CC', name: 'Rosa', surname: 'Lemus', email: 'rosa@example.org' },
  );
  await page.getByRole('link', { name: 'Volver a la tienda' }).click();
  await page.waitForURL(`${shopUrl}/back`);
  // the page that is gone back to is the result, not a form with a card in it
  await page.goBack();
  await page.getByRole('heading', { name: 'Pago aprobado' }).waitFor();
});

test('what is wrong is told at once, with the focus on it, and nothing leaves the page', async () => {
  const made = await session(payment());
  await page.goto(made.processUrl);
  await page.getByLabel('Número de tarjeta').pressSequentially('4111111111111112');
  await page.getByLabel('Vencimiento').focus();
  await page.getByText('El número no es el de una tarjeta: revise los dígitos.').waitFor();
  await button(/^Pagar/).click();
  await page.getByRole('heading', { name: 'Revise estos datos' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'notice');
  assert.match(await page.title(), /^Error: /);
  await page.getByRole('link', { name: 'Escriba su correo electrónico.' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'email');
  // a card that nobody published for tests
  await page.getByLabel('Número de tarjeta').fill('');
  await page.getByLabel('Número de tarjeta').pressSequentially(CANARY);
  await button(/^Pagar/).click();
  await page.locator('#number-fault', { hasText: 'En modo de pruebas' }).waitFor();
  assert.equal((await asked(made)).status.status, 'PENDING');
});

test('by keyboard alone', async () => {
  await page.goto((await session(payment())).processUrl);
  await button(/Aprueba Visa/).focus();
  await page.keyboard.press('Enter');
  assert.equal(await button(/Aprueba Visa/).getAttribute('aria-pressed'), 'true');
  await page.getByLabel('Correo electrónico').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Pago aprobado' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'title');
});

test('a declined card leaves a second try', async () => {
  const made = await session(payment());
  await page.goto(made.processUrl);
  await button(/Rechaza Visa/).click();
  await button(/^Pagar/).click();
  await page.getByRole('heading', { name: 'El pago no pasó' }).waitFor();
  await page.getByText('Intentos que le quedan: 9').waitFor();
  assert.equal(await page.getByLabel('Número de tarjeta').inputValue(), '');
  assert.equal(await page.getByLabel('Nombre como está en la tarjeta').inputValue(), 'Rosa Lemus');
  await button(/Aprueba Visa/).click();
  await button(/^Pagar/).click();
  await page.getByRole('heading', { name: 'Pago aprobado' }).waitFor();
  assert.deepEqual((await asked(made)).payment.map((one) => one.status.status), ['APPROVED', 'REJECTED']);
});

for (const [code, heading] of [['12345', 'Pago aprobado'], ['11111', 'El pago no pasó']]) {
  test(`a challenge answered with ${code}`, async () => {
    await page.goto((await session(payment())).processUrl);
    await button(/Pide código/).click();
    await button(/^Pagar/).click();
    await page.getByRole('heading', { name: 'Confirme que es usted' }).waitFor();
    await button('Confirmar').click();
    await page.locator('#otp-fault', { hasText: 'Escriba el código' }).waitFor();
    await page.getByLabel('Código de un solo uso').fill(code);
    await button('Confirmar').click();
    await page.getByRole('heading', { name: heading }).waitFor();
  });
}

test('a card is stored with consent', async () => {
  const made = await session({ subscription: { reference: 'SUB-1', description: 'Plan anual' } });
  await page.goto(made.processUrl);
  await button(/Aprueba Visa/).click();
  await button('Guardar tarjeta').click();
  await page.locator('#save-fault', { hasText: 'Sin su autorización' }).waitFor();
  await page.getByLabel(/Autorizo a/).check();
  await button('Guardar tarjeta').click();
  await page.getByRole('heading', { name: 'Tarjeta guardada' }).waitFor();
  const { subscription } = await asked(made);
  assert.equal(subscription.status.status, 'OK');
  assert.equal(subscription.instrument.find((one) => one.keyword === 'lastDigits').value, '1111');
});

test('a part, then the rest', async () => {
  await page.goto((await session(payment({ allowPartial: true }))).processUrl);
  await page.getByLabel('Una parte').check();
  await page.getByLabel('Valor que paga ahora').fill('50.000');
  await button(/Aprueba Visa/).click();
  await button('Pagar').click();
  await page.getByText('Ya pagado').waitFor();
  await button(/Aprueba Visa/).click();
  await button(/^Pagar \$.139\.900,00/).click();
  await page.getByRole('heading', { name: 'Pago aprobado' }).waitFor();
});

test('a page that waits changes by itself', async () => {
  await page.goto((await session(payment())).processUrl);
  await button(/Pendiente, luego aprueba/).click();
  await button(/^Pagar/).click();
  await page.getByRole('heading', { name: 'Pago en proceso' }).waitFor();
  const advanced = await fetch(`${base}/_cobro/v1/clock/advance`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"seconds":31}',
  });
  assert.equal(advanced.status, 200);
  await page.getByRole('heading', { name: 'Pago aprobado' }).waitFor();
});

test('giving up leads to the shop', async () => {
  const made = await session(payment());
  await page.goto(made.processUrl);
  await button('No quiero continuar').click();
  await page.waitForURL(`${shopUrl}/cart`);
  assert.equal((await asked(made)).status.status, 'REJECTED');
  await page.goto(made.processUrl);
  await page.getByRole('heading', { name: 'Usted canceló' }).waitFor();
});

test('without scripts the form does it all', async () => {
  const plain = await open({ javaScriptEnabled: false });
  for (const [request, end] of [
    [payment(), null],
    [{ ...payment(), skipResult: true }, `${shopUrl}/back`],
  ]) {
    await plain.goto((await session(request)).processUrl);
    await plain.getByRole('button', { name: /^Pagar/ }).click();
    await plain.getByRole('heading', { name: 'Revise estos datos' }).waitFor();
    await plain.getByLabel('Número de tarjeta').fill(APPROVES);
    await plain.getByLabel('Vencimiento').fill('12/35');
    await plain.getByLabel('Código CVV').fill('123');
    await plain.getByLabel('Nombre como está en la tarjeta').fill('Rosa Lemus');
    await plain.getByLabel('Número de documento').fill('1040099001');
    await plain.getByLabel('Correo electrónico').fill('rosa@example.org');
    await plain.getByRole('button', { name: /^Pagar/ }).click();
    if (end) await plain.waitForURL(end);
    else await plain.getByRole('heading', { name: 'Pago aprobado' }).waitFor();
  }
  await plain.context().close();
});

test('nothing is wider than a small phone, in any language', async () => {
  const made = await session(payment({ allowPartial: true, subscribe: true }));
  await page.setViewportSize({ width: 320, height: 640 });
  for (const language of ['es', 'pt-BR', 'en']) {
    await page.goto(`${made.processUrl}?lang=${language}`);
    assert.equal(await page.evaluate(() => document.documentElement.lang), language);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(wide, 320, language);
  }
});
