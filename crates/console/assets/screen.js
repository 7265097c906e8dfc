// What a terminal's screen shows, as a plain value: no document, so that it can be tested alone.

import { key } from './texts.js';

/** Results by the outcome's name: tone, sign and words. */
export const RESULTS = {
  approved: { tone: 'good', icon: 'check', title: key('outcome-approved'), hint: key('outcome-approved-hint') },
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

/** Reasons that acquirers give, in words; another one is shown as it came. */
export const REASONS = {
  cc_rejected_other_reason: key('reason-other'),
  cc_rejected_insufficient_amount: key('reason-funds'),
  cc_rejected_call_for_authorize: key('reason-call'),
  cc_rejected_bad_filled_security_code: key('reason-code'),
  cc_rejected_bad_filled_date: key('reason-expired'),
  cc_rejected_bad_filled_other: key('reason-form'),
  cc_rejected_high_risk: key('reason-risk'),
  cc_rejected_card_disabled: key('reason-disabled'),
};

/** The name that a result has on the screen: an abandoned intent counts as one, whatever the outcome says. */
export function resultName(last) {
  if (last.intent?.state === 'ABANDONED') return 'abandoned';
  return last.outcome in RESULTS ? last.outcome : 'error';
}

/** Tells two results apart: the same intent may first be pending and then approved. */
export const resultKey = (last) => (last ? `${last.intent?.id}:${resultName(last)}` : null);

/** The intent that is on the terminal, if one is. */
export const running = (terminal) =>
  terminal.intent && terminal.intent.state !== 'OPEN' ? terminal.intent : null;

/** Intents that the green key can fetch, the oldest first as the API lists them. */
export function waiting(terminal) {
  const pending = terminal.pending ?? [];
  if (pending.length > 0) return pending;
  return terminal.intent?.state === 'OPEN' ? [terminal.intent] : [];
}

/**
 * The screen: `name`, and what it is about.
 *
 * `local` is what only this page knows: `busy` (a card is being read), `result` (shown until a key is
 * pressed), `asking` (whether to print).
 */
export function screenOf(terminal, local) {
  if (local.busy === 'card') return { name: 'processing', intent: terminal.intent ?? local.intent };
  if (local.result) return { name: resultName(local.result), last: local.result, asking: local.asking };
  if (!terminal.online) return { name: 'offline' };
  const intent = running(terminal);
  if (intent?.state === 'ON_TERMINAL') return { name: 'amount', intent };
  if (intent) return { name: 'processing', intent };
  const queue = waiting(terminal);
  if (queue.length > 0) return { name: 'queued', queue };
  if (terminal.operating_mode === 'STANDALONE') return { name: 'standalone' };
  return { name: 'idle', last: terminal.last };
}
