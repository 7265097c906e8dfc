// One deposit: how much and why, the posting that paid it out, and its lines down to theirs.

import { call } from './api.js';
import { posting } from './books.js';
import { shown, start } from './chrome.js';
import { el } from './dom.js';
import { money, stampAt } from './money.js';
import { key, language, t } from './texts.js';
import { cardWords } from './view.js';

const PAGE = 50;
const SETTLE_MS = 150;
const COLUMNS = 9;
const KINDS = { payment: ['good', key('deposit-kind-payment')], refund: ['warn', key('deposit-kind-refund')] };

const { deposit: id } = document.getElementById('deposit').dataset;
const path = `settlements/${encodeURIComponent(id)}`;
const more = document.getElementById('more');
const rows = document.getElementById('rows');
let next = null;
let state = null;
let soon = 0;

const put = (name, ...children) => document.getElementById(name).replaceChildren(...children);

function figure(label, minor, currency, role, sign) {
  return [
    sign ? el('span', { class: 'sign', role: 'img', 'aria-label': sign === '−' ? t('deposit-less') : t('deposit-equals') }, sign) : null,
    el('div', { class: 'figure', 'data-role': role }, el('dt', {}, label), el('dd', {}, money(minor, currency))),
  ];
}

function head(one) {
  const date = new Intl.DateTimeFormat(language(), { timeZone: 'UTC', dateStyle: 'full' }).format(new Date(`${one.date}T00:00:00Z`));
  const open = one.state === 'open';
  put('date', date);
  put('chips',
    el('span', { class: `chip ${open ? 'info' : 'good'}` }, open ? t('deposits-state-open') : t('deposits-state-closed')),
    open ? '' : el('span', { class: 'chip' }, one.id),
    el('span', { class: 'chip' }, one.merchant_name),
    el('span', { class: 'chip' }, `${one.rows} · ${t('deposits-rows')}`));
  put('equation', ...[
    figure(t('deposits-gross'), one.gross_minor, one.currency, 'gross'),
    figure(t('deposits-fee'), one.fee_minor, one.currency, 'fee', '−'),
    figure(t('deposits-tax'), one.tax_minor, one.currency, 'tax', '−'),
    figure(t('deposits-net'), one.net_minor, one.currency, 'net', '='),
  ].flat().filter(Boolean));
}

/** Shows or hides the postings of a line, which are read when they are first wanted. */
async function unfold(button, line, row) {
  const under = row.nextElementSibling?.dataset.of === line.line ? row.nextElementSibling : null;
  if (under) {
    under.hidden = !under.hidden;
    button.setAttribute('aria-expanded', String(!under.hidden));
    return;
  }
  const found = await shown(() => call('GET', `${path}/postings?line=${line.line}`));
  if (!found || row.nextElementSibling?.dataset.of === line.line) return;
  row.after(el('tr', { class: 'under', 'data-of': line.line }, el('td', { colspan: COLUMNS }, el('div', { class: 'postings' }, found.postings.map(posting)))));
  button.setAttribute('aria-expanded', 'true');
}

function lineRow(line) {
  const amount = (minor, extra = '') => el('td', { class: `number ${extra}` }, money(minor, line.currency));
  const [tone, kind] = KINDS[line.kind];
  const { payment } = line;
  const button = el('button', { type: 'button', class: 'row-open', 'aria-expanded': 'false', title: t('deposit-show') }, stampAt(new Date(line.at), line.currency));
  const netted = line.netted_minor > 0 ? t('deposit-netted', { amount: money(line.netted_minor, line.currency) }) : null;
  const row = el('tr', { 'data-line': line.line, onclick: () => unfold(button, line, row) },
    el('td', { class: 'time' }, button),
    el('td', { class: 'code wide', title: payment.id }, payment.id),
    el('td', {}, el('span', { class: `chip ${tone}` }, t(kind))),
    el('td', { class: 'wide' }, cardWords(payment.card), payment.installments > 1 ? el('small', { class: 'netted' }, `${payment.installments} · ${t('deposit-months')}`) : null, netted ? el('small', { class: 'netted' }, netted) : null),
    amount(line.tip_minor, 'wide'), amount(line.gross_minor, 'wide'), amount(line.fee_minor, 'wide'), amount(line.tax_minor, 'wide'), amount(line.net_minor));
  return row;
}

async function paid() {
  const found = await shown(() => call('GET', `${path}/postings`));
  if (found) put('paid', ...(found.postings.length > 0 ? found.postings.map(posting) : [el('p', { class: 'muted' }, t('deposit-paid-none'))]));
}

const page = (rest) => shown(() => call('GET', `${path}/lines?limit=${PAGE}${rest}`));

async function read() {
  // what is closed stays as it is
  if (state === 'closed') return;
  let one = null;
  try {
    one = await call('GET', path);
  } catch (error) {
    if (error.status !== 404) {
      await shown(() => { throw error; });
      return;
    }
  }
  document.getElementById('unknown').hidden = one !== null;
  document.getElementById('whole').hidden = one === null;
  if (!one) return;
  head(one);
  const found = await page('');
  if (!found) return;
  rows.replaceChildren(...found.lines.map(lineRow));
  next = found.next;
  more.hidden = !next;
  await paid();
  state = one.state;
}

more.addEventListener('click', async () => {
  const found = await page(`&cursor=${encodeURIComponent(next)}`);
  if (!found) return;
  rows.append(...found.lines.map(lineRow));
  next = found.next;
  more.hidden = !next;
});

const changed = () => {
  clearTimeout(soon);
  soon = setTimeout(read, SETTLE_MS);
};
start({ reload: read, handlers: { event: changed } });
