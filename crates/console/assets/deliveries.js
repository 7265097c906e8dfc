// What was sent to webhooks, each attempt with its answer; any of them can be sent again.

import { call } from './api.js';
import { toast } from './chrome.js';
import { el } from './dom.js';
import { block, headers, journal, open, precise, tag } from './journal.js';
import { key, language, t } from './texts.js';

const STATES = {
  waiting: ['info', key('delivery-waiting')],
  delivered: ['good', key('delivery-delivered')],
  failed: ['warn', key('delivery-failed')],
  exhausted: ['bad', key('delivery-exhausted')],
};

function state(delivery) {
  const [tone, words] = STATES[delivery.state] ?? ['', null];
  return tag(words ? t(words) : delivery.state, tone);
}

async function replay(delivery) {
  const made = await page.ask(() => call('POST', `deliveries/${encodeURIComponent(delivery.id)}/replay`, {}));
  if (made) toast(t('replayed'), 'good');
}

const again = (delivery) => el('button', { type: 'button', class: 'button small', onclick: () => replay(delivery) }, t('replay'));

const page = journal({
  lead: t('deliveries-lead'),
  path: 'deliveries',
  list: 'deliveries',
  event: 'delivery',
  columns: [
    { title: t('column-state'), cell: state },
    { title: t('column-url'), cell: (delivery) => delivery.url, class: 'main code' },
    { title: t('column-answer'), cell: (delivery) => (delivery.response ? String(delivery.response.status) : '–'), class: 'number' },
    { title: t('column-attempt'), cell: (delivery) => String(delivery.attempt), class: 'number wide' },
    { title: t('column-next'), cell: (delivery) => (delivery.next_at ? precise(delivery.next_at) : '–'), class: 'time wide' },
    { title: t('column-action'), cell: again, class: 'action' },
  ],
  details: (delivery) => open(delivery.url,
    el('p', { class: 'facts' }, state(delivery), ` ${t('column-attempt')} ${delivery.attempt}`, delivery.next_at ? ` · ${t('column-next')} ${new Date(delivery.next_at).toLocaleString(language())}` : '', ' ', again(delivery)),
    headers(`${t('detail-request')} · ${t('detail-headers')}`, delivery.request?.headers),
    block(`${t('detail-request')} · ${t('detail-body')}`, delivery.request?.body),
    delivery.response ? block(`${t('detail-answer')} ${delivery.response.status} · ${t('detail-body')}`, delivery.response.body || t('detail-no-body')) : el('p', { class: 'muted' }, t('detail-no-answer'))),
});
