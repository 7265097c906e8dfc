// The way of an intent: its states, the present one, and how it ended.

import { copyButton } from './chrome.js';
import { el } from './dom.js';
import { money } from './money.js';
import { DETAILS, RESULTS, hasList, isRefund, phaseOf, resultName } from './screen.js';
import { key, t } from './texts.js';

const STEPS = ['open', 'on_terminal', 'processing', 'processed', 'finished'];
const STATES = {
  open: key('state-open'),
  on_terminal: key('state-on-terminal'),
  processing: key('state-processing'),
  processed: key('state-processed'),
  finished: key('state-finished'),
  canceled: key('state-canceled'),
  abandoned: key('state-abandoned'),
  error: key('state-error'),
  confirmation_required: key('state-confirmation'),
};

// A list's charge has one word from the list to the card, another once it is paid.
const word = (terminal, step, current) => {
  if (!hasList(terminal)) return step.toUpperCase();
  if (step === phaseOf(current)) return current.state;
  return STEPS.indexOf(step) < 3 ? 'PENDING' : 'COMPLETED';
};

// How far the intents went that this page has seen: what ends early does not say from where.
const furthest = new Map();

/** The states of an intent; `other` is the one that it ended in off the straight way. */
function path(intent, other) {
  const straight = isRefund(intent) ? STEPS.filter((step) => step !== 'processed') : STEPS;
  if (!other) {
    furthest.set(intent.id, STEPS.indexOf(phaseOf(intent)));
    return straight;
  }
  // these two are answers to a card: it was on the terminal, and the acquirer was asked
  const asked = other === 'error' || other === 'confirmation_required';
  const passed = asked ? STEPS.indexOf('processing') : Math.min(furthest.get(intent.id) ?? 0, STEPS.indexOf('on_terminal'));
  return [...straight.slice(0, passed + 1), other];
}

/**
 * Draws the states that the terminal's intent has gone through into `box`; `none` says that there is
 * no intent, `detailed` adds the result's detail as a Point shows it.
 */
export function flow(box, terminal, { none = t('flow-none'), detailed = false } = {}) {
  const current = terminal.intent ?? terminal.pending?.[0] ?? terminal.last?.intent;
  if (!current) return box.replaceChildren(el('p', { class: 'muted' }, none));
  const phase = phaseOf(current);
  const other = STEPS.includes(phase) ? null : phase;
  const last = terminal.last?.intent?.id === current.id ? terminal.last : null;
  const steps = path(current, other);
  return box.replaceChildren(
    el('p', { class: 'flow-id' }, el('b', {}, money(current.amount_minor, current.currency, terminal.currency === current.currency ? terminal.currency_exponent : undefined)), isRefund(current) ? el('span', { class: 'chip' }, t('flow-refund')) : null, el('code', {}, current.id), copyButton(current.id, t('flow-id'))),
    el('ol', { class: 'track' }, steps.map((step, index) => el('li', {
      class: other || index <= steps.indexOf(phase) ? 'done' : '', 'aria-current': step === phase ? 'step' : null, 'data-state': step.toUpperCase(),
    }, el('b', {}, word(terminal, step, current)), el('span', {}, step in STATES ? t(STATES[step]) : '')))),
    last ? verdict(last, detailed) : '');
}

function verdict(last, detailed) {
  const name = resultName(last);
  const { tone, title } = RESULTS[name];
  return el('p', { class: `verdict-line ${tone}`, 'data-outcome': name },
    t(title),
    detailed && name in DETAILS ? ` · ${t('screen-detail')}: ${DETAILS[name]}` : '',
    last.payment?.id !== undefined ? el('code', {}, ` ${last.payment.id}`) : '');
}
