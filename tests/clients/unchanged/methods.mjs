// Every method of the official Node SDK's Point, payment, refund, OAuth and user clients, and its
// validator of webhook signatures: no host, no proxy, no certificate. What came of each is its one
// line of output.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { MercadoPagoConfig, OAuth, Payment, PaymentRefund, Point, User, WebhookSignatureValidator } from 'mercadopago-3';

const world = JSON.parse(process.env.COBRO_WORLD_JSON).mercado_pago;
const seller = world.sellers.find(({ site }) => site === 'MLA');
const [device_id] = seller.terminals;
const config = new MercadoPagoConfig({ accessToken: seller.access_token });
const point = new Point(config);
const payments = new Payment(config);
const refunds = new PaymentRefund(config);

async function control(method, path, body) {
  const response = await fetch(`${process.env.COBRO_CONTROL_URL}/${path}`, {
    method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body),
  });
  return response.json();
}

const press = (key) => control('POST', `terminals/${device_id}/${key}`, {});
const status = (work) => work.then(() => 'done', (error) => error.status);

// a receiver of signed webhooks
const received = [];
const hook = createServer((request, response) => {
  received.push({ url: new URL(request.url, 'http://localhost'), headers: request.headers });
  request.resume().on('end', () => response.end());
  hook.emit('received');
}).listen(0, '127.0.0.1');
await once(hook, 'listening');
await control('PATCH', `merchants/${seller.user_id}`, { webhook: { url: `http://127.0.0.1:${hook.address().port}/avisos` } });

// Point
const devices = await point.getDevices({ request: { options: { limit: 10 } } });
const modes = [];
for (const operating_mode of ['STANDALONE', 'PDV']) {
  modes.push((await point.changeDeviceOperatingMode({ device_id, request: { operating_mode } })).operating_mode);
}
const first = await point.createPaymentIntent({ device_id, request: { amount: 1500 } });
const read = await point.searchPaymentIntent({ payment_intent_id: first.id });
const state = await point.getPaymentIntentStatus({ payment_intent_id: first.id });
const arrived = once(hook, 'received');
const canceled = await point.cancelPaymentIntent({ device_id, payment_intent_id: first.id });
await arrived;
const day = (await control('GET', 'clock')).now.slice(0, 10);
const list = await point.getPaymentIntentList({ body: { options: { startDate: day, endDate: day } } });

// payments and refunds
await point.createPaymentIntent({ device_id, request: { amount: 3000, additional_info: { external_reference: 'caja-1' } } });
await press('fetch');
const { payment: { id } } = await press('card');
const payment = await payments.get({ id });
const found = await payments.search({ options: { external_reference: 'caja-1' } });
const walked = [];
for await (const one of payments.searchAll({ options: { external_reference: 'caja-1' } })) walked.push(String(one.id));
const part = await refunds.create({ payment_id: id, body: { amount: 10 } });
const shown = await refunds.get({ payment_id: id, refund_id: part.id });
const total = await refunds.total({ payment_id: id });
const listed = await refunds.list({ payment_id: id });
// Not part of Point: payments are made on a terminal.
const absent = {
  create: await status(payments.create({ body: { transaction_amount: 1, payment_method_id: 'visa' } })),
  capture: await status(payments.capture({ id })),
  cancel: await status(payments.cancel({ id })),
  update: await status(payments.update({ id, body: {} })),
};

// OAuth and the user
const oauth = new OAuth(config);
const address = new URL(oauth.getAuthorizationURL({ options: { client_id: String(world.client_id), redirect_uri: 'https://tienda.example/vuelta', state: 'x' } }));
const application = { client_id: String(world.client_id), client_secret: world.client_secret };
const { code } = await control('POST', 'oauth/codes', { user_id: seller.user_id });
const token = await oauth.create({ body: { ...application, code, redirect_uri: 'https://tienda.example/vuelta' } });
const renewed = await oauth.refresh({ body: { ...application, refresh_token: token.refresh_token } });
const user = await new User(new MercadoPagoConfig({ accessToken: renewed.access_token })).get();
const again = await status(oauth.create({ body: { ...application, code } }));

// the signature of what was sent
function validated({ url, headers }, change = {}) {
  try {
    WebhookSignatureValidator.validate({
      xSignature: headers['x-signature'], xRequestId: headers['x-request-id'], dataId: url.searchParams.get('data.id'),
      secret: world.webhook_secret, toleranceSeconds: 300, ...change,
    });
    return 'valid';
  } catch (error) {
    return error.reason;
  }
}
const [notice] = received;
const signatures = [
  validated(notice),
  validated(notice, { dataId: 'another' }),
  validated(notice, { secret: 'another' }),
  validated(notice, { xSignature: notice.headers['x-signature'].replace(/v1=./, 'v1=g') }),
  validated(notice, { xSignature: undefined }),
];
hook.closeAllConnections();
hook.close();

console.log(JSON.stringify({
  devices: devices.devices.map((one) => one.id), modes, read: read.state, state: state.status, canceled: canceled.id === first.id,
  listed: list.events.some((one) => one.payment_intent_id === first.id),
  payment: [payment.status, payment.transaction_amount], found: found.paging.total, walked: walked.length, same: walked[0] === String(id),
  part: [part.status, part.amount], shown: shown.id === part.id, total: total.amount, refunds: listed.length, absent,
  authorization: address.searchParams.get('client_id') === application.client_id, token: token.token_type, user: user.id === seller.user_id, again, signatures,
}));
