// A screen as elements: what `screen.js` decided, drawn.

import { el, icon } from './dom.js';
import { money, moneyParts } from './money.js';
import { DETAILS, RESULTS, REASONS } from './screen.js';
import { key, t } from './texts.js';

const brand = (terminal) => terminal.merchant_name ?? terminal.merchant;

function amount(intent, terminal) {
  const { sign, whole, decimals } = moneyParts(intent.amount_minor, intent.currency, exponent(intent, terminal));
  const length = whole.length > 9 ? 'long' : whole.length > 6 ? 'wide' : 'short';
  return el('p', { class: `sum ${length}`, 'data-role': 'amount' }, el('span', { class: 'sign' }, sign), whole, el('span', { class: 'decimals' }, decimals));
}

const exponent = (intent, terminal) =>
  intent.currency === terminal.currency ? terminal.currency_exponent : undefined;

const plain = (intent, terminal) => money(intent.amount_minor, intent.currency, exponent(intent, terminal));

/** Why it ended so, in words, where there is a reason. */
export const reasonText = (last) => (last.reason ? (last.reason in REASONS ? t(REASONS[last.reason]) : last.reason) : null);

function idle({ last }, terminal) {
  return {
    main: [
      el('div', { class: 'shop' }, el('span', { class: 'monogram' }, brand(terminal).trim().slice(0, 1).toUpperCase()), el('b', {}, brand(terminal))),
      el('div', { class: 'ready' }, icon('till'), el('p', { class: 'title' }, t('screen-idle')), el('p', {}, t('screen-idle-hint'))),
      last?.intent ? el('p', { class: 'previous' }, t('screen-previous'), ' ', el('b', {}, plain(last.intent, terminal))) : null,
    ],
    soft: [['green', t('soft-fetch')]],
    spoken: `${t('screen-idle')}. ${t('screen-idle-hint')}`,
  };
}

function queued({ queue }, terminal) {
  const list = queue.length > 1
    ? el('ol', { class: 'queue' }, queue.slice(0, 9).map((intent) => el('li', {}, el('span', {}, intent.description ?? t('charge')), el('b', {}, plain(intent, terminal)))))
    : el('div', { class: 'bell' }, icon('receipt'));
  return {
    main: [list, el('p', { class: 'title' }, t('screen-queued')), el('p', {}, t(queue.length > 1 ? key('screen-queued-many') : key('screen-queued-hint')))],
    soft: [['green', t('soft-charge')]],
    spoken: `${t('screen-queued')}. ${t('screen-queued-hint')}`,
  };
}

const WAYS = { tap: 'contactless', insert: 'chip', swipe: 'stripe' };

function charge({ intent }, terminal, { only }) {
  const ways = Object.entries(WAYS).filter(([entry]) => !only || entry === only);
  const present = t(only === 'swipe' ? key('screen-swipe') : key('screen-present'));
  return {
    main: [
      el('p', { class: 'over' }, intent.description ?? t('screen-total')),
      amount(intent, terminal),
      el('div', { class: 'ways' }, ways.map(([entry, sign]) => el('span', { class: `way ${entry}` }, icon(sign)))),
      el('p', { class: 'title small' }, present),
    ],
    soft: [['red', t('soft-cancel')]],
    spoken: `${plain(intent, terminal)}. ${present}`,
  };
}

function processing({ intent }, terminal, local) {
  return {
    main: [
      el('div', { class: 'spinner' }),
      el('p', { class: 'title' }, t('screen-processing')),
      el('p', {}, t(local.entry === 'insert' ? key('screen-keep-card') : key('screen-wait'))),
      intent ? el('p', { class: 'previous' }, el('b', {}, plain(intent, terminal))) : null,
    ],
    soft: [],
    spoken: t('screen-processing'),
  };
}

// Brands as their owners write them; another word is shown as it came.
const BRANDS = { amex: 'American Express', elo: 'Elo', hipercard: 'Hipercard', master: 'Mastercard', mastercard: 'Mastercard', visa: 'Visa' };

/** A card in words, as `Visa •••• 1234`. */
export function cardWords({ brand, last_digits: digits }, dots = '••••') {
  return [BRANDS[brand?.toLowerCase()] ?? brand, digits && `${dots} ${digits}`].filter(Boolean).join(' ');
}

const cardLine = (payment) => (payment?.card ? el('p', { class: 'with' }, cardWords(payment.card)) : null);

function result({ name, last, asking }, terminal, { detailed }) {
  const { icon: sign, title, hint } = RESULTS[name];
  const reason = reasonText(last);
  const words = asking ? t('screen-print') : (reason ?? t(hint));
  const code = last.payment?.authorization_code;
  return {
    main: [
      el('div', { class: 'verdict' }, icon(sign)),
      el('p', { class: 'title' }, t(title)),
      last.intent ? el('p', { class: 'paid' }, plain(last.intent, terminal)) : null,
      name === 'approved' ? cardLine(last.payment) : null,
      name === 'approved' && code && !detailed ? el('p', { class: 'with' }, t('screen-authorization', { code })) : null,
      detailed && name in DETAILS && !asking && !reason ? null : el('p', { class: 'words' }, words),
      detailed && name in DETAILS ? el('p', { class: 'detail' }, `${t('screen-detail')}: `, el('b', {}, DETAILS[name])) : null,
    ],
    soft: asking ? [['yellow', t('soft-no-receipt')], ['green', t('soft-print')]] : [['green', t('soft-done')]],
    spoken: [t(title), last.intent && plain(last.intent, terminal), words].filter(Boolean).join('. '),
  };
}

function message(sign, title, hint) {
  return {
    main: [el('div', { class: 'emblem' }, icon(sign)), el('p', { class: 'title' }, title), el('p', {}, hint)],
    soft: [],
    spoken: `${title}. ${hint}`,
  };
}

/** Elements, softkeys and spoken words of a screen. */
export function viewOf(screen, terminal, local) {
  switch (screen.name) {
    case 'idle': return idle(screen, terminal);
    case 'queued': return queued(screen, terminal);
    case 'amount': return charge(screen, terminal, local);
    case 'processing': return processing(screen, terminal, local);
    case 'offline': return message('offline', t('screen-offline'), t('screen-offline-hint'));
    case 'standalone': return message('till', t('screen-standalone'), t('screen-standalone-hint'));
    default: return result(screen, terminal, local);
  }
}
