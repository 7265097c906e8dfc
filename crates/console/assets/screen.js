// What a terminal's screen shows, as a plain value: no document, so that it can be tested alone.

import { key } from './texts.js';

/** Results by the outcome's name: tone, sign and words. */
export const RESULTS = {
  approved: { tone: 'good', icon: 'check', title: key('outcome-approved'), hint: key('outcome-approved-hint') },
  refunded: { tone: 'good', icon: 'back', title: key('outcome-refunded'), hint: key('outcome-refunded-hint') },
  rejected: { tone: 'bad', icon: 'cross', title: key('outcome-rejected'), hint: key('outcome-rejected-hint') },
  reversed: { tone: 'warn', icon: 'back', title: key('outcome-reversed'), hint: key('outcome-reversed-hint') },
  error: { tone: 'bad', icon: 'alert', title: key('outcome-error'), hint: key('outcome-error-hint') },
  pending: { tone: 'info', icon: 'clock', title: key('outcome-pending'), hint: key('outcome-pending-hint') },
  challenge: { tone: 'info', icon: 'clock', title: key('outcome-challenge'), hint: key('outcome-challenge-hint') },
  canceled: { tone: 'calm', icon: 'cross', title: key('outcome-canceled'), hint: key('outcome-canceled-hint') },
  abandoned: { tone: 'calm', icon: 'clock', title: key('outcome-abandoned'), hint: key('outcome-abandoned-hint') },
  confirmation_required: {
    tone: 'warn',
    icon: 'alert',
    title: key('outcome-confirmation'),
    hint: key('outcome-confirmation-hint'),
  },
};

/** The details that a Point shows for a result, in every language. */
export const DETAILS = { approved: 'Approved', rejected: 'Rejected', reversed: 'Reversed', error: 'Error' };

/** Amounts of a Point payment, in minor units, that decide the outcome when no card is named; a hundred times as much does the same. */
export const MAGIC = [[1100, 'reversed'], [1200, 'rejected'], [1300, 'error']];

/** Reasons of the control API, in words; another one is shown as it came. */
export const REASONS = {
  generic: key('reason-other'),
  insufficient_funds: key('reason-funds'),
  call_issuer: key('reason-call'),
  security_code: key('reason-code'),
  expired: key('reason-expired'),
  bad_form: key('reason-form'),
  card_number: key('reason-form'),
  inactive: key('reason-disabled'),
  blocked: key('reason-disabled'),
  installments: key('reason-installments'),
  duplicate: key('reason-duplicate'),
  restricted: key('reason-restricted'),
  kind_not_accepted: key('reason-kind'),
  brand_not_supported: key('reason-kind'),
  too_many_tries: key('reason-tries'),
  amount_rule: key('reason-amount'),
  high_risk: key('reason-risk'),
  authentication: key('reason-risk'),
};

/** Whether an intent gives money back instead of taking it. */
export const isRefund = (intent) => intent?.refund === true;

/**
 * The name that a result has on the screen: an abandoned intent counts as one, whatever the outcome
 * says, and a refund that was approved is not a charge that was.
 */
export function resultName(last) {
  if (phaseOf(last.intent) === 'abandoned') return 'abandoned';
  if (last.outcome === 'approved' && isRefund(last.intent)) return 'refunded';
  return last.outcome in RESULTS ? last.outcome : 'error';
}

/** Tells two results apart: the same intent may first be pending and then approved. */
export const resultKey = (last) => (last ? `${last.intent?.id}:${resultName(last)}` : null);

/** Where an intent is, whatever its dialect calls it: `open`, `on_terminal`, `processed`, … */
export const phaseOf = (intent) => intent?.phase ?? intent?.state?.toLowerCase() ?? null;

/** The intent that is on the terminal, if one is. */
export const running = (terminal) =>
  terminal.intent && phaseOf(terminal.intent) !== 'open' ? terminal.intent : null;

/** Whether the terminal shows a list that somebody picks from, instead of a queue of its own. */
export const hasList = (terminal) => terminal.dialect === 'clip';

/** How many charges of the list have a key. */
export const KEYS_MAX = 9;

const share = (minor, percent) => Math.round((minor * percent) / 100);

/** What the person at the terminal chose for an intent: `tip` in minor units, `months`. */
export const chosenFor = (local, intent) => (local.chosen?.id === intent.id ? local.chosen : {});

// What is still to be chosen before a card is read: a tip, then in how many months.
function beforeCard(intent, local) {
  const { tip_percents: percents = [], installments = [] } = intent.offers ?? {};
  const { tip, months } = chosenFor(local, intent);
  if (percents.length > 0 && tip === undefined) {
    return { name: 'tip', intent, options: percents.map((percent) => ({ percent, minor: share(intent.amount_minor, percent) })) };
  }
  const total = intent.amount_minor + (tip ?? 0);
  if (installments.length > 0 && months === undefined) {
    return { name: 'months', intent, total, options: [1, ...installments].map((count) => ({ count, minor: Math.round(total / count) })) };
  }
  return { name: 'amount', intent, total, tip: tip ?? 0, months: months ?? 1 };
}

/** What came of it is money that moved: there is something to print. */
export const moved = (name) => name === 'approved' || name === 'refunded';

/** Intents that the green key can fetch, the oldest first as the API lists them. */
export function waiting(terminal) {
  const pending = terminal.pending ?? [];
  if (pending.length > 0) return pending;
  return phaseOf(terminal.intent) === 'open' ? [terminal.intent] : [];
}

/**
 * The screen: `name`, and what it is about.
 *
 * `local` is what only this page knows: `busy` (a card is being read), `result` (shown until a key is
 * pressed), `asking` (whether to print), `chosen` (tip and months of an intent).
 */
export function screenOf(terminal, local) {
  if (local.busy === 'card') return { name: 'processing', intent: terminal.intent ?? local.intent };
  if (local.result) return { name: resultName(local.result), last: local.result, asking: local.asking };
  if (!terminal.online) return { name: 'offline' };
  const intent = running(terminal);
  if (phaseOf(intent) === 'on_terminal') return beforeCard(intent, local);
  if (intent) return { name: 'processing', intent };
  const queue = waiting(terminal);
  if (queue.length > 0) return { name: hasList(terminal) ? 'list' : 'queued', queue };
  if (terminal.b2b_transactions === false) return { name: 'closed' };
  if (terminal.operating_mode === 'STANDALONE') return { name: 'standalone' };
  return { name: 'idle', last: terminal.last };
}
