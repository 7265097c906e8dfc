// The first page: the world, its credentials, and how to begin.

import { call } from './api.js';
import { clock, copyButton, query, shown, start } from './chrome.js';
import { el } from './dom.js';
import { money } from './money.js';
import { key, language, t } from './texts.js';

const world = document.body.dataset.world;
const origin = location.origin;
const STATES = { true: ['good', key('online')], false: ['bad', key('offline')] };
let tab = 'curl';
let seller = null;

function tick() {
  if (!clock.known) return;
  const now = clock.now();
  document.getElementById('clock-now').textContent = new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(now);
  document.getElementById('clock-now').dateTime = now.toISOString();
  document.getElementById('clock-day').textContent = new Intl.DateTimeFormat(language(), { dateStyle: 'full' }).format(now);
}

const rows = (pairs) => el('dl', {}, pairs.filter(([, value]) => value !== undefined && value !== null && value !== '')
  .map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, el('code', {}, String(value)), copyButton(String(value), name)))));

function group(name, place, pairs) {
  return el('section', { class: 'credential panel' }, el('h3', {}, name, place ? el('span', { class: 'chip' }, place) : null), rows(pairs));
}

function credentials({ mercado_pago: mp, clip, placetopay }) {
  const groups = [];
  for (const one of mp?.sellers ?? []) {
    groups.push(group('Mercado Pago', one.site, [
      [t('credential-token'), one.access_token],
      [t('credential-user'), one.user_id],
      [t('credential-integrator'), one.integrator_token],
      ...(one.terminals ?? []).map((terminal) => [t('credential-terminal'), terminal]),
    ]));
  }
  if (mp) {
    groups.push(group('Mercado Pago', t('credential-application'), [
      ['client_id', mp.client_id], ['client_secret', mp.client_secret], [t('credential-webhook'), mp.webhook_secret],
    ]));
  }
  if (clip) {
    groups.push(group('Clip', 'MX', [
      [t('credential-key'), clip.api_key], [t('credential-secret'), clip.secret],
      ...(clip.cashiers ?? []).map((cashier) => [t('credential-cashier'), cashier]),
      ...(clip.terminals ?? []).map((terminal) => [t('credential-terminal'), terminal]),
    ]));
  }
  for (const site of placetopay?.sites ?? []) {
    groups.push(group('Placetopay', site.country, [[t('credential-login'), site.login], [t('credential-secret-key'), site.secret_key], [t('credential-currencies'), (site.currencies ?? []).join(', ')]]));
  }
  document.getElementById('credentials').replaceChildren(...groups);
}

const SNIPPETS = {
  curl: ({ access_token: token, terminals: [terminal] }) => `curl -X POST ${origin}/point/integration-api/devices/${terminal}/payment-intents \\
  -H 'Authorization: Bearer ${token}' \\
  -H 'Content-Type: application/json' \\
  -d '{"amount": 1500}'`,
  node: ({ access_token: token, terminals: [terminal] }) => `const { MercadoPagoConfig, Point } = require('mercadopago');
const { AppConfig } = require('mercadopago/dist/utils/config');

AppConfig.BASE_URL = '${origin}';

const point = new Point(new MercadoPagoConfig({
  accessToken: '${token}',
}));

point.createPaymentIntent({
  device_id: '${terminal}',
  request: { amount: 1500 },
}).then(console.log);`,
};

function snippet() {
  if (!seller?.terminals?.length) return;
  document.getElementById('snippet').hidden = false;
  document.getElementById('snippet-text').textContent = SNIPPETS[tab](seller);
  document.getElementById('snippet-text').setAttribute('aria-labelledby', `tab-${tab}`);
  for (const button of document.querySelectorAll('[data-tab]')) {
    button.setAttribute('aria-selected', String(button.dataset.tab === tab));
    button.tabIndex = button.dataset.tab === tab ? 0 : -1;
  }
}

function tile(terminal) {
  const [tone, words] = STATES[terminal.online];
  const intent = terminal.intent;
  return el('a', { class: 'tile', href: `/console/terminals/${encodeURIComponent(terminal.id)}${query}`, 'data-id': terminal.id },
    el('span', { class: 'tile-device', 'aria-hidden': 'true' }),
    el('span', {}, el('b', {}, terminal.merchant_name ?? terminal.merchant), el('code', {}, terminal.id),
      el('span', { class: 'chips' }, el('span', { class: `chip ${tone}` }, t(words)),
        intent ? el('span', { class: 'chip info' }, `${intent.state} ${money(intent.amount_minor, intent.currency)}`) : null)));
}

async function reload() {
  const [one, list] = await Promise.all([
    shown(() => call('GET', `worlds/${world}`)),
    shown(() => call('GET', 'terminals?limit=12')),
  ]);
  if (one) {
    document.getElementById('world').textContent = `${t('world')} ${one.name ?? one.id}`;
    seller = one.mercado_pago?.sellers?.[0] ?? null;
    credentials(one);
    snippet();
  }
  if (list) document.getElementById('terminals').replaceChildren(...list.terminals.map(tile));
}

document.querySelector('.tabs').addEventListener('click', (event) => {
  const button = event.target.closest('[data-tab]');
  if (!button) return;
  tab = button.dataset.tab;
  snippet();
});
document.querySelector('.tabs').addEventListener('keydown', (event) => {
  if (!['ArrowLeft', 'ArrowRight'].includes(event.key) || !event.target.dataset.tab) return;
  tab = tab === 'curl' ? 'node' : 'curl';
  snippet();
  document.getElementById(`tab-${tab}`).focus();
});
document.getElementById('advance').addEventListener('submit', async (event) => {
  event.preventDefault();
  const answer = await shown(() => call('POST', 'clock/advance', { seconds: Number(event.submitter.value) }));
  if (!answer) return;
  clock.set(answer.now);
  document.getElementById('clock-due').textContent = `${t('clock-due')} ${answer.due?.length ?? 0}`;
});
document.addEventListener('cobro-clock', tick);
setInterval(tick, 1000);
start({
  reload,
  handlers: {
    terminal: (terminal) => document.querySelector(`.tile[data-id="${CSS.escape(terminal.id)}"]`)?.replaceWith(tile(terminal)),
  },
});
