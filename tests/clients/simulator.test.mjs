// The Point simulator, driven by hand: both its modes in a headless Chromium, on the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person would see.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { DESKTOP, TOUCH, assertFits, refusedCalls, visitors } from './harness/browser.mjs';
import { openWebhook } from './harness/listeners.mjs';
import { SELLERS, bearer } from './harness/merchants.mjs';
import { sharedServer } from './harness/server.mjs';
import { terminal } from './harness/terminal.mjs';

const { id: SELLER, device: DEVICE, token: TOKEN } = SELLERS.MLA;
const PDV_MODE = '/point/integrator-simulator/sandbox/';
const DEVICE_MODE = '/point/integrator-simulator/sandbox/device';
const OUTCOMES = [
  { outcome: 'approved', detail: 'Approved', amount: 1500, shown: '15,00', end: 'FINISHED', payment: 'approved' },
  { outcome: 'reversed', detail: 'Reversed', amount: 1100, shown: '11,00', end: 'FINISHED', payment: 'cancelled' },
  { outcome: 'rejected', detail: 'Rejected', amount: 1200, shown: '12,00', end: 'FINISHED', payment: 'rejected' },
  { outcome: 'error', detail: 'Error', amount: 1300, shown: '13,00', end: 'ERROR', payment: null },
];

const server = sharedServer();
const { open } = visitors(server, { ...DESKTOP, locale: 'es-AR' }, {
  expects: refusedCalls('/_cobro/v1/', '/integration-api/'),
});
let page;
const { ready: seated, screen, key, state, drag, presented } = terminal(() => page);

beforeEach(async () => {
  page = await open();
});

const api = (method, path, body) => server.call(method, path, body, bearer(TOKEN));

/** Queues an intent, as a point of sale does: its id. */
async function queue({ device, token }, amount) {
  const path = `/point/integration-api/devices/${device}/payment-intents`;
  const { status, body } = await server.send('POST', path, { amount }, bearer(token));
  assert.equal(status, 201, JSON.stringify(body));
  return body.id;
}

const green = () => key('green');
const swipe = () => page.locator('.stage .card').click();
const visible = (selector) => page.locator(selector).isVisible();

/** Enters with a demo seller's token by one click, unless the tab remembers one. */
async function enter(path, { site = 'MLA', on = page } = {}) {
  await on.goto(`${path}?ignoreapidoc=true`);
  await on.locator(`.offer[data-site="${site}"]`).click();
  await seated(on);
}

/** What the point of sale sent last, and the answer: the newest entry of the log. */
async function wire(method, on = page) {
  const entry = on.locator(`#wire > .entry[data-method="${method}"]`).first();
  await entry.waitFor();
  const [sent, answered] = await entry.locator('pre').allInnerTexts();
  const [, sentBody] = sent.split('\n\n');
  const [head, body] = answered.split('\n\n');
  return { sent, request: sentBody && JSON.parse(sentBody), head, answer: JSON.parse(body) };
}

async function create(on = page) {
  await on.locator('#pos-create').click();
  await screen('queued', on);
  return wire('POST', on);
}

async function settled(id, { end, payment }) {
  const intent = await api('GET', `/point/integration-api/payment-intents/${id}`);
  assert.equal(intent.state, end);
  if (payment === null) return assert.equal(intent.payment?.id, undefined);
  return assert.equal((await api('GET', `/v1/payments/${intent.payment.id}`)).status, payment);
}

