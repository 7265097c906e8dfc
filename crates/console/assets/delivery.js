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

/** Both sides of a delivery, in parts. */
export const sides = (delivery, ask) => [
  el('p', { class: 'facts' }, state(delivery), ` ${t('column-attempt')} ${delivery.attempt}`, delivery.next_at ? ` · ${t('column-next')} ${new Date(delivery.next_at).toLocaleString(language())}` : '', ' ', again(delivery, ask)),
  headers(`${t('detail-request')} · ${t('detail-headers')}`, delivery.request?.headers),
  block(`${t('detail-request')} · ${t('detail-body')}`, delivery.request?.body),
  delivery.response ? block(`${t('detail-answer')} ${delivery.response.status} · ${t('detail-body')}`, delivery.response.body || t('detail-no-body')) : el('p', { class: 'muted' }, t('detail-no-answer')),
];
