// A shop and a point of sale as somebody writes them for Clip in Node: fetch; no proxy, no certificate.
const { api_key: key, secret, terminals: [terminal] } = JSON.parse(process.env.COBRO_WORLD_JSON).clip;
const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

async function send(method, url, headers, body) {
  const answer = await fetch(url, {
    method, headers: { 'content-type': 'application/json', ...headers }, body: body && JSON.stringify(body),
  });
  return [answer.status, await answer.json()];
}

const shop = (method, target, body, who = basic(key, secret)) => send(method, `https://${target}`, { authorization: who }, body);
const till = (method, body, who = basic(key, secret)) =>
  send(method, 'https://api-gw.payclip.com/paymentrequest', { 'x-api-key': who }, body);
const at = (method, path, body) => send(method, `${process.env.COBRO_CONTROL_URL}/terminals/${terminal}${path}`, {}, body);

const card = { cardholder_name: 'Ana López', card_number: '5177136199824515', card_exp_month: '12', card_exp_year: '35', cvv: '123' };
const [, token] = await shop('POST', 'api-secure.payclip.com/card_tokens', card);
const order = {
  amount: 250.5, currency: 'MXN', description: 'Orden 1042', payment_method: { token: token.id },
  customer: { email: 'ana@example.com', phone: '5512345678' },
};
const [, payment] = await shop('POST', 'api.payclip.com/payments', order);
const [again] = await shop('POST', 'api.payclip.com/payments', order);
const reference = { type: 'payment', id: payment.id };
const [, refund] = await shop('POST', 'api.payclip.com/refunds', { reference, amount: 50.25, reason: 'Taza rota' });
const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const [, list] = await shop('GET', `api.payclip.com/payments?from=${day(-1)}&to=${day(1)}`);
const found = list.results.find(({ id }) => id === payment.id);

const [, charge] = await till('POST', { amount: 180.5, reference: 'mesa-7', message: 'Mesa 7' });
const [, before] = await at('GET', '');
await at('POST', '/fetch', { intent_id: charge.payment_request_code });
const [, outcome] = await at('POST', '/card', {});
const [, { transactions }] = await till('GET');
const done = transactions.find(({ paymentRequestCode }) => paymentRequestCode === charge.payment_request_code);

const stranger = basic(key, 'nobody');
const [wrongShop] = await shop('POST', 'api.payclip.com/refunds', { reference, amount: 1 }, stranger);
const [wrongTill] = await till('POST', { amount: 1, reference: 'mesa-8', message: 'Mesa 8' }, stranger);

console.log(JSON.stringify({
  last4: token.card.last_digits, payment: payment.status, again, refund: [refund.status, refund.amount],
  found: [found.status, found.amount_refunded],
  charge: charge.payment_request_status, waiting: before.pending.map(({ amount_minor: amount }) => amount),
  outcome: outcome.outcome, done: [done.statusMsg, done.transactionId === outcome.payment.id],
  wrong: [wrongShop, wrongTill],
}));
