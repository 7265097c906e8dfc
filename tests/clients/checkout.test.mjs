// The hosted card page as a card holder meets it: a headless Chromium on the pages of the real
// binary, with sessions that a shop makes through the API.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { PHONE, assertFits, visitors } from './harness/browser.mjs';
import { openShop } from './harness/listeners.mjs';
import { checkoutAuth } from './harness/merchants.mjs';
import { sharedServer } from './harness/server.mjs';

const APPROVES = '4111111111111111';
const CANARY = '4539578763621486';

const server = sharedServer();
const { open } = visitors(server, { ...PHONE, locale: 'es-CO' }, {
  neighbours: () => [shop.url, 'data:'],
  // Chromium reports each refused form as well; the test that provokes one looks at the page
  expects: (message) => /status of 4(09|22)/.test(message.text()),
});
let shop;
let page;

before(async () => {
  shop = await openShop();
});

after(() => shop?.close());

beforeEach(async () => {
  page = await open();
});

const call = (path, body) => server.call('POST', path, { auth: checkoutAuth(), ...body });

async function session(request) {
  const made = await call('/api/session', {
    locale: 'es_CO',
    returnUrl: `${shop.url}/back`,
    cancelUrl: `${shop.url}/cart`,
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

/** Who pays. */
async function fillHolder(on = page) {
  await on.getByLabel('Nombre como está en la tarjeta').fill('Rosa Lemus');
  await on.getByLabel('Número de documento').fill('1040099001');
  await on.getByLabel('Correo electrónico').fill('rosa@example.org');
}

test('typed by hand, approved, and back to the shop', async () => {
  const made = await session(payment());
  await page.goto(made.processUrl);
  await page.getByLabel('Número de tarjeta').pressSequentially(APPROVES);
  await page.getByLabel('Vencimiento').pressSequentially('1235');
  await page.getByLabel('Código CVV').pressSequentially('123');
  await fillHolder();
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
  await page.waitForURL(`${shop.url}/back`);
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
  await server.control('POST', 'clock/advance', { seconds: 31 });
  await page.getByRole('heading', { name: 'Pago aprobado' }).waitFor();
});

test('giving up leads to the shop', async () => {
  const made = await session(payment());
  await page.goto(made.processUrl);
  await button('No quiero continuar').click();
  await page.waitForURL(`${shop.url}/cart`);
  assert.equal((await asked(made)).status.status, 'REJECTED');
  await page.goto(made.processUrl);
  await page.getByRole('heading', { name: 'Usted canceló' }).waitFor();
});

test('without scripts the form does it all', async () => {
  const plain = await open({ javaScriptEnabled: false });
  for (const [request, end] of [
    [payment(), null],
    [{ ...payment(), skipResult: true }, `${shop.url}/back`],
  ]) {
    await plain.goto((await session(request)).processUrl);
    await plain.getByRole('button', { name: /^Pagar/ }).click();
    await plain.getByRole('heading', { name: 'Revise estos datos' }).waitFor();
    await plain.getByLabel('Número de tarjeta').fill(APPROVES);
    await plain.getByLabel('Vencimiento').fill('12/35');
    await plain.getByLabel('Código CVV').fill('123');
    await fillHolder(plain);
    await plain.getByRole('button', { name: /^Pagar/ }).click();
    if (end) await plain.waitForURL(end);
    else await plain.getByRole('heading', { name: 'Pago aprobado' }).waitFor();
  }
});

test('nothing is wider than a small phone, in any language', async () => {
  const made = await session(payment({ allowPartial: true, subscribe: true }));
  await page.setViewportSize({ width: 320, height: 640 });
  for (const language of ['es', 'pt-BR', 'en']) {
    await page.goto(`${made.processUrl}?lang=${language}`);
    assert.equal(await page.evaluate(() => document.documentElement.lang), language);
    await assertFits(page);
  }
});
