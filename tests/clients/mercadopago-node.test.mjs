// The official Node SDK, unmodified, against the real binary.
//
//   COBRO_BIN  the program, `cobro`
//
// The SDK's host is a constant of its own. It stays: what Node is asked to send there over TLS is
// sent to Cobro instead, headers (`Host` among them) and body as the SDK wrote them. So `cobro run`
// and a proxy do it from the outside.

import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { after, afterEach, before, test } from 'node:test';
import { MercadoPagoConfig, Payment, PaymentRefund, Point } from 'mercadopago';

import { SELLERS } from './harness/merchants.mjs';
import { sharedServer } from './harness/server.mjs';

const HOST = 'api.mercadopago.com';

const server = sharedServer();
/** What the SDK sent: method, path and headers. */
let sent = [];
const overTls = https.request;

before(() => {
  https.request = (options, ...rest) => {
    assert.equal(options.hostname ?? options.host, HOST, 'the SDK calls nobody else');
    sent.push({ method: options.method, path: options.path, headers: options.headers });
    const { hostname, port } = new URL(server.base);
    const headers = { ...options.headers, Host: HOST };
    const { method, path, timeout, signal } = options;
    return http.request({ hostname, port, method, path, timeout, signal, headers }, ...rest);
  };
});

after(() => {
  https.request = overTls;
});

afterEach(() => {
  sent = [];
});

/** The clients of a seller; another token for those who are nobody. */
function clients(site, accessToken = SELLERS[site].token) {
  const config = new MercadoPagoConfig({ accessToken });
  const { device } = SELLERS[site];
  return { device, point: new Point(config), payments: new Payment(config), refunds: new PaymentRefund(config) };
}

/** What a person does at the terminal. */
const press = (device, key, body = {}) => server.control('POST', `terminals/${device}/${key}`, body);

/** A payment: the intent's id, and the payment's. */
async function pay(site, request) {
  const { device, point } = clients(site);
  const { id } = await point.createPaymentIntent({ device_id: device, request });
  await press(device, 'fetch');
  const outcome = await press(device, 'card');
  assert.equal(outcome.outcome, 'approved');
  return { intent: id, payment: outcome.payment.id };
}

/** An answer without what the SDK adds to it. */
function body({ api_response: response, ...members }) {
  assert.ok(response.status >= 200 && response.status < 300);
  return members;
}

test('lists the devices and changes their mode', async () => {
  const { device, point } = clients('MLA');
  const listed = await point.getDevices({});
  assert.equal(sent[0].path, '/point/integration-api/devices?', 'which the server has to take');
  assert.equal(listed.api_response.status, 200);
  assert.deepEqual(listed.paging, { limit: 50, offset: 0, total: 1 });
  const [first] = listed.devices;
  assert.equal(first.id, device);
  assert.equal(first.operating_mode, 'PDV');
  assert.equal(typeof first.pos_id, 'number');
  assert.match(first.store_id, /^\d+$/);
  assert.equal(typeof first.external_pos_id, 'string');
  const none = await point.getDevices({ request: { options: { limit: 1, offset: 1 } } });
  assert.deepEqual(body(none), { devices: [], paging: { limit: 1, offset: 1, total: 1 } });

  for (const operating_mode of ['STANDALONE', 'PDV']) {
    const changed = await point.changeDeviceOperatingMode({ device_id: device, request: { operating_mode } });
    assert.deepEqual(body(changed), { operating_mode });
    const { devices } = await point.getDevices({});
    assert.equal(devices[0].operating_mode, operating_mode);
  }
});