for (const one of OUTCOMES) {
  const { outcome, detail, amount, shown, end } = one;

  test(`PDV mode: ${outcome}`, async () => {
    await enter(PDV_MODE);
    await screen('idle');
    await page.locator(`.scenario:has([value="${outcome}"])`).click();
    const { request, answer, head, sent } = await create();
    assert.equal(request.amount, amount);
    assert.match(sent, new RegExp(`^POST /point/integration-api/devices/${DEVICE}/payment-intents HTTP/1.1\n`));
    assert.ok(sent.includes(`authorization: Bearer ${TOKEN}`));
    assert.match(head, /^HTTP\/1.1 201 Created\n/);
    assert.equal(answer.amount, amount);
    await green();
    await screen('amount');
    assert.ok((await page.locator('.device [data-role="amount"]').innerText()).includes(shown));
    const asked = presented();
    await swipe();
    assert.deepEqual(await asked, { entry: 'swipe', hold: true });
    await screen(outcome);
    assert.ok((await page.locator('.device .detail').innerText()).includes(detail));
    // print_on_terminal is on: the printer gives the receipt without a question
    assert.ok((await page.locator('.paper .slip').innerText()).includes(shown));
    await state(end);
    await page.locator(`.verdict-line[data-outcome="${outcome}"]`).waitFor();
    await settled(answer.id, one);
    await green();
    await screen('idle');
  });

  test(`device mode: ${outcome}`, async () => {
    await enter(DEVICE_MODE);
    await screen('idle');
    assert.equal(await page.locator('#pos').count(), 0);
    const id = await queue(SELLERS.MLA, amount);
    await screen('queued');
    await page.locator('[data-step="fetch"][aria-current]').waitFor();
    await green();
    await screen('amount');
    await page.locator('[data-step="swipe"][aria-current]').waitFor();
    await swipe();
    await screen(outcome);
    await page.locator('[data-step="result"][aria-current]').waitFor();
    assert.ok((await page.locator('.device .detail').innerText()).includes(detail));
    await state(end);
    await settled(id, one);
  });
}

test('processing is shown while the acquirer is asked', async () => {
  await enter(PDV_MODE);
  await create();
  await green();
  await screen('amount');
  let go;
  const held = new Promise((resolve) => { go = resolve; });
  await page.route('**/card', async (route) => {
    await held;
    await route.continue();
  });
  await swipe();
  await screen('processing');
  go();
  await screen('approved');
  await state('FINISHED');
});

test('without print_on_terminal the terminal asks before it prints', async () => {
  await enter(PDV_MODE);
  await page.locator('[name="print_on_terminal"]').uncheck();
  const { request } = await create();
  assert.equal(request.additional_info, undefined);
  await green();
  await screen('amount');
  await swipe();
  await screen('approved');
  assert.equal(await visible('.paper-path'), false);
  await green();
  await page.locator('.paper .slip').waitFor();
  await state('FINISHED');
});

test('an amount that is typed chooses its scenario, in both units', async () => {
  await enter(PDV_MODE);
  for (const [typed, outcome, amount] of [['1.200,00', 'rejected', 120000], ['11', 'reversed', 1100], ['1300', 'error', 130000], ['12,34', 'approved', 1234]]) {
    await page.locator('#pos [name="amount"]').fill(typed);
    assert.equal(await page.locator('[name="scenario"]:checked').getAttribute('value'), outcome, typed);
    assert.ok((await page.locator('#pos-wire').innerText()).includes(String(amount)), typed);
  }
  await page.locator('#pos [name="amount"]').fill('mil');
  await page.locator('#pos-create').click();
  assert.equal(await page.locator('#wire > .entry').count(), 0);
});

test('what the API refuses is said, and shown as it came', async () => {
  await enter(PDV_MODE);
  await page.locator('#pos [name="amount"]').fill('1,00');
  await page.locator('#pos-create').click();
  await page.locator('#pos-refused').waitFor();
  assert.match(await page.locator('#pos-refused').innerText(), /^400 · .*greater than or equal to 500/);
  const { head, answer } = await wire('POST');
  assert.match(head, /^HTTP\/1.1 400 Bad Request\n/);
  assert.match(answer.message, /greater than or equal to 500/);
});

test('a scenario that is chosen already brings its amount back, and a refusal goes with what comes next', async () => {
  await enter(PDV_MODE);
  await page.locator('#pos [name="amount"]').fill('1,00');
  await page.locator('#pos-create').click();
  await page.locator('#pos-refused').waitFor();
  await page.locator('.scenario:has([value="approved"])').click();
  assert.equal(await page.locator('#pos [name="amount"]').inputValue(), '15,00');
  await queue(SELLERS.MLA, 1500);
  await screen('queued');
  assert.equal(await visible('#pos-refused'), false);
  await page.locator('#pos-cancel').click();
  await screen('canceled');
});

