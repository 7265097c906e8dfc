// What a merchant has without terminals: sessions of its pages, charges of stored cards, tokens
// (masked: whoever has one can charge the card) and notifications.

import { call } from './api.js';
import { shown, start } from './chrome.js';
import { again, sides, state as delivered } from './delivery.js';
import { el } from './dom.js';
import { open } from './journal.js';
import { moneyWithCode } from './money.js';
import { block, precise, tag } from './raw.js';
import { REASONS } from './screen.js';
import { key, t } from './texts.js';
import { cardWords } from './view.js';

const PAGE = 50;
const SETTLE_MS = 150;
const table = document.getElementById('journal');
const body = table.tBodies[0];
const more = document.getElementById('more');
const empty = document.getElementById('empty');
const choice = document.getElementById('site');
const tabs = [...document.querySelectorAll('#parts [role="tab"]')];
let part = tabs.some((tab) => tab.dataset.part === location.hash.slice(1)) ? location.hash.slice(1) : 'sessions';
let next = null;
let asked = 0;
let soon = 0;

const TONES = { APPROVED: 'good', APPROVED_PARTIAL: 'good', REJECTED: 'bad', PARTIAL_EXPIRED: 'bad', FAILED: 'bad' };
const OUTCOMES = {
  approved: ['good', key('state-approved')], rejected: ['bad', key('state-rejected')], pending: ['', key('state-pending')],
  reversed: ['bad', key('state-reversed')], error: ['bad', key('state-error')], confirmation_required: ['', key('state-unknown')],
};
const CARDS = { active: ['good', key('card-active')], used: ['', key('card-used')], invalidated: ['bad', key('card-invalidated')] };

const chip = (table, word) => tag(t(table[word]?.[1] ?? word), table[word]?.[0]);
const status = (session) => tag(session.status, TONES[session.status]);
const amount = (session) => (session.amount_minor === null ? '–' : moneyWithCode(session.amount_minor, session.currency, session.currency_exponent));
const card = (of) => (of?.last_digits ? cardWords(of) : '–');
const reason = (word) => (word in REASONS ? t(REASONS[word]) : word);

function tries(session) {
  if (session.payments.length === 0) return null;
  const rows = session.payments.map((one) => el('tr', {},
    el('td', {}, chip(OUTCOMES, one.outcome)),
    el('td', {}, one.reason ? reason(one.reason) : (one.authorization_code ?? '')),
    el('td', {}, precise(one.at)),
    el('td', { class: 'number' }, moneyWithCode(one.amount_minor, session.currency, session.currency_exponent))));
  return el('section', { class: 'raw' }, el('h3', {}, t('sites-tries')), el('table', { class: 'tries' }, el('tbody', {}, rows)));
}

const session = (list) => ({
  path: `sessions?kind=${list}`,
  list: 'sessions',
  columns: [
    { title: t('column-number'), cell: (one) => String(one.request_id), class: 'main number-id' },
    { title: t('column-state'), cell: status },
    { title: t('column-reference'), cell: (one) => one.reference ?? '–', class: 'code wide' },
    { title: t('column-card'), cell: (one) => card(one.card), class: 'of-card wide' },
    { title: t('column-amount'), cell: amount, class: 'number' },
    { title: t('column-time'), cell: (one) => precise(one.at), class: 'time wide' },
  ],
  id: (one) => `${one.merchant}/${one.request_id}`,
  details: (one) => open(String(one.request_id), el('p', { class: 'facts' }, status(one), tag(one.kind)), tries(one), block(t('sites-session'), one)),
});

