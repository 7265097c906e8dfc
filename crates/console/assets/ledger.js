// The books: balances, and the postings that made them.

import { call } from './api.js';
import { posting, sum } from './books.js';
import { shown, start } from './chrome.js';
import { el } from './dom.js';
import { t } from './texts.js';

const PAGE = 25;
const SETTLE_MS = 150;
const more = document.getElementById('more');
const postings = document.getElementById('postings');
let next = null;
let soon = 0;

function balances(list) {
  const currencies = [...new Set(list.map((one) => one.currency))].sort();
  document.getElementById('balances-band').hidden = currencies.length === 0;
  document.getElementById('balances').replaceChildren(...currencies.map((currency) => {
    const rows = list.filter((one) => one.currency === currency);
    const total = rows.reduce((all, one) => all + one.balance_minor, 0);
    return el('table', { class: 'book' },
      el('caption', {}, currency, el('span', { class: `chip ${total === 0 ? 'good' : 'bad'}` }, total === 0 ? t('ledger-balanced') : t('ledger-unbalanced'))),
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('ledger-account')), el('th', { scope: 'col', class: 'number' }, t('ledger-balance')))),
      el('tbody', {}, rows.map((one) => el('tr', {}, el('th', { scope: 'row' }, one.account), sum(one.balance_minor, currency)))),
      el('tfoot', {}, el('tr', {}, el('th', { scope: 'row' }, t('ledger-sum')), sum(total, currency))));
  }));
}

async function every(path, list) {
  const all = [];
  let cursor = null;
  do {
    const page = await call('GET', `${path}?limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    all.push(...page[list]);
    cursor = page.next;
  } while (cursor);
  return all;
}

async function read() {
  const accounts = await shown(() => every('ledger/balances', 'balances'));
  const page = await shown(() => call('GET', `ledger/postings?limit=${PAGE}`));
  if (accounts) balances(accounts);
  if (!page) return;
  postings.replaceChildren(...page.postings.map(posting));
  next = page.next;
  more.hidden = !next;
  document.getElementById('empty').hidden = page.postings.length > 0;
}

more.addEventListener('click', async () => {
  const page = await shown(() => call('GET', `ledger/postings?limit=${PAGE}&cursor=${encodeURIComponent(next)}`));
  if (!page) return;
  postings.append(...page.postings.map(posting));
  next = page.next;
  more.hidden = !next;
});

// many events come together when a payment is made: one reading for all of them
const changed = () => {
  clearTimeout(soon);
  soon = setTimeout(read, SETTLE_MS);
};
start({ reload: read, handlers: { event: changed } });