test('an error shows the states before it', async () => {
  await enter(PDV_MODE);
  await page.locator('.scenario:has([value="error"])').click();
  await create();
  await green();
  await screen('amount');
  await swipe();
  await screen('error');
  await state('ERROR');
  assert.deepEqual(await page.locator('#flow .track b').allInnerTexts(), ['OPEN', 'ON_TERMINAL', 'PROCESSING', 'ERROR']);
  await create();
  await green();
  await screen('amount');
  await key('red');
  await state('CANCELED');
  assert.deepEqual(await page.locator('#flow .track b').allInnerTexts(), ['OPEN', 'ON_TERMINAL', 'CANCELED']);
  // no card was presented: nothing is printed, and one begins again
  assert.equal(await visible('.paper-path'), false);
  await page.locator('[data-step="create"][aria-current]').waitFor();
});

test('a refund is shown as a refund: on the terminal, on paper and in its states', async () => {
  await enter(PDV_MODE);
  await create();
  await green();
  await screen('amount');
  await swipe();
  await screen('approved');
  await state('FINISHED');
  const payment_id = (await page.locator('.verdict-line code').innerText()).trim();
  await green();
  await screen('idle');
  const refund = { payment_id, additional_info: { print_on_terminal: ['SELLER_TICKET'] } };
  const made = await server.send('POST', `/point/integration-api/devices/${DEVICE}/refund`, refund, bearer(TOKEN));
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await screen('queued');
  assert.match(await page.locator('.device .view').innerText(), /devolución en espera/);
  await page.locator('#pos-read').click();
  assert.equal((await wire('GET')).answer.state, 'OPEN');
  await green();
  await screen('amount');
  assert.match(await page.locator('.device .view').innerText(), /^Total a devolver/);
  await swipe();
  await screen('refunded');
  assert.match(await page.locator('.device .view').innerText(), /^Devuelto/);
  assert.match(await page.locator('.paper .slip').innerText(), /comprobante de devolución/i);
  await state('FINISHED');
  assert.deepEqual(await page.locator('#flow .track b').allInnerTexts(), ['OPEN', 'ON_TERMINAL', 'PROCESSING', 'FINISHED']);
  assert.equal((await api('GET', `/v1/payments/${payment_id}`)).status, 'refunded');
});

test('a result gives way to the next intent', async () => {
  await enter(DEVICE_MODE);
  await queue(SELLERS.MLA, 1500);
  await screen('queued');
  await green();
  await screen('amount');
  await key('red');
  await screen('canceled');
  await queue(SELLERS.MLA, 1500);
  await screen('queued');
  await green();
  await screen('amount');
  await key('red');
  await screen('canceled');
});

test('Argentina sends a reference and a ticket number', async () => {
  await enter(PDV_MODE);
  await page.locator('#more-fields summary').click();
  assert.equal(await visible('[name="description"]'), false);
  await page.locator('[name="external_reference"]').fill('pedido-7');
  await page.locator('[name="ticket_number"]').fill('S0392JED');
  const { request, answer } = await create();
  const info = { external_reference: 'pedido-7', ticket_number: 'S0392JED', print_on_terminal: true };
  assert.deepEqual(request, { amount: 1500, additional_info: info });
  assert.deepEqual(answer.additional_info, info);
  await page.locator('#pos-cancel').click();
  assert.deepEqual((await wire('DELETE')).answer, { id: answer.id });
  await screen('canceled');
  await state('CANCELED');
  await page.locator('#pos-read').click();
  assert.equal((await wire('GET')).answer.state, 'CANCELED');
});

