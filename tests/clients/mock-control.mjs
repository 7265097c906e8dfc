// A stand-in for the server, in memory: the control API as the console's pages use it, and enough
// of a Point's API to create and read an intent. For work on the pages and their pictures, and to
// try `console.test.mjs` without a server; never for a test of Cobro itself.
//
//   cargo run -p cobro-console --example serve
//   node tests/clients/mock-control.mjs [--port 7272] [--pages http://127.0.0.1:7171]

import { createServer, request as forward } from 'node:http';
import { pathToFileURL } from 'node:url';

const TOKENS = {
  100000001: 'TEST-1000000000000001-112000-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-100000001',
  100000002: 'TEST-1000000000000001-112000-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-100000002',
  100000003: 'TEST-1000000000000001-112000-cccccccccccccccccccccccccccccccc-100000003',
};
const SITES = { 100000001: 'MLA', 100000002: 'MLB', 100000003: 'MLM' };
const MAGIC = { 1100: 'reversed', 110000: 'reversed', 1200: 'rejected', 120000: 'rejected', 1300: 'error', 130000: 'error' };
const HOLDERS = { FUND: 'insufficient_funds', OTHE: 'generic', CALL: 'call_issuer', SECU: 'security_code', EXPI: 'expired', FORM: 'bad_form' };

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

function terminal(id, merchant, name, currency) {
  return {
    id, dialect: 'mercadopago', merchant, merchant_name: name, model: id.split('__')[0], operating_mode: 'PDV', online: true, cashier: null,
    b2b_transactions: true, autopilot: null, currency, currency_exponent: 2, intent: null, pending: [], last: null,
  };
}

