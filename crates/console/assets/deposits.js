// Deposits: what was paid out and what is about to be, as a chart and as a list.

import { call } from './api.js';
import { bars } from './chart.js';
import { query, shown, start } from './chrome.js';
import { el } from './dom.js';
import { decimal, exponentOf, money } from './money.js';
import { key, language, t } from './texts.js';

const PAGE = 50;
const BARS = 30;
const SETTLE_MS = 150;
const STATES = { open: ['info', key('deposits-state-open')], closed: ['good', key('deposits-state-closed')] };

const frame = document.getElementById('chart');
const more = document.getElementById('more');
let list = [];
let next = null;
let soon = 0;

const whole = (date, options) =>
  new Intl.DateTimeFormat(language(), { timeZone: 'UTC', ...options }).format(new Date(`${date}T00:00:00Z`));
const day = (date) => whole(date, { weekday: 'short', day: '2-digit', month: 'short', year: 'numeric' });
const address = (one) => `/console/deposits/${encodeURIComponent(one.id)}${query}`;

function figure(label, value, hint, role) {
  return el('div', { class: 'figure', 'data-role': role }, el('dt', {}, label), el('dd', {}, value), hint ? el('dd', { class: 'muted' }, hint) : null);
}

function figures() {
  const { currency } = list[0];
  const own = list.filter((one) => one.currency === currency);
  const net = (some) => money(some.reduce((all, one) => all + one.net_minor, 0), currency);
  const [open, closed] = ['open', 'closed'].map((state) => own.filter((one) => one.state === state));
  const nearest = open.at(-1);
  document.getElementById('figures').replaceChildren(
    figure(t('deposits-open'), net(open), nearest && day(nearest.date), 'open'),
    figure(t('deposits-last'), closed[0] ? money(closed[0].net_minor, currency) : '—', closed[0] && day(closed[0].date), 'last'),
    figure(t('deposits-total'), net(closed), null, 'total'));
}

function chart() {
  const { currency } = list[0];
  const exponent = exponentOf(currency);
  const some = list.filter((one) => one.currency === currency).slice(0, BARS).reverse();
  const short = (value) => new Intl.NumberFormat(language(), { notation: 'compact', maximumFractionDigits: 1 }).format(value);
  const drawn = some.map((one) => ({
    value: Number(decimal(one.net_minor, exponent)),
    label: whole(one.date, { day: '2-digit', month: '2-digit' }),
    words: `${day(one.date)}: ${money(one.net_minor, currency)}`,
    href: address(one),
    tone: one.net_minor < 0 ? 'below' : one.state,
  }));
  bars(frame, drawn, short);
}

function row(one) {
  const [tone, text] = STATES[one.state];
  const number = (minor) => el('td', { class: 'number' }, money(minor, one.currency));
  const wide = (minor) => el('td', { class: 'number wide' }, money(minor, one.currency));
  return el('tr', { 'data-id': one.id, onclick: (event) => event.target.closest('a') ?? location.assign(address(one)) },
    el('td', { class: 'main' }, el('a', { href: address(one) }, day(one.date))),
    el('td', { class: 'code wide' }, one.state === 'closed' ? one.id : '—'),
    el('td', { class: 'wide' }, one.merchant_name),
    el('td', { class: 'number wide' }, String(one.rows)),
    wide(one.gross_minor), wide(one.fee_minor), wide(one.tax_minor), number(one.net_minor),
    el('td', {}, el('span', { class: `chip ${tone}` }, t(text))));
}

function draw() {
  document.getElementById('rows').replaceChildren(...list.map(row));
  const none = list.length === 0;
  document.getElementById('empty').hidden = !none;
  document.getElementById('overview').hidden = none;
  more.hidden = !next;
  if (none) return;
  figures();
  chart();
}

const page = (rest) => shown(() => call('GET', `settlements?limit=${PAGE}${rest}`));

async function read() {
  const found = await page('');
  if (!found) return;
  list = found.settlements;
  next = found.next;
  draw();
}

more.addEventListener('click', async () => {
  const found = await page(`&cursor=${encodeURIComponent(next)}`);
  if (!found) return;
  list = [...list, ...found.settlements];
  next = found.next;
  draw();
});

// a payment is several events: one reading for all of them
const changed = () => {
  clearTimeout(soon);
  soon = setTimeout(read, SETTLE_MS);
};
let width = 0;
new ResizeObserver(() => {
  if (list.length > 0 && frame.clientWidth !== width) chart();
  width = frame.clientWidth;
}).observe(frame);
start({ reload: read, handlers: { event: changed } });
