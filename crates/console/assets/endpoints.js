// The addresses that are notified, each with its health.

import { call } from './api.js';
import { query, shown, start } from './chrome.js';
import { answerWord, state } from './delivery.js';
import { el } from './dom.js';
import { precise, tag } from './raw.js';
import { t } from './texts.js';

const list = document.getElementById('endpoints');
const GOOD_PERCENT = 99;
const POOR_PERCENT = 90;

const tone = (percent) => (percent === null ? '' : percent >= GOOD_PERCENT ? 'good' : percent >= POOR_PERCENT ? 'warn' : 'bad');

const fact = (name, value) => el('div', {}, el('dt', {}, name), el('dd', {}, value));

function card(one) {
  const percent = one.success_percent;
  const { last } = one;
  // tried, but nothing has ended: neither good nor bad, yet not silent about it
  const health = percent !== null ? tag(`${percent} %`, tone(percent)) : last ? tag(t('health-none'), 'warn') : tag(t('health-unknown'));
  const address = new URLSearchParams(query.replace(/^\?/, ''));
  address.set('url', one.url);
  return el('article', { class: 'panel endpoint', 'data-url': one.url },
    el('header', {},
      el('h2', {}, el('code', {}, one.url)),
      el('p', { class: 'chips' }, health, one.dialect ? tag(one.dialect) : '', one.merchant ? tag(one.merchant) : '')),
    el('meter', { min: 0, max: 100, low: POOR_PERCENT, high: GOOD_PERCENT, optimum: 100, value: percent ?? 0, 'aria-label': t('health-success') }),
    el('dl', { class: 'health' },
      fact(t('delivery-delivered'), String(one.delivered)),
      fact(t('delivery-waiting'), String(one.waiting)),
      fact(t('delivery-failed'), String(one.failed)),
      fact(t('delivery-exhausted'), String(one.exhausted)),
      fact(t('health-attempts'), String(one.attempts)),
      fact(t('column-duration'), one.duration_ms === null ? '–' : `${one.duration_ms} ms`)),
    last ? el('p', { class: 'facts' }, `${t('health-last')} `, state(last), tag(answerWord(last) || '–', last.status >= 200 && last.status < 300 ? 'good' : 'warn'), precise(last.at)) : '',
    one.next_at ? el('p', { class: 'facts' }, `${t('column-next')} `, precise(one.next_at)) : '',
    el('p', {}, el('a', { href: `/console/deliveries?${address}` }, t('health-deliveries'))));
}

async function reload() {
  const page = await shown(() => call('GET', 'endpoints'));
  if (!page) return;
  list.replaceChildren(...page.endpoints.map(card));
  document.getElementById('empty').hidden = page.endpoints.length > 0;
}

// News come in bursts: one reading for all that came while the one before was under way.
let running = false;
let again = false;
async function news() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  await reload();
  running = false;
  if (again) {
    again = false;
    news();
  }
}

start({ reload, handlers: { delivery: news } });
