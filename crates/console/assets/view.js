// A screen as elements: what `screen.js` decided, drawn.

import { el, icon } from './dom.js';
import { money, moneyParts } from './money.js';
import { DETAILS, KEYS_MAX, REASONS, RESULTS, hasList, isRefund, moved, phaseOf } from './screen.js';
import { key, t } from './texts.js';

const brand = (terminal) => terminal.merchant_name ?? terminal.merchant;

function amount(intent, terminal, minor = intent.amount_minor) {
  const { sign, whole, decimals } = moneyParts(minor, intent.currency, exponent(intent, terminal));
  const length = whole.length > 9 ? 'long' : whole.length > 6 ? 'wide' : 'short';
  return el('p', { class: `sum ${length}`, 'data-role': 'amount' }, el('span', { class: 'sign' }, sign), whole, el('span', { class: 'decimals' }, decimals));
}

const exponent = (intent, terminal) =>
  intent.currency === terminal.currency ? terminal.currency_exponent : undefined;

const plain = (intent, terminal, minor = intent.amount_minor) => money(minor, intent.currency, exponent(intent, terminal));

/** Why it ended so, in words, where there is a reason. */
export const reasonText = (last) => (last.reason ? (last.reason in REASONS ? t(REASONS[last.reason]) : last.reason) : null);

