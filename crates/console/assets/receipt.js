// The receipt that the printer gives.

import { el } from './dom.js';
import { money, stampAt } from './money.js';
import { RESULTS, isRefund, moved, resultName } from './screen.js';
import { t, key } from './texts.js';
import { cardWords, reasonText } from './view.js';

const ENTRIES = { tap: key('receipt-entry-tap'), insert: key('receipt-entry-insert'), swipe: key('receipt-entry-swipe') };
const TYPES = {
  credit: key('card-credit'), credit_card: key('card-credit'),
  debit: key('card-debit'), debit_card: key('card-debit'),
  prepaid: key('card-prepaid'), prepaid_card: key('card-prepaid'),
  voucher: key('card-voucher'), voucher_card: key('card-voucher'),
};

const known = (table, name) => (name in table ? t(table[name]) : name);

function line(label, value) {
  return value ? el('div', {}, el('dt', {}, label), el('dd', {}, value)) : null;
}

/** The receipt of a terminal's last operation. */
export function receipt(terminal, last) {
  const name = resultName(last);
  const card = last.payment?.card;
  const kind = { approved: key('receipt-sale'), refunded: key('receipt-refund') }[name] ?? RESULTS[name].title;
  const nothing = isRefund(last.intent) ? key('outcome-refund-none') : key('receipt-no-charge');
  const exponent = last.intent.currency === terminal.currency ? terminal.currency_exponent : undefined;
  return el('div', { class: 'slip', 'data-outcome': name },
    el('p', { class: 'slip-shop' }, terminal.merchant_name ?? terminal.merchant),
    el('p', { class: 'slip-kind' }, t(kind)),
    el('p', { class: 'slip-sum' }, money(last.payment?.amount_minor ?? last.intent.amount_minor, last.intent.currency, exponent)),
    el('p', { class: 'slip-verdict' }, moved(name) ? t(RESULTS[name].title) : (reasonText(last) ?? t(nothing))),
    el('dl', {},
      line(t('receipt-date'), last.at ? stampAt(new Date(last.at), last.intent.currency) : null),
      line(t('receipt-tip'), last.payment?.tip_minor > 0 ? money(last.payment.tip_minor, last.intent.currency, exponent) : null),
      line(t('receipt-months'), last.payment?.installments > 1 ? String(last.payment.installments) : null),
      line(t('receipt-ticket'), last.ticket),
      line(t('receipt-terminal'), terminal.id.split('__').at(-1)),
      card ? line(t('receipt-card'), cardWords(card, '****')) : null,
      card?.type ? line(t('receipt-type'), known(TYPES, card.type)) : null,
      card?.entry ? line(t('receipt-entry'), known(ENTRIES, card.entry)) : null,
      line(t('receipt-authorization'), last.payment?.authorization_code),
      line(t('receipt-operation'), last.payment?.id === undefined ? null : String(last.payment.id)),
    ),
    el('p', { class: 'slip-copy' }, t('receipt-copy')),
    el('p', { class: 'slip-small' }, t('receipt-sandbox')),
  );
}
