// Postings as elements, for every page that shows some.

import { el } from './dom.js';
import { moneyWithCode } from './money.js';
import { precise } from './raw.js';

/** A cell with an amount; credits stand out. */
export const sum = (minor, currency) => el('td', { class: `number ${minor < 0 ? 'credit' : ''}` }, moneyWithCode(minor, currency));

/** A posting with its lines. */
export function posting(one) {
  const head = el('header', {}, precise(one.at), el('code', {}, String(one.event ?? one.id)));
  const rows = one.entries.map((entry) => el('tr', {}, el('th', { scope: 'row' }, entry.account), sum(entry.amount_minor, entry.currency)));
  return el('article', { class: 'posting', 'data-posting': one.id }, head, el('table', {}, el('tbody', {}, rows)));
}
