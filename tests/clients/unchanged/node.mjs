// What Node brings itself: fetch, https with an agent of one's own, http2, and a name that is not
// a provider's (OTHER_URL), each in its usual form.
import https, { request } from 'node:https';
import { connect } from 'node:http2';

const path = '/point/integration-api/devices';
const token = JSON.parse(process.env.COBRO_WORLD_JSON).mercado_pago.sellers[0].access_token;
const headers = { authorization: `Bearer ${token}` };

const overHttps = (url, options) =>
  new Promise((resolve, reject) => {
    request(url, options, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    }).on('error', reject).end();
  });

const overHttp2 = (origin) =>
  new Promise((resolve, reject) => {
    const session = connect(origin).on('error', reject);
    session.request({ ':path': path, ...headers }).on('response', (answer) => {
      session.destroy();
      resolve(answer[':status']);
    }).on('error', reject).end();
  });

const failed = (error) => error.cause?.code ?? error.code ?? String(error);
const url = `https://api.mercadopago.com${path}`;
console.log(JSON.stringify({
  fetch: await fetch(url, { headers }).then(({ status }) => status),
  agent: await overHttps(url, { headers, agent: new https.Agent({ keepAlive: false }) }),
  http2: await overHttp2('https://api.mercadopago.com'),
  wrong: await overHttps(url, {}),
  other: await overHttps(process.env.OTHER_URL, {}).catch(failed),
  otherFetch: await fetch(process.env.OTHER_URL).then(({ status }) => status, failed),
}));
