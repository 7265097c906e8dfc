// One terminal, large, with what a developer wants to know beside it.

import { call, callAsPos, callWithKey } from './api.js';
import { choices } from './cards.js';
import { shown, start } from './chrome.js';
import { el } from './dom.js';
import { VirtualTerminal } from './device.js';
import { flow } from './flow.js';
import { Counter, keyboard } from './gesture.js';
import { decimal, money, typed } from './money.js';
import { MAGIC, RESULTS, hasList } from './screen.js';
import { t } from './texts.js';

const id = document.getElementById('till').dataset.terminal;
const path = `terminals/${encodeURIComponent(id)}`;
const settings = document.getElementById('settings');
const charge = document.getElementById('charge');
const box = document.getElementById('flow');
const DELAY_MS = 1500;
let place = null;
let token = null;

function chips(terminal) {
  const words = [terminal.model, terminal.currency, hasList(terminal) ? null : terminal.operating_mode, terminal.cashier].filter(Boolean);
  document.getElementById('chips').replaceChildren(
    ...words.map((word) => el('span', { class: 'chip' }, word)),
    el('span', { class: `chip ${terminal.online ? 'good' : 'bad'}` }, terminal.online ? t('online') : t('offline')));
}

function show(terminal) {
  document.getElementById('merchant').textContent = terminal.merchant_name ?? terminal.merchant;
  document.title = `${terminal.id} · Cobro`;
  chips(terminal);
  flow(box, terminal);
  settings.elements.online.checked = terminal.online;
  settings.elements.pdv.checked = terminal.operating_mode === 'PDV';
  settings.elements.b2b.checked = terminal.b2b_transactions === true;
  // what one way of working has, the other has not
  settings.elements.pdv.closest('label').hidden = hasList(terminal);
  settings.elements.b2b.closest('label').hidden = !hasList(terminal);
  document.getElementById('cashier').hidden = !hasList(terminal);
  if (document.activeElement !== settings.elements.cashier) settings.elements.cashier.value = terminal.cashier ?? '';
  settings.elements.paper.checked = terminal.paper !== false;
  autopilot(terminal);
  document.getElementById('charge-currency').textContent = terminal.currency ?? '';
}

// The cards that the autopilot can present, and what it is set to.
function autopilot(terminal) {
  const { autopilot: toggle, delay, card } = settings.elements;
  const plan = terminal.autopilot;
  const cards = choices(terminal).flatMap((group) => group.cards);
  if (card.options.length === 0) card.append(...cards.map((one) => el('option', { value: JSON.stringify(one.card) }, one.label)));
  toggle.checked = plan?.enabled === true;
  document.getElementById('autopilot').hidden = !toggle.checked;
  // what is being typed is not overwritten
  if (document.activeElement !== delay) delay.value = plan?.delay_ms ?? DELAY_MS;
  // a card that was set elsewhere is an option too
  const named = (one) => (one ? `${one.number ?? one} ${one.holder ?? ''}` : '');
  const index = cards.findIndex((one) => named(one.card) === named(plan?.card));
  card.querySelector('[data-own]')?.remove();
  if (index < 0) card.append(el('option', { value: JSON.stringify(plan.card), 'data-own': true }, named(plan.card)));
  if (document.activeElement !== card) card.selectedIndex = index < 0 ? card.options.length - 1 : index;
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
  if (hasList(terminal)) return offerListed(terminal);
  if (terminal.dialect !== 'mercadopago') return;
  const world = await shown(() => call('GET', `worlds/${document.body.dataset.world}`));
  const seller = world?.mercado_pago?.sellers?.find((one) => String(one.user_id) === String(terminal.merchant));
  if (!seller) return;
  token = seller.access_token;
  document.getElementById('charge-panel').hidden = false;
  document.getElementById('magic').replaceChildren(...MAGIC.map(([minor, outcome]) =>
    el('button', { type: 'button', class: 'chip', 'data-minor': minor }, `${money(minor, terminal.currency, terminal.currency_exponent)} `, el('span', {}, t(RESULTS[outcome].title)))));
}

// A charge for the list of the merchant's terminals, for whoever is signed in here.
async function offerListed(terminal) {
  const world = await shown(() => call('GET', `worlds/${document.body.dataset.world}`));
  if (world?.clip?.api_key !== terminal.merchant) return;
  token = world.clip.api_key;
  document.getElementById('charge-panel').hidden = false;
  document.getElementById('charge-message').hidden = false;
}

function registered(amount) {
  const { currency_exponent: exponent, cashier } = place.device.terminal;
  return callWithKey('POST', '/paymentrequest', token, {
    amount: decimal(amount, exponent),
    reference: crypto.randomUUID(),
    message: charge.elements.message.value.trim() || t('charge'),
    ...(cashier && { assigned_user: cashier }),
  });
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
  if (hasList(place.device.terminal)) return shown(() => registered(amount));
  return shown(() => callAsPos('POST', `/point/integration-api/devices/${encodeURIComponent(id)}/payment-intents`, token, { amount }));
});
charge.elements.amount.addEventListener('input', (event) => event.target.setCustomValidity(''));

settings.addEventListener('change', async (event) => {
  const { name, checked, value } = event.target;
  const { autopilot: toggle, delay, card } = settings.elements;
  if (!delay.reportValidity()) return;
  const plan = { autopilot: { enabled: toggle.checked, delay_ms: Number(delay.value), card: JSON.parse(card.value || 'null') } };
  const change = {
    online: { online: checked },
    paper: { paper: checked },
    pdv: { operating_mode: checked ? 'PDV' : 'STANDALONE' },
    b2b: { b2b_transactions: checked },
    cashier: { cashier: value.trim() || null },
    autopilot: plan,
    delay: plan,
    card: plan,
  }[name];
  await shown(() => place.device.call('PATCH', path, change));
  show(place.device.terminal);
});

settings.addEventListener('submit', (event) => {
  event.preventDefault();
  document.activeElement?.blur();
});
keyboard(() => place);
start({ terminal: id, reload, handlers: { terminal: (terminal) => terminal.id === id && place?.device.hear(terminal) } });