test('Brazil says how it is to be paid', async () => {
  await enter(PDV_MODE, { site: 'MLB' });
  await page.locator('#more-fields summary').click();
  assert.equal(await visible('[name="ticket_number"]'), false);
  assert.equal(await visible('[name="installments"]'), false);
  await page.locator('[name="description"]').fill('Dois cafés');
  await page.locator('[name="type"]').selectOption('credit_card');
  await page.locator('[name="installments"]').fill('3');
  await page.locator('[name="installments_cost"]').selectOption('buyer');
  const { request, answer } = await create();
  assert.deepEqual(request.payment, { type: 'credit_card', installments: 3, installments_cost: 'buyer' });
  assert.equal(answer.description, 'Dois cafés');
  await green();
  await screen('amount');
  await swipe();
  await screen('approved');
  await state('FINISHED');
});

test('the card is dragged to the terminal', async () => {
  await enter(PDV_MODE);
  await page.locator('[name="amount"]').fill('18,00');
  await create();
  await green();
  await screen('amount');
  assert.equal(await drag([0.5, 0.5]), 'swipe');
  await screen('approved');
  await state('FINISHED');
});

test('a whole payment with the keyboard alone', async () => {
  await page.goto(PDV_MODE);
  await page.locator('#access-token').waitFor();
  await page.locator('#access-token').focus();
  await page.keyboard.type(TOKEN);
  await page.keyboard.press('Enter');
  await seated();
  await page.locator('[name="amount"]').focus();
  await page.keyboard.press('Enter');
  await screen('queued');
  // the green key has the focus now
  await page.keyboard.press('Enter');
  await screen('amount');
  // only swiping is offered here: the other ways do nothing
  await page.keyboard.press('t');
  await page.keyboard.press('i');
  const asked = presented();
  await page.keyboard.press('s');
  assert.equal((await asked).entry, 'swipe');
  await screen('approved');
  await page.keyboard.press('Backspace');
  await screen('idle');
  await state('FINISHED');
});

test('the token stays in the tab, in both modes, and goes when the person leaves', async () => {
  await enter(PDV_MODE);
  const kept = () => page.evaluate(() => ({ session: JSON.stringify({ ...sessionStorage }), local: JSON.stringify({ ...localStorage }), cookie: document.cookie, url: location.href }));
  const { session, local, cookie, url } = await kept();
  assert.ok(session.includes(TOKEN));
  for (const other of [local, cookie, url]) assert.equal(other.includes(TOKEN), false);
  await page.reload();
  await seated();
  await page.locator('[data-nav="device"]').click();
  await seated();
  assert.equal(await page.locator('#simulator').getAttribute('data-mode'), 'device');
  assert.equal(await visible('#gate'), false);
  await page.locator('#seat-leave').click();
  await page.locator('#gate').waitFor();
  assert.equal((await kept()).session.includes(TOKEN), false);
  const stranger = await open();
  await stranger.goto(PDV_MODE);
  await stranger.locator('#gate').waitFor();
});

for (const [path, token, device, words] of [
  [PDV_MODE, 'TEST-1-2-3-4', null, /access token/],
  [PDV_MODE, 'ñandú', null, /access token/],
  [DEVICE_MODE, TOKEN, 'PAX_A910__SBX9999999', /PAX_A910__SBX9999999/],
]) {
  test(`refused at the gate: ${token.slice(0, 12)} ${device ?? ''}`, async () => {
    await page.goto(path);
    await page.locator('#access-token').fill(token);
    if (device) await page.locator('[name="device"]').fill(device);
    await page.locator('#access .primary').click();
    await page.locator('#access-refused').waitFor();
    assert.match(await page.locator('#access-refused').innerText(), words);
    assert.equal(await visible('#bench'), false);
  });
}

