// The Point simulator: point of sale and terminal on one page, or the terminal alone.

import { enter, forget, offers, Refused, remember, remembered } from './access.js';
import { call } from './api.js';
import { begin, listen, shown, toast } from './chrome.js';
import { VirtualTerminal } from './device.js';
import { el } from './dom.js';
import { flow } from './flow.js';
import { Counter, keyboard } from './gesture.js';
import { money } from './money.js';
import { Notices } from './notices.js';
import { PointOfSale } from './pos.js';
import { MAGIC, RESULTS } from './screen.js';
import { key, t } from './texts.js';
import { curl, wireLog } from './wire.js';

const at = (id) => document.getElementById(id);
const mode = at('simulator').dataset.mode;
const form = at('access');
const STEPS = ['create', 'fetch', 'swipe', 'result'];
const COUNTRIES = { MLA: key('country-mla'), MLB: key('country-mlb'), MLM: key('country-mlm') };
let sellers = [];
let place = null;
let entering = false;

// The gate: token and device.

function refuse(words) {
  at('access-refused').textContent = words;
  at('access-refused').hidden = !words;
}

function offer(seller) {
  return el('button', { type: 'button', class: 'offer', 'data-site': seller.site, onclick: () => take(seller.access_token, seller.terminals?.[0]) },
    el('span', { class: 'offer-site' }, seller.site),
    el('span', { class: 'offer-text' }, el('b', {}, seller.site in COUNTRIES ? t(COUNTRIES[seller.site]) : seller.site), el('small', {}, [seller.name, seller.terminals?.[0]].filter(Boolean).join(' · ')), el('code', {}, seller.access_token)));
}

function gate() {
  at('gate').hidden = false;
  at('access-device-field').hidden = mode !== 'device';
  form.elements.device.required = mode === 'device';
  at('offers').hidden = sellers.length === 0;
  at('offer-list').replaceChildren(...sellers.map(offer));
  at('access-devices').replaceChildren(...sellers.flatMap((one) => one.terminals ?? []).map((id) => el('option', { value: id })));
}

// Enters with a token; what is wrong with it is said at the gate.
async function take(token, device) {
  if (entering || place) return;
  entering = true;
  refuse('');
  try {
    const seat = await enter({ token, device }, { sellers, strict: mode === 'device' });
    const terminal = await call('GET', `terminals/${encodeURIComponent(seat.device)}`);
    remember(seat);
    at('gate').hidden = true;
    open(seat, terminal);
  } catch (error) {
    gate();
    form.elements.token.value = token;
    form.elements.device.value = device ?? '';
    refuse(error instanceof Refused || error.status ? error.message : t('unreachable'));
    form.elements.token.focus();
  }
  entering = false;
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const device = form.elements.device.value.trim();
  take(form.elements.token.value.trim(), mode === 'device' ? device : undefined);
});

at('access-reveal').addEventListener('click', (event) => {
  const hidden = form.elements.token.type === 'password';
  form.elements.token.type = hidden ? 'text' : 'password';
  event.currentTarget.textContent = hidden ? t('access-hide') : t('access-show');
  event.currentTarget.setAttribute('aria-pressed', String(hidden));
});

// The bench: the terminal, and the point of sale in the one mode.

function seatBar(seat, terminal) {
  at('seat-name').textContent = terminal.merchant_name ?? terminal.merchant;
  at('seat-device').replaceChildren(...seat.devices.map(({ id }) => el('option', { value: id, selected: id === seat.device }, id)));
  at('seat-device').disabled = seat.devices.length < 2;
  at('seat-device').addEventListener('change', (event) => {
    remember({ token: seat.token, device: event.target.value });
    location.reload();
  });
  at('seat-leave').addEventListener('click', () => {
    forget();
    location.reload();
  });
  at('seat-settings').href = `/console/terminals/${encodeURIComponent(seat.device)}`;
  // from here on the page's links lead into the token's world
  const { world } = document.body.dataset;
  for (const link of document.querySelectorAll('.bar a, #notices-all, #seat-settings')) {
    const url = new URL(link.href);
    if (world === 'demo') url.searchParams.delete('world');
    else url.searchParams.set('world', world);
    link.href = url.pathname + url.search;
  }
}

function chips(terminal) {
  at('seat-chips').replaceChildren(
    el('span', { class: 'chip' }, terminal.currency),
    el('span', { class: 'chip' }, terminal.operating_mode),
    el('span', { class: `chip ${terminal.online ? 'good' : 'bad'}` }, terminal.online ? t('online') : t('offline')));
}

// Where the person is, by what the terminal shows.
function guide(screen) {
  // what was called off before a card leads back to the first step
  const now = { queued: 'fetch', amount: 'swipe', processing: 'swipe', canceled: 'create', abandoned: 'create' }[screen] ?? (screen in RESULTS ? 'result' : 'create');
  for (const item of at('guide').children) {
    const ahead = STEPS.indexOf(item.dataset.step) - STEPS.indexOf(now);
    item.classList.toggle('done', ahead < 0);
    if (ahead === 0) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  }
}

function watch(device) {
  const tell = () => guide(device.root.dataset.screen);
  new MutationObserver(tell).observe(device.root, { attributeFilter: ['data-screen'] });
  tell();
}

/** The other half in device mode: what the integrator's point of sale sends, and what comes of it. */
class Waiting {
  constructor({ token, device }, terminal) {
    const { currency, currency_exponent: exponent } = terminal;
    const row = (outcome, words) => el('li', { class: RESULTS[outcome].tone }, el('code', {}, words), el('b', {}, t(RESULTS[outcome].title)));
    at('amounts').replaceChildren(
      ...MAGIC.map(([minor, outcome]) => row(outcome, `${minor} · ${money(minor, currency, exponent)}`)), row('approved', t('scenario-any')));
    at('example').textContent = curl({
      method: 'POST',
      path: `/point/integration-api/devices/${device}/payment-intents`,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ amount: 1500, additional_info: { print_on_terminal: true } }),
    });
    this.show(terminal);
  }

  show(terminal) {
    flow(at('flow'), terminal, { none: t('waiting-none'), detailed: true });
  }
}

function open(seat, terminal) {
  seatBar(seat, terminal);
  at('bench').hidden = false;
  const half = mode === 'pdv' ? new PointOfSale(seat, terminal, wireLog(at('wire'), at('wire-empty'))) : new Waiting(seat, terminal);
  const show = (one) => {
    chips(one);
    half.show(one);
  };
  const device = new VirtualTerminal(terminal, show, { only: 'swipe', detailed: true });
  place = { device, counter: new Counter(device, 'counter-swipe') };
  at('stage').replaceChildren(device.root, place.counter.root);
  watch(device);
  chips(terminal);
  const notices = new Notices({ box: at('notices'), empty: at('notices-empty'), targets: at('targets'), merchant: terminal.merchant, token: seat.token });
  listen({
    terminal: seat.device,
    reload: () => {
      shown(() => device.reload());
      notices.reload();
    },
    handlers: {
      terminal: (one) => one.id === seat.device && device.hear(one),
      delivery: (one) => notices.hear(one),
    },
  });
}

begin(mode);
keyboard(() => place);
try {
  sellers = await offers();
} catch (error) {
  toast(error.status ? error.message : t('unreachable'));
}
const seat = remembered();
if (seat) await take(seat.token, seat.device);
else gate();