const PARTS = {
  sessions: { ...session('page'), nothing: key('sites-no-sessions') },
  collects: { ...session('direct'), nothing: key('sites-no-collects') },
  tokens: {
    path: 'cards',
    list: 'cards',
    columns: [
      { title: t('column-token'), cell: (one) => one.token, class: 'code of-card' },
      { title: t('column-state'), cell: (one) => chip(CARDS, one.state) },
      { title: t('column-card'), cell: card, class: 'main of-card' },
      { title: t('column-expiry'), cell: (one) => one.expiration, class: 'number wide' },
      { title: t('column-key'), cell: (one) => String(one.key), class: 'number wide' },
      { title: t('column-time'), cell: (one) => precise(one.at), class: 'time wide' },
    ],
    id: (one) => one.id,
    details: (one) => open(one.token, el('p', { class: 'facts' }, chip(CARDS, one.state), card(one)), block(t('sites-token'), one)),
    nothing: key('sites-no-tokens'),
  },
  notifications: {
    path: 'deliveries',
    list: 'deliveries',
    columns: [
      { title: t('column-state'), cell: delivered },
      { title: t('column-url'), cell: (one) => one.url, class: 'main code' },
      { title: t('column-answer'), cell: (one) => (one.response ? String(one.response.status) : '–'), class: 'number' },
      { title: t('column-time'), cell: (one) => precise(one.at), class: 'time wide' },
      { title: t('column-action'), cell: (one) => again(one, shown), class: 'action wide' },
    ],
    id: (one) => one.id,
    details: (one) => open(one.url, sides(one, shown)),
    nothing: key('sites-no-notifications'),
  },
};

function row(entry) {
  const { columns, id, details } = PARTS[part];
  const cells = columns.map(({ cell, class: name }, index) => {
    const content = cell(entry);
    return el('td', { class: name }, index === 0 ? el('button', { type: 'button', class: 'row-open' }, content) : content);
  });
  const line = el('tr', { 'data-id': id(entry) }, cells);
  line.addEventListener('click', (click) => {
    const button = click.target.closest('button, a');
    if (!button || button.classList.contains('row-open')) details(entry);
  });
  return line;
}

function address(cursor) {
  const { path } = PARTS[part];
  const query = new URLSearchParams({ merchant: choice.value, limit: PAGE });
  if (cursor) query.set('cursor', cursor);
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

async function read() {
  if (!choice.value) return;
  const turn = ++asked;
  const page = await shown(() => call('GET', address()));
  // another part was chosen meanwhile
  if (!page || turn !== asked) return;
  const { columns, list, nothing } = PARTS[part];
  table.tHead.rows[0].replaceChildren(...columns.map(({ title, class: name }) => el('th', { scope: 'col', class: name }, title)));
  body.replaceChildren(...page[list].map(row));
  next = page.next;
  more.hidden = !next;
  empty.textContent = t(nothing);
  empty.hidden = page[list].length > 0;
  table.dataset.part = part;
}

more.addEventListener('click', async () => {
  const turn = asked;
  const page = await shown(() => call('GET', address(next)));
  if (!page || turn !== asked) return;
  body.append(...page[PARTS[part].list].map(row));
  next = page.next;
  more.hidden = !next;
});

function choose(name, focus) {
  part = name;
  for (const tab of tabs) {
    const here = tab.dataset.part === name;
    tab.setAttribute('aria-selected', String(here));
    tab.tabIndex = here ? 0 : -1;
    if (here && focus) tab.focus();
  }
  document.getElementById('part-panel').setAttribute('aria-labelledby', `part-${name}`);
  history.replaceState(null, '', `#${name}`);
  body.replaceChildren();
  read();
}

for (const [place, tab] of tabs.entries()) {
  tab.addEventListener('click', () => choose(tab.dataset.part, false));
  tab.addEventListener('keydown', ({ key: pressed }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[pressed];
    if (step) choose(tabs[(place + step + tabs.length) % tabs.length].dataset.part, true);
  });
}

async function sites() {
  const world = await shown(() => call('GET', `worlds/${document.body.dataset.world}`));
  if (!world) return;
  const names = [
    ...(world.placetopay?.sites ?? []).map(({ login, country, name }) => [login, `Placetopay ${country} · ${name ?? login}`]),
    ...(world.clip ? [[world.clip.api_key, 'Clip MX']] : []),
  ];
  if (choice.options.length === 0) choice.append(...names.map(([value, name]) => el('option', { value }, name)));
}

choice.addEventListener('change', read);

// much happens together when something is paid: one reading for all of it
const changed = () => {
  clearTimeout(soon);
  soon = setTimeout(() => next === null && read(), SETTLE_MS);
};

start({
  reload: async () => {
    await sites();
    choose(part, false);
  },
  handlers: { event: changed, delivery: changed },
});