function idle({ last }, terminal) {
  return {
    main: [
      el('div', { class: 'shop' }, el('span', { class: 'monogram' }, brand(terminal).trim().slice(0, 1).toUpperCase()), el('b', {}, brand(terminal))),
      el('div', { class: 'ready' }, icon('till'), el('p', { class: 'title' }, t('screen-idle')), el('p', {}, t(hasList(terminal) ? key('screen-idle-list') : key('screen-idle-hint')))),
      hasList(terminal) && terminal.cashier ? el('p', { class: 'previous' }, terminal.cashier) : null,
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
  const refund = isRefund(queue[0]);
  const title = t(refund ? key('screen-refund-queued') : key('screen-queued'));
  return {
    main: [list, el('p', { class: 'title' }, title), el('p', {}, t(queue.length > 1 ? key('screen-queued-many') : key('screen-queued-hint')))],
    soft: [['green', t(refund ? key('soft-refund') : key('soft-charge'))]],
    spoken: `${title}. ${t('screen-queued-hint')}`,
  };
}

// Charges that wait for whoever is signed in; one is picked by its number or by touch.
function list({ queue }, terminal) {
  const keyed = queue.slice(0, KEYS_MAX);
  const more = queue.length - keyed.length;
  return {
    main: [
      el('p', { class: 'list-head' }, el('b', {}, t('screen-list')), terminal.cashier ? el('span', {}, terminal.cashier) : null),
      el('ol', { class: 'queue pick' }, keyed.map((intent, index) =>
        el('li', { 'data-pick': String(index + 1) }, el('span', {}, intent.description ?? t('charge')), el('b', {}, plain(intent, terminal))))),
      more > 0 ? el('p', { class: 'previous' }, t('screen-list-more', { count: more })) : null,
    ],
    soft: [['green', t('soft-first')]],
    spoken: `${t('screen-list')}: ${keyed.map((intent, index) => `${index + 1}, ${intent.description ?? ''} ${plain(intent, terminal)}`).join('; ')}`,
  };
}

function tip({ intent, options }, terminal) {
  const words = options.map(({ percent, minor }) => [`${percent} %`, plain(intent, terminal, minor)]);
  return {
    main: [
      el('p', { class: 'over' }, plain(intent, terminal)),
      el('p', { class: 'title' }, t('screen-tip')),
      el('ol', { class: 'queue pick' }, words.map(([percent, sum], index) => el('li', { 'data-pick': String(index + 1) }, el('span', {}, percent), el('b', {}, sum)))),
    ],
    soft: [['red', t('soft-cancel')], ['green', t('soft-no-tip')]],
    spoken: `${t('screen-tip')}. ${words.map(([percent, sum], index) => `${index + 1}: ${percent}, ${sum}`).join('; ')}`,
  };
}

const inMonths = (count, minor, intent, terminal) => t('screen-months-of', { count, sum: plain(intent, terminal, minor) });

function months({ intent, total, options }, terminal) {
  const words = options.map(({ count, minor }) => (count === 1 ? t('screen-months-none') : inMonths(count, minor, intent, terminal)));
  return {
    main: [
      el('p', { class: 'title small' }, t('screen-months'), ' ', el('b', {}, plain(intent, terminal, total))),
      el('ol', { class: 'queue pick close' }, words.map((word, index) => el('li', { 'data-pick': String(index + 1) }, el('span', {}, word)))),
    ],
    soft: [['red', t('soft-cancel')], ['green', t('soft-once')]],
    spoken: `${t('screen-months')}. ${words.map((word, index) => `${index + 1}: ${word}`).join('; ')}`,
  };
}

// What was chosen before the card, in words.
function terms({ intent, total, tip: tipped, months: count }, terminal) {
  const words = [];
  if (tipped > 0) words.push(t('screen-with-tip', { sum: plain(intent, terminal, tipped) }));
  if (count > 1) words.push(inMonths(count, Math.round(total / count), intent, terminal));
  return words.join(' · ');
}

const WAYS = { tap: 'contactless', insert: 'chip', swipe: 'stripe' };

function charge(screen, terminal, { only }) {
  const { intent, total } = screen;
  const chosen = terms(screen, terminal);
  const ways = Object.entries(WAYS).filter(([entry]) => !only || entry === only);
  const present = t(only === 'swipe' ? key('screen-swipe') : key('screen-present'));
  const back = isRefund(intent) ? t('screen-refund-total') : null;
  return {
    main: [
      el('p', { class: 'over' }, back ?? intent.description ?? t('screen-total')),
      amount(intent, terminal, total),
      chosen ? el('p', { class: 'previous' }, chosen) : null,
      el('div', { class: 'ways' }, ways.map(([entry, sign]) => el('span', { class: `way ${entry}` }, icon(sign)))),
      el('p', { class: 'title small' }, present),
    ],
    soft: [['red', t('soft-cancel')]],
    spoken: [back, plain(intent, terminal, total), chosen, present].filter(Boolean).join('. '),
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
  // What was not charged is one thing, what was not given back another.
  const nothing = isRefund(last.intent) && name !== 'refunded' ? t('outcome-refund-none') : t(hint);
  const words = asking ? t('screen-print') : (reason ?? nothing);
  const code = last.payment?.authorization_code;
  const paid = last.payment?.amount_minor ?? last.intent?.amount_minor;
  // A declined card that may be followed by another.
  const again = name === 'rejected' && phaseOf(last.intent) === 'on_terminal';
  return {
    main: [
      el('div', { class: 'verdict' }, icon(sign)),
      el('p', { class: 'title' }, t(title)),
      last.intent ? el('p', { class: 'paid' }, plain(last.intent, terminal, paid)) : null,
      moved(name) ? cardLine(last.payment) : null,
      name === 'approved' && code && !detailed ? el('p', { class: 'with' }, t('screen-authorization', { code })) : null,
      detailed && name in DETAILS && !asking && !reason ? null : el('p', { class: 'words' }, words),
      detailed && name in DETAILS ? el('p', { class: 'detail' }, `${t('screen-detail')}: `, el('b', {}, DETAILS[name])) : null,
    ],
    soft: asking ? [['yellow', t('soft-no-receipt')], ['green', t('soft-print')]] : [['green', t(again ? key('soft-again') : key('soft-done'))]],
    spoken: [t(title), last.intent && plain(last.intent, terminal, paid), words].filter(Boolean).join('. '),
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
    case 'list': return list(screen, terminal);
    case 'tip': return tip(screen, terminal);
    case 'months': return months(screen, terminal);
    case 'closed': return message('till', t('screen-closed'), t('screen-closed-hint'));
    case 'amount': return charge(screen, terminal, local);
    case 'processing': return processing(screen, terminal, local);
    case 'offline': return message('offline', t('screen-offline'), t('screen-offline-hint'));
    case 'standalone': return message('till', t('screen-standalone'), t('screen-standalone-hint'));
    default: return result(screen, terminal, local);
  }
}
