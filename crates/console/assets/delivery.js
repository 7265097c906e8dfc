// One delivery to a webhook: what was sent, what was answered, and sending it again.

import { call } from './api.js';
import { toast } from './chrome.js';
import { el } from './dom.js';
import { block, headers, tag } from './raw.js';
import { key, language, t } from './texts.js';

const STATES = {
  waiting: ['info', key('delivery-waiting')],
  delivered: ['good', key('delivery-delivered')],
  failed: ['warn', key('delivery-failed')],
  exhausted: ['bad', key('delivery-exhausted')],
};

/** The state of a delivery as a chip. */
export function state(delivery) {
  const [tone, words] = STATES[delivery.state] ?? ['', null];
  return tag(words ? t(words) : delivery.state, tone);
}

/** A button that sends a delivery again; `ask` runs the call and shows the new delivery. */
export function again(delivery, ask) {
  const replay = async () => {
    const made = await ask(() => call('POST', `deliveries/${encodeURIComponent(delivery.id)}/replay`, {}));
    if (made) toast(t('replayed'), 'good');
  };
  return el('button', { type: 'button', class: 'button small', onclick: replay }, t('replay'));
}

const FAILURES = {
  refused: key('failure-refused'),
  request: key('failure-request'),
  resolve: key('failure-resolve'),
  connect: key('failure-connect'),
  tls: key('failure-tls'),
  timeout: key('failure-timeout'),
  protocol: key('failure-protocol'),
  setup: key('failure-setup'),
};

/** What an answer was, in a word or two: its status, or why there was none. */
export function answerWord(response) {
  const { status, error } = response ?? {};
  if (status) return String(status);
  return error in FAILURES ? t(FAILURES[error]) : (error ?? '');
}

/** One attempt, closed unless it is the last. */
function attempt(one, isLast) {
  const { response } = one;
  const took = response?.duration_ms === undefined ? '' : ` · ${response.duration_ms} ms`;
  const good = response?.status >= 200 && response?.status < 300;
  const word = answerWord(response) || '–';
  return el('details', { class: 'attempt', open: isLast },
    el('summary', {}, `${t('column-attempt')} ${one.attempt} `, tag(word, good ? 'good' : 'warn'), one.at ? ` ${new Date(one.at).toLocaleString(language())}` : '', took),
    headers(`${t('detail-request')} · ${t('detail-headers')}`, one.request?.headers),
    block(`${t('detail-request')} · ${t('detail-body')}`, one.request?.body),
    response ? block(`${t('detail-answer')} ${word} · ${t('detail-body')}`, response.body || response.message || t('detail-no-body')) : el('p', { class: 'muted' }, t('detail-no-answer')));
}

/** Both sides of every attempt of a delivery, the last one first, in parts. */
export const sides = (delivery, ask) => [
  el('p', { class: 'facts' }, state(delivery), ` ${t('column-attempt')} ${delivery.attempt}`, delivery.next_at ? ` · ${t('column-next')} ${new Date(delivery.next_at).toLocaleString(language())}` : '', ' ', again(delivery, ask)),
  ...(delivery.attempts ?? []).toReversed().map((one, index) => attempt(one, index === 0)),
  delivery.attempts?.length ? null : el('p', { class: 'muted' }, t('detail-no-answer')),
];