test('a token of another world leads there, and its devices can be chosen', async () => {
  const world = await server.newWorld({ name: 'simulador' });
  const seller = world.mercado_pago.sellers[0];
  const inside = { 'cobro-world': world.id };
  const pairing = { merchant: String(seller.user_id), count: 1 };
  const paired = await server.send('POST', '/_cobro/v1/terminals', pairing, inside);
  assert.equal(paired.status, 201, JSON.stringify(paired.body));
  const second = paired.body.terminals[0].id;
  await page.goto(PDV_MODE);
  await page.locator('#access-token').fill(seller.access_token);
  await page.locator('#access .primary').click();
  await seated();
  await page.locator('#seat-device').selectOption(second);
  await page.locator(`#seat-settings[href*="${second}"]`).waitFor();
  await seated();
  assert.ok((await page.locator('#seat-settings').getAttribute('href')).endsWith(`?world=${world.id}`));
  const { answer } = await create();
  assert.equal(answer.device_id, second);
  await green();
  await screen('amount');
  await swipe();
  await screen('approved');
  await state('FINISHED');
  const shown = await server.control('GET', `terminals/${second}`, undefined, inside);
  assert.equal(shown.last.intent.id, answer.id);
  assert.equal((await server.send('DELETE', `/_cobro/v1/worlds/${world.id}`)).status, 204);
});

test('the notifications are seen as they go out, with what was sent and answered', async (t) => {
  const hook = await openWebhook({ answer: 'recibido' });
  t.after(hook.close);
  await server.control('PATCH', `merchants/${SELLER}`, { webhook: { url: hook.url, events: 'all' } });
  await enter(PDV_MODE);
  await page.locator('#targets').getByText(hook.url).waitFor();
  const { answer } = await create();
  await green();
  await screen('amount');
  await swipe();
  await screen('approved');
  const mine = page.locator('#notices > .entry', { hasText: answer.id });
  const finished = mine.filter({ has: page.locator('summary b', { hasText: 'FINISHED' }) }).and(page.locator('[data-state="delivered"]'));
  await finished.first().waitFor();
  await finished.first().locator('summary').first().click();
  const raw = (await finished.first().locator('pre').allInnerTexts()).join('\n');
  assert.match(raw, /x-signature: ts=/);
  assert.equal(JSON.parse((await finished.first().locator('pre').allInnerTexts())[1]).id, answer.id);
  assert.match(raw, /recibido/);
  const before = hook.calls();
  const [replayed] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/replay')),
    finished.first().locator('.facts button').click(),
  ]);
  assert.ok(replayed.ok());
  await finished.nth(1).waitFor();
  assert.ok(hook.calls() > before, 'the webhook was not called again');
  // another seller's log has nothing of it
  const other = await open();
  await enter(DEVICE_MODE, { site: 'MLM', on: other });
  await other.locator('#notices-empty').waitFor();
  assert.equal(await other.locator('#notices > .entry').count(), 0);
});

for (const path of [PDV_MODE, DEVICE_MODE]) {
  test(`a phone, by touch: ${path}`, async () => {
    const phone = await open(TOUCH);
    await phone.goto(path);
    await phone.locator('.offer[data-site="MLM"]').tap();
    await seated(phone);
    if (path === PDV_MODE) await phone.locator('#pos-create').tap();
    else await queue(SELLERS.MLM, 1500);
    await screen('queued', phone);
    await phone.locator('.device [data-key="green"]').tap();
    await screen('amount', phone);
    await phone.locator('.stage .card').tap();
    await screen('approved', phone);
    await state('FINISHED', phone);
    await assertFits(phone);
  });
}

for (const [lang, pdv, device] of [['es', 'Modo PDV', 'Modo dispositivo'], ['pt-BR', 'Modo PDV', 'Modo dispositivo'], ['en', 'POS mode', 'Device mode']]) {
  test(`the simulator speaks ${lang}, behind the provider's prefix too`, async () => {
    for (const [path, title] of [[PDV_MODE, pdv], [`/mercadopago${DEVICE_MODE}`, device]]) {
      const answer = await page.goto(`${path}?ignoreapidoc=true&lang=${lang}`);
      assert.equal(answer.status(), 200);
      assert.equal(await page.locator('#gate h1').innerText(), title);
      assert.equal(await page.locator('html').getAttribute('lang'), lang);
    }
  });
}