/** The mock: `listener` is a request handler, the rest is for pictures. */
export function mock({ pages = 'http://127.0.0.1:7171', processing = 500 } = {}) {
  const terminals = new Map([
    terminal('PAX_A910__SBX0000001', '100000001', 'Almacén Demo', 'ARS'),
    terminal('GERTEC_MP35P__SBX0000002', '100000002', 'Padaria Demo', 'BRL'),
    terminal('NEWLAND_N950__SBX0000003', '100000003', 'Tienda Demo México', 'MXN'),
  ].map((one) => [one.id, one]));
  const [events, requests, deliveries, postings] = [[], [], [], []];
  const streams = new Set();
  const made = new Map();
  let hook = null;
  let skew = 0;
  let serial = 0;

  const now = () => new Date(Date.now() + skew).toISOString();
  const next = () => String(++serial).padStart(6, '0');

  function send(name, body, about) {
    for (const { response, only } of streams) {
      if (!only || !about || only === about) response.write(`event: ${name}\ndata: ${JSON.stringify(body)}\n\n`);
    }
  }

  function happened(one, kind) {
    const { pending, last, ...rest } = one;
    if (one.intent) made.set(one.intent.id, { intent: one.intent, last: null });
    if (last) made.set(last.intent.id, { intent: last.intent, last });
    events.unshift({ id: `ev_${next()}`, at: now(), dialect: one.dialect, merchant: one.merchant, kind, subject: (one.intent ?? last?.intent)?.id ?? one.id, data: rest });
    send('terminal', one, one.id);
    send('event', events[0], one.id);
  }

  async function delivered(one, intent) {
    const body = { additional_info: {}, amount: intent.amount_minor, created_at: now().slice(0, 19).replace('T', ' '), id: intent.id, state: intent.state };
    const failed = !hook && serial % 4 === 0;
    const delivery = {
      id: `dl_${next()}`, event_id: events[0].id, dialect: one.dialect, url: hook ?? 'http://127.0.0.1:9000/webhook', attempt: 1, state: failed ? 'failed' : 'delivered',
      next_at: failed ? new Date(Date.now() + 300000).toISOString() : null,
      request: { headers: { 'content-type': 'application/json', 'x-signature': 'ts=1731672000,v1=5f0c…', 'x-request-id': `rq-${serial}` }, body: JSON.stringify(body) },
      response: failed ? { status: 503, body: 'Service Unavailable' } : { status: 200, body: '' },
    };
    await sent(delivery);
    send('delivery', delivery, one.id);
  }

  async function sent(delivery) {
    if (hook) await fetch(hook, { method: 'POST', body: delivery.request.body });
    deliveries.unshift(delivery);
    return delivery;
  }

  function posted(one, intent) {
    const fee = Math.round(intent.amount_minor * 0.0629);
    const entry = (account, amount_minor) => ({ account, currency: intent.currency, amount_minor });
    postings.unshift({ id: `po_${next()}`, at: now(), event: events[0].id, entries: [entry('acquirer/receivable', intent.amount_minor), entry(`merchant/${one.merchant}/pending`, fee - intent.amount_minor), entry('fees/income', -fee)] });
  }

  function create(id, body) {
    const one = terminals.get(id);
    if (!one) throw new Refusal(403, 'forbidden');
    if (one.intent) throw new Refusal(409, 'There is already a queued intent for the device');
    one.intent = { id: `0f6f3c52-0d0e-4b7e-9d3b-6a3f5a${next()}`, state: 'OPEN', amount_minor: body.amount, currency: one.currency, description: body.description };
    one.pending = [one.intent];
    one.print = body.additional_info?.print_on_terminal ?? false;
    happened(one, 'intent.created');
    return { ...body, device_id: id, id: one.intent.id };
  }

  function fetchIntent(one) {
    if (!one.online) throw new Refusal(409, 'La terminal no tiene conexión.');
    if (one.intent && one.intent.state !== 'OPEN') throw new Refusal(409, 'La terminal ya tiene un cobro.');
    if (!one.intent) throw new Refusal(404, 'No hay nada en espera.');
    one.pending = [];
    one.intent = { ...one.intent, state: 'ON_TERMINAL' };
    happened(one, 'intent.on_terminal');
    return one;
  }

  function end(one, state, outcome, extra = {}) {
    const intent = { ...one.intent, state };
    one.last = { intent, outcome, reason: null, payment: null, print: one.print ?? false, at: now(), ...extra };
    one.intent = state === 'PROCESSED' ? intent : null;
    happened(one, `intent.${state.toLowerCase()}`);
    delivered(one, intent);
  }

  async function card(one, { card: named, entry = 'tap', hold }) {
    if (one.intent?.state !== 'ON_TERMINAL') throw new Refusal(409, 'La terminal no espera una tarjeta.');
    one.intent = { ...one.intent, state: 'PROCESSING' };
    happened(one, 'intent.processing');
    await wait(processing);
    const { id, amount_minor: amount } = one.intent;
    const reason = HOLDERS[named?.holder] ?? null;
    const outcome = reason ? 'rejected' : named ? 'approved' : MAGIC[amount] ?? 'approved';
    if (outcome === 'error') {
      end(one, 'ERROR', 'error');
      return { outcome, reason: null, intent: { id, state: 'ERROR' }, session: null, payment: null };
    }
    const number = named?.number ?? named ?? '4509953566233704';
    const payment = { id: 57031040000 + serial, authorization_code: outcome === 'approved' ? '334915' : null, card: { brand: number.startsWith('5') ? 'Mastercard' : 'Visa', last_digits: String(number).slice(-4), type: 'credit_card', entry } };
    end(one, 'PROCESSED', outcome, { payment, reason });
    if (outcome === 'approved') posted(one, one.intent);
    if (!hold) close(one);
    return { outcome, reason, intent: { id, state: one.last.intent.state }, session: null, payment: { id: payment.id } };
  }

  function close(one) {
    if (one.intent?.state !== 'PROCESSED') throw new Refusal(409, 'No hay nada que cerrar.');
    one.last = { ...one.last, intent: { ...one.intent, state: 'FINISHED' } };
    one.intent = null;
    happened(one, 'intent.finished');
    delivered(one, one.last.intent);
    return one;
  }

  function cancel(one) {
    if (one.intent?.state !== 'ON_TERMINAL') throw new Refusal(409, 'Nada que cancelar en la terminal.');
    end(one, 'CANCELED', 'canceled');
    return one;
  }

  const world = () => ({
    id: 'demo', name: 'demo', now: now(),
    mercado_pago: {
      client_id: 1000000000000001, client_secret: 'secreto-de-la-aplicacion-demo-01', webhook_secret: 'b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184',
      sellers: [...terminals.values()].map((one) => ({ site: SITES[one.merchant], user_id: Number(one.merchant), access_token: TOKENS[one.merchant], integrator_token: `INT-${one.merchant}`, terminals: [one.id] })),
    },
  });

  function balances() {
    const sums = new Map();
    for (const { account, currency, amount_minor: amount } of postings.flatMap((posting) => posting.entries)) sums.set(`${account}|${currency}`, (sums.get(`${account}|${currency}`) ?? 0) + amount);
    return [...sums].map(([key, balance_minor]) => ({ account: key.split('|')[0], currency: key.split('|')[1], balance_minor }));
  }

  function list(name, all, query) {
    const from = Number(query.get('cursor') ?? 0);
    const limit = Number(query.get('limit') ?? 50);
    return { [name]: all.slice(from, from + limit), next: all.length > from + limit ? String(from + limit) : null };
  }

  function known(id) {
    const one = terminals.get(decodeURIComponent(id));
    if (!one) throw new Refusal(404, `No hay una terminal ${decodeURIComponent(id)}.`);
    return one;
  }

  const ACTIONS = { fetch: fetchIntent, card, close, cancel };
  async function control(method, parts, query, body) {
    const route = `${method} ${parts[0]}`;
    if (route === 'GET worlds') return world();
    if (route === 'GET clock') return { now: now() };
    if (route === 'POST clock') {
      skew += body.seconds * 1000;
      send('clock', { now: now() });
      return { now: now(), due: [] };
    }
    if (route === 'GET terminals') return parts[1] ? known(parts[1]) : list('terminals', [...terminals.values()], query);
    if (route === 'POST terminals') return ACTIONS[parts[2]](known(parts[1]), body);
    if (route === 'PATCH terminals') {
      const one = Object.assign(known(parts[1]), body);
      happened(one, 'terminal.changed');
      return one;
    }
    if (route === 'GET events') return list('events', events, query);
    if (route === 'GET requests') return list('requests', requests, query);
    if (route === 'GET deliveries') return list('deliveries', deliveries, query);
    if (route === 'POST deliveries') {
      return sent({ ...deliveries.find((one) => one.id === parts[1]), id: `dl_${next()}`, state: 'delivered', response: { status: 200, body: '' }, next_at: null });
    }
    if (route === 'PATCH merchants') {
      hook = body.webhook.url;
      return body;
    }
    if (route === 'GET ledger') return parts[1] === 'balances' ? { balances: balances(), next: null } : list('postings', postings, query);
    throw new Refusal(404, 'No existe.');
  }

  function stream(request, response, query) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': hello\n\n');
    const one = { response, only: query.get('terminal') };
    streams.add(one);
    request.on('close', () => streams.delete(one));
  }

  const STATUS = { approved: 'approved', rejected: 'rejected', reversed: 'cancelled' };
  function read(path) {
    const { intent, last } = made.get(path.split('/').at(-1)) ?? {};
    if (intent) return { id: intent.id, state: intent.state, amount: intent.amount_minor, payment: last?.payment ? { id: last.payment.id } : undefined };
    const paid = [...made.values()].find((one) => String(one.last?.payment?.id) === path.split('/').at(-1));
    if (!paid) throw new Refusal(404, 'not found');
    return { id: paid.last.payment.id, status: STATUS[paid.last.outcome] };
  }

  async function pos(method, url, body, began) {
    if (method === 'GET') return [200, read(url.pathname)];
    const device = url.pathname.split('/')[4];
    let [status, answer] = [201, null];
    try {
      answer = create(device, body);
    } catch (error) {
      [status, answer] = [error.status ?? 500, { message: error.message, error: 'conflict', status: error.status, cause: [] }];
    }
    requests.unshift({
      id: `rq_${next()}`, at: now(), dialect: 'mercadopago', host: 'localhost', method, path: url.pathname, status, duration_us: Math.round((performance.now() - began) * 1000) + 400,
      request: { headers: { authorization: 'Bearer TEST-…', 'content-type': 'application/json' }, body: JSON.stringify(body) }, response: { headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer) },
    });
    return [status, answer];
  }

  function page(request, response) {
    const upstream = forward(new URL(request.url, pages), { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.writeHead(502).end());
    request.pipe(upstream);
  }

  async function listener(request, response) {
    const url = new URL(request.url, 'http://localhost');
    const own = url.pathname.startsWith('/_cobro/v1/');
    if (!own && !/^\/(point|v1)\//.test(url.pathname)) return page(request, response);
    if (url.pathname === '/_cobro/v1/live') return stream(request, response, url.searchParams);
    const began = performance.now();
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : {};
    const answer = (status, type, value) => response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value));
    try {
      if (!own) {
        const [status, value] = await pos(request.method, url, body, began);
        return answer(status, 'application/json', value);
      }
      return answer(200, 'application/json', await control(request.method, url.pathname.slice('/_cobro/v1/'.length).split('/'), url.searchParams, body));
    } catch (error) {
      return answer(error.status ?? 500, 'application/problem+json', { title: 'Problem', status: error.status ?? 500, detail: error.message });
    }
  }

  /** Sets members of a terminal and tells the pages. */
  const change = (id, members) => happened(Object.assign(terminals.get(id), members), 'terminal.changed');
  return { listener, terminals, create, change };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const option = (name, otherwise) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise);
  const { listener } = mock({ pages: option('--pages', undefined) });
  const server = createServer(listener).listen(Number(option('--port', '7272')), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
}
