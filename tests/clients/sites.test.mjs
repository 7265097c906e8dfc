// What the console shows of a merchant without terminals: sessions, charges of tokens, stored cards
// and notifications; a headless Chromium on the pages of the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium

import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';

import { DESKTOP, assertFits, live, visitors } from './harness/browser.mjs';
import { openWebhook } from './harness/listeners.mjs';
import { CHILE, COLOMBIA, checkoutAuth } from './harness/merchants.mjs';
import { sharedServer } from './harness/server.mjs';

const server = sharedServer(async () => {
  hook = await openWebhook();
  await work();
});
const { open } = visitors(server, { ...DESKTOP, locale: 'es-CO' });
let page;
let hook;
let token;

after(() => hook?.close());

beforeEach(async () => {
  page = await open();
});

const ask = (path, body) => server.call('POST', path, { ...body, auth: checkoutAuth() });

const session = (body) => ask('/api/session', { returnUrl: 'https://shop.example.org/', ipAddress: '127.0.0.1', userAgent: 'test', ...body });
const pay = ({ requestId }, body) => server.control('POST', `sessions/${requestId}/pay`, body);
const collect = (reference, total) => ask('/api/collect', { payment: { reference, amount: { currency: 'COP', total } }, instrument: { token: { token } } });

/** A morning of a shop: a token, three charges of it, a payment that is declined and then paid. */
async function work() {
  await server.control('PATCH', `merchants/${COLOMBIA}`, { webhook: { url: hook.url } });
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
  await on.goto(`/console/sites${hash}`);
  await live(on);
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
    await phone.goto(`/console/sites?lang=${lang}#collects`);
    await part('collects', phone);
    assert.equal(await phone.locator('#part-collects').innerText(), word);
    await assertFits(phone);
    for (const name of ['collects', 'tokens', 'notifications', 'sessions']) {
      await phone.locator(`#part-${name}`).click();
      await part(name, phone);
      const cut = await phone.evaluate(() => document.getElementById('journal').scrollWidth - document.querySelector('.table-frame').clientWidth);
      assert.ok(cut <= 0, `${lang}: ${cut} px of ${name} are cut off`);
    }
  }
});
