// The way of an intent: its states, the present one, and how it ended.

import { copyButton } from './chrome.js';
import { el } from './dom.js';
import { money } from './money.js';
import { DETAILS, RESULTS, resultName } from './screen.js';
import { key, t } from './texts.js';

const STEPS = ['OPEN', 'ON_TERMINAL', 'PROCESSING', 'PROCESSED', 'FINISHED'];
const STATES = {
  OPEN: key('state-open'),
  ON_TERMINAL: key('state-on-terminal'),
  PROCESSING: key('state-processing'),
  PROCESSED: key('state-processed'),
  FINISHED: key('state-finished'),
  CANCELED: key('state-canceled'),
  ABANDONED: key('state-abandoned'),
  ERROR: key('state-error'),
  CONFIRMATION_REQUIRED: key('state-confirmation'),
};

/**
 * Draws the states that the terminal's intent has gone through into `box`; `none` says that there is
 * no intent, `detailed` adds the result's detail as a Point shows it.
 */
export function flow(box, terminal, { none = t('flow-none'), detailed = false } = {}) {
  const current = terminal.intent ?? terminal.pending?.[0] ?? terminal.last?.intent;
  if (!current) return box.replaceChildren(el('p', { class: 'muted' }, none));
  const other = STEPS.includes(current.state) ? null : current.state;
  const reached = STEPS.indexOf(current.state);
  const last = terminal.last?.intent?.id === current.id ? terminal.last : null;
  const steps = other ? [STEPS[0], other] : STEPS;
  return box.replaceChildren(
    el('p', { class: 'flow-id' }, el('b', {}, money(current.amount_minor, current.currency, terminal.currency === current.currency ? terminal.currency_exponent : undefined)), el('code', {}, current.id), copyButton(current.id, t('flow-id'))),
    el('ol', { class: 'track' }, steps.map((state, index) => el('li', {
      class: other || index <= reached ? 'done' : '', 'aria-current': state === current.state ? 'step' : null, 'data-state': state,
    }, el('b', {}, state), el('span', {}, state in STATES ? t(STATES[state]) : '')))),
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
