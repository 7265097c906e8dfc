// Cards that can be presented: published test cards only, by dialect and currency.

import { key, t } from './texts.js';

const visa = (number, type) => ({ number, brand: 'Visa', type });
const mastercard = (number, type) => ({ number, brand: 'Mastercard', type });

const amex = (number, type) => ({ number, brand: 'Amex', type });

const PUBLISHED = {
  clip: {
    MXN: [
      mastercard('5177136199824515', 'credit'),
      visa('4555128482797669', 'credit'),
      amex('379907880667372', 'credit'),
      visa('4436968353241031', 'debit'),
      visa('4746469153355902', 'prepaid'),
      visa('4208318689081956', 'voucher'),
    ],
  },
  mercadopago: {
    ARS: [
      mastercard('5031755734530604', 'credit'),
      visa('4509953566233704', 'credit'),
      { number: '371180303257522', brand: 'Amex', type: 'credit' },
      visa('4002768694395619', 'debit'),
    ],
    BRL: [
      mastercard('5031433215406351', 'credit'),
      visa('4235647728025682', 'credit'),
      { number: '375365153556885', brand: 'Amex', type: 'credit' },
      { number: '5067766783888311', brand: 'Elo', type: 'debit' },
    ],
    MXN: [
      mastercard('5474925432670366', 'credit'),
      visa('4075595716483764', 'credit'),
      mastercard('5579053461482647', 'debit'),
      visa('4189141221267633', 'debit'),
    ],
  },
};

// What the name of the card's holder decides, where the provider documents names.
const HOLDERS = {
  mercadopago: [
    ['APRO', key('holder-apro')],
    ['OTHE', key('holder-othe')],
    ['FUND', key('holder-fund')],
    ['CALL', key('holder-call')],
    ['SECU', key('holder-secu')],
    ['EXPI', key('holder-expi')],
    ['FORM', key('holder-form')],
    ['CONT', key('holder-cont')],
  ],
};

// Cards that are published as declined, and why.
const DECLINED = {
  clip: [
    { ...visa('4555126387272952', 'credit'), why: key('reason-funds') },
    { ...mastercard('5177132762165477', 'credit'), why: key('reason-other') },
    { ...visa('4555126464792591', 'credit'), why: key('reason-restricted') },
    { ...mastercard('5177131151610598', 'credit'), why: key('reason-amount') },
  ],
};

const TYPES = { credit: key('card-credit'), debit: key('card-debit'), prepaid: key('card-prepaid'), voucher: key('card-voucher') };

/** The number in groups with only the last four digits shown. */
export const masked = (number) => `•••• •••• •••• ${number.slice(-4)}`;

/**
 * What the picker offers for a terminal, in groups: the first entry is no card at all, so that the
 * amount (or a fault set on purpose) decides.
 */
export function choices(terminal) {
  const cards = PUBLISHED[terminal.dialect]?.[terminal.currency] ?? [];
  const groups = [{ label: null, cards: [{ label: t(terminal.dialect === 'mercadopago' ? key('card-default') : key('card-approves')), card: null, brand: 'Visa', number: null }] }];
  if (cards.length > 0) {
    groups.push({
      label: t('card-published'),
      cards: cards.map((one) => ({ ...one, label: `${one.brand} ${t(TYPES[one.type])} •••• ${one.number.slice(-4)}`, card: one.number })),
    });
  }
  const declined = DECLINED[terminal.dialect] ?? [];
  if (declined.length > 0) {
    groups.push({
      label: t('card-declined'),
      cards: declined.map((one) => ({ ...one, label: `${t(one.why)} •••• ${one.number.slice(-4)}`, card: one.number })),
    });
  }
  const holders = cards.length > 0 ? HOLDERS[terminal.dialect] ?? [] : [];
  if (holders.length > 0) {
    groups.push({
      label: t('card-by-holder'),
      cards: holders.map(([name, words]) => ({ ...cards[0], holder: name, label: `${name}: ${t(words)}`, card: { number: cards[0].number, holder: name } })),
    });
  }
  return groups;
}
