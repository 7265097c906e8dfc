// A shop as somebody writes it for Placetopay in Node: fetch, a nonce and a digest for each call; no
// proxy, no certificate.
import { createHash, randomBytes } from 'node:crypto';

const site = JSON.parse(process.env.COBRO_WORLD_JSON).placetopay.sites.find(({ country }) => country === 'CO');

function auth() {
  const nonce = randomBytes(16);
  const seed = new Date().toISOString();
  const tranKey = createHash('sha256').update(nonce).update(seed).update(site.secret_key).digest('base64');
  return { login: site.login, tranKey, nonce: nonce.toString('base64'), seed };
}

async function call(path, body, change = {}) {
  const answer = await fetch(`https://checkout-test.placetopay.com/api/${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...body, auth: { ...auth(), ...change } }),
  });
  return [answer.status, await answer.json()];
}

const pay = (id) => fetch(`${process.env.COBRO_CONTROL_URL}/sessions/${id}/pay`, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ card: '4111111111111111', otp: '12345' }),
});

const about = { locale: 'es_CO', returnUrl: 'https://tienda.example/vuelta', ipAddress: '203.0.113.9', userAgent: 'Tienda/1.0' };
const [, session] = await call('session', { ...about, subscription: { reference: 'SUB-1', description: 'Plan' } });
await pay(session.requestId);
const [, stored] = await call(`session/${session.requestId}`, {});
const token = stored.subscription.instrument.find(({ keyword }) => keyword === 'token').value;
const payment = { reference: 'CUOTA-1', description: 'Cuota', amount: { currency: 'COP', total: 45900 } };
const [, charged] = await call('collect', { ...about, payment, instrument: { token: { token } } });
const { internalReference } = charged.payment[0];
const [, given] = await call('reverse', { internalReference });
const [, gone] = await call('instrument/invalidate', { instrument: { token: { token } } });
const [refused] = await call('collect', { ...about, payment: { ...payment, reference: 'CUOTA-2' }, instrument: { token: { token } } });
const [wrong] = await call('collect', {}, { login: 'nobody' });

console.log(JSON.stringify({
  session: session.status.status, stored: stored.status.status, charged: charged.status.status, given: given.status.status,
  gone: gone.status.status, refused, wrong,
}));
