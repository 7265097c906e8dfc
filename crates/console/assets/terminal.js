// One terminal, large, with what a developer wants to know beside it.

import { call, callAsPos } from './api.js';
import { copyButton, shown, start } from './chrome.js';
import { el } from './dom.js';
import { VirtualTerminal } from './device.js';
import { Counter, keyboard } from './gesture.js';
import { decimal, money, typed } from './money.js';
import { resultName, RESULTS } from './screen.js';
import { key, t } from './texts.js';

const id = document.getElementById('till').dataset.terminal;
const path = `terminals/${encodeURIComponent(id)}`;
const settings = document.getElementById('settings');
const charge = document.getElementById('charge');
const STEPS = ['OPEN', 'ON_TERMINAL', 'PROCESSING', 'PROCESSED', 'FINISHED'];
const STATES = {
  OPEN: key('state-open'),
  ON_TERMINAL: key('state-on-terminal'),
  PROCESSING: key('state-processing'),
  PROCESSED: key('state-processed'),
  FINISHED: key('state-finished'),
  CANCELED: key('state-canceled'),
  ABANDONED: key('state-abandoned'),
  ERROR: key('state-error'),
  CONFIRMATION_REQUIRED: key('state-confirmation'),
};
// Amounts that decide the outcome of a Point payment when no card is named.
const MAGIC = { 1100: 'reversed', 1200: 'rejected', 1300: 'error' };
let place = null;
let token = null;

function chips(terminal) {
  const words = [terminal.model, terminal.currency, terminal.operating_mode, terminal.cashier].filter(Boolean);
  document.getElementById('chips').replaceChildren(
    ...words.map((word) => el('span', { class: 'chip' }, word)),
    el('span', { class: `chip ${terminal.online ? 'good' : 'bad'}` }, terminal.online ? t('online') : t('offline')));
}

function flow(terminal) {
  const current = terminal.intent ?? terminal.pending?.[0] ?? terminal.last?.intent;
  const box = document.getElementById('flow');
  if (!current) return box.replaceChildren(el('p', { class: 'muted' }, t('flow-none')));
  const other = STEPS.includes(current.state) ? null : current.state;
  const reached = STEPS.indexOf(current.state);
  const last = terminal.last?.intent?.id === current.id ? terminal.last : null;
  const steps = other ? [STEPS[0], other] : STEPS;
  return box.replaceChildren(
    el('p', { class: 'flow-id' }, el('b', {}, money(current.amount_minor, current.currency, terminal.currency === current.currency ? terminal.currency_exponent : undefined)), el('code', {}, current.id), copyButton(current.id, t('flow-id'))),
    el('ol', { class: 'track' }, steps.map((state, index) => el('li', {
      class: other || index <= reached ? 'done' : '', 'aria-current': state === current.state ? 'step' : null, 'data-state': state,
    }, el('b', {}, state), el('span', {}, state in STATES ? t(STATES[state]) : '')))),
    last ? el('p', { class: `verdict-line ${RESULTS[resultName(last)].tone}` }, t(RESULTS[resultName(last)].title), last.payment?.id !== undefined ? el('code', {}, ` ${last.payment.id}`) : '') : '');
}

function show(terminal) {
  document.getElementById('merchant').textContent = terminal.merchant_name ?? terminal.merchant;
  document.title = `${terminal.id} · Cobro`;
  chips(terminal);
  flow(terminal);
  settings.elements.online.checked = terminal.online;
  settings.elements.pdv.checked = terminal.operating_mode === 'PDV';
  settings.elements.autopilot.checked = terminal.autopilot?.enabled === true;
  document.getElementById('charge-currency').textContent = terminal.currency ?? '';
}

async function reload() {
  if (place) return shown(() => place.device.reload());
  const terminal = await shown(() => call('GET', path));
  if (!terminal || place) return undefined;
  const device = new VirtualTerminal(terminal, show);
  place = { device, counter: new Counter(device) };
  document.getElementById('stage').replaceChildren(device.root, place.counter.root);
  show(terminal);
  return offerCharge(terminal);
}

// The page can be the point of sale too, where the world tells the token of the terminal's seller.
async function offerCharge(terminal) {
  if (terminal.dialect !== 'mercadopago') return;
  const world = await shown(() => call('GET', `worlds/${document.body.dataset.world}`));
  const seller = world?.mercado_pago?.sellers?.find((one) => String(one.user_id) === String(terminal.merchant));
  if (!seller) return;
  token = seller.access_token;
  document.getElementById('charge-panel').hidden = false;
  document.getElementById('magic').replaceChildren(...Object.entries(MAGIC).map(([minor, outcome]) =>
    el('button', { type: 'button', class: 'chip', 'data-minor': minor }, `${money(Number(minor), terminal.currency, terminal.currency_exponent)} `, el('span', {}, t(RESULTS[outcome].title)))));
}

document.getElementById('magic').addEventListener('click', (event) => {
  const button = event.target.closest('[data-minor]');
  if (!button) return;
  const { currency_exponent: exponent } = place.device.terminal;
  charge.elements.amount.value = decimal(Number(button.dataset.minor), exponent).replace('.', ',');
  charge.requestSubmit();
});

charge.addEventListener('submit', (event) => {
  event.preventDefault();
  const field = charge.elements.amount;
  const amount = typed(field.value, place.device.terminal.currency_exponent);
  field.setCustomValidity(amount === null ? t('charge-bad-amount') : '');
  if (!field.reportValidity()) return;
  shown(() => callAsPos('POST', `/point/integration-api/devices/${encodeURIComponent(id)}/payment-intents`, token, { amount }));
});
charge.elements.amount.addEventListener('input', (event) => event.target.setCustomValidity(''));

settings.addEventListener('change', async (event) => {
  const { name, checked } = event.target;
  const change = {
    online: { online: checked },
    pdv: { operating_mode: checked ? 'PDV' : 'STANDALONE' },
    autopilot: { autopilot: { enabled: checked, delay_ms: 1500 } },
  }[name];
  await shown(() => place.device.call('PATCH', path, change));
  show(place.device.terminal);
});

keyboard(() => place);
start({ terminal: id, reload, handlers: { terminal: (terminal) => terminal.id === id && place?.device.hear(terminal) } });