test('creates, reads and cancels an intent', async () => {
  const { device, point } = clients('MLA');
  const request = {
    amount: 1500,
    additional_info: { external_reference: 'caja-1', print_on_terminal: true, ticket_number: 'B1' },
  };
  const created = await point.createPaymentIntent({ device_id: device, request });
  assert.equal(created.api_response.status, 201);
  assert.match(created.id, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  assert.deepEqual(body(created), { ...request, id: created.id, device_id: device });
  assert.ok(sent[0].headers['X-Idempotency-Key'], 'the SDK makes a key of its own for each call');

  await assert.rejects(point.createPaymentIntent({ device_id: device, request }), {
    message: 'There is already a queued intent for the device',
    error: '2205',
    status: 409,
    cause: [],
  });
  const read = await point.searchPaymentIntent({ payment_intent_id: created.id });
  assert.deepEqual(body(read), { ...body(created), state: 'OPEN' });
  const canceled = await point.cancelPaymentIntent({ device_id: device, payment_intent_id: created.id });
  assert.deepEqual(body(canceled), { id: created.id });
  assert.equal((await point.searchPaymentIntent({ payment_intent_id: created.id })).state, 'CANCELED');
  await assert.rejects(point.cancelPaymentIntent({ device_id: device, payment_intent_id: created.id }), {
    status: 404,
    error: 'not_found',
  });
});

test('one key is one intent', async () => {
  const { device, point } = clients('MLM');
  const once = () => point.createPaymentIntent({
    device_id: device,
    request: { amount: 1500 },
    requestOptions: { idempotencyKey: 'k-node-1' },
  });
  const answers = await Promise.all(Array.from({ length: 16 }, once));
  assert.equal(new Set(answers.map((answer) => JSON.stringify(body(answer)))).size, 1);
  await clients('MLM').point.cancelPaymentIntent({ device_id: device, payment_intent_id: answers[0].id });
});

test('follows a payment on the terminal', async () => {
  const { device, point, payments } = clients('MLB');
  const request = {
    amount: 1400,
    description: 'Mesa 7',
    payment: { type: 'credit_card', installments: 1, installments_cost: 'seller' },
    additional_info: { external_reference: 'pedido 17', print_on_terminal: true },
  };
  const { id } = await point.createPaymentIntent({ device_id: device, request });
  const read = () => point.searchPaymentIntent({ payment_intent_id: id });
  await press(device, 'fetch');
  assert.equal((await read()).state, 'ON_TERMINAL');
  await assert.rejects(point.cancelPaymentIntent({ device_id: device, payment_intent_id: id }), (error) => {
    assert.equal(error.status, 409);
    assert.match(error.message, /Verify if the intent is already being processed/);
    return true;
  });
  await press(device, 'card', { hold: true });
  assert.equal((await read()).state, 'PROCESSED');
  await press(device, 'close');
  const finished = await read();
  assert.equal(finished.state, 'FINISHED');
  assert.equal(finished.payment_mode, 'card');
  assert.equal(typeof finished.payment.id, 'string');

  const payment = await payments.get({ id: finished.payment.id });
  assert.equal(String(payment.id), finished.payment.id);
  assert.equal(payment.status, 'approved');
  assert.equal(payment.status_detail, 'accredited');
  assert.equal(payment.transaction_amount, 14);
  assert.equal(payment.currency_id, 'BRL');
  assert.equal(payment.external_reference, 'pedido 17');
  assert.equal(payment.metadata.payment_intent_id, id);
  assert.equal(payment.transaction_details.net_received_amount, 13.3);
});

test('refunds in part and as a whole', async () => {
  const { payments, refunds } = clients('MLA');
  const { payment: payment_id } = await pay('MLA', { amount: 150000 });
  const part = await refunds.create({ payment_id, body: { amount: 500.5 } });
  assert.equal(part.api_response.status, 201);
  assert.equal(part.amount, 500.5);
  assert.equal(part.status, 'approved');
  assert.equal(String(part.payment_id), payment_id);
  assert.equal((await payments.get({ id: payment_id })).status_detail, 'partially_refunded');
  await assert.rejects(refunds.create({ payment_id, body: { amount: 1000 } }), (error) => {
    assert.equal(error.status, 400);
    assert.equal(error.cause[0].code, 2063);
    return true;
  });
  const total = await refunds.total({ payment_id });
  assert.equal(total.amount, 999.5);
  const payment = await payments.get({ id: payment_id });
  assert.equal(payment.status, 'refunded');
  assert.equal(payment.transaction_amount_refunded, 1500);
  assert.deepEqual(payment.refunds.map((refund) => refund.id), [part.id, total.id]);

  const listed = await refunds.list({ payment_id });
  assert.equal(sent.at(-1).path, `/v1/payments/${payment_id}/refunds/`, 'with a slash at the end');
  assert.deepEqual([...listed].map((refund) => refund.amount), [500.5, 999.5]);
  for (const refund of [part, total]) {
    const read = await refunds.get({ payment_id, refund_id: refund.id });
    assert.deepEqual(body(read), body(refund));
  }
});

test('a wrong token is refused everywhere', async () => {
  const { intent, payment: payment_id } = await pay('MLM', { amount: 1500 });
  const { device } = SELLERS.MLM;
  const wrong = SELLERS.MLM.token.replaceAll('c', 'e');
  for (const token of [wrong, 'x']) {
    const { point, payments, refunds } = clients('MLM', token);
    const calls = {
      getDevices: () => point.getDevices({}),
      changeDeviceOperatingMode: () => point.changeDeviceOperatingMode({ device_id: device, request: { operating_mode: 'STANDALONE' } }),
      createPaymentIntent: () => point.createPaymentIntent({ device_id: device, request: { amount: 1500 } }),
      searchPaymentIntent: () => point.searchPaymentIntent({ payment_intent_id: intent }),
      cancelPaymentIntent: () => point.cancelPaymentIntent({ device_id: device, payment_intent_id: intent }),
      payment: () => payments.get({ id: payment_id }),
      refund: () => refunds.create({ payment_id, body: { amount: 1 } }),
      total: () => refunds.total({ payment_id }),
      list: () => refunds.list({ payment_id }),
      get: () => refunds.get({ payment_id, refund_id: 1000000000 }),
    };
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call(), { status: 401, error: 'unauthorized' }, name);
    }
  }
  // Nor does another seller see what is not its own.
  const other = clients('MLA');
  await assert.rejects(other.point.createPaymentIntent({ device_id: device, request: { amount: 1500 } }), {
    error: '104',
    message: 'Forbidden Error checking device owner',
    status: 403,
  });
  await assert.rejects(other.point.searchPaymentIntent({ payment_intent_id: intent }), { status: 404 });
  await assert.rejects(other.payments.get({ id: payment_id }), { status: 404 });
  await assert.rejects(other.refunds.total({ payment_id }), { status: 404 });
  // And nothing came of all that.
  const own = clients('MLM');
  assert.equal((await own.payments.get({ id: payment_id })).transaction_amount_refunded, 0);
  assert.equal((await own.point.getDevices({})).devices[0].operating_mode, 'PDV');
});
