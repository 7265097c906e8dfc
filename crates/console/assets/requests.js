// What callers asked and were answered, secrets left out by the server.

import { journal, open } from './journal.js';
import { block, headers, precise, tag } from './raw.js';
import { language, t } from './texts.js';

const POLL_MS = 2000;

const tone = (status) => (status < 300 ? 'good' : status < 400 ? '' : status < 500 ? 'warn' : 'bad');

function duration(us) {
  const ms = new Intl.NumberFormat(language(), { maximumFractionDigits: us < 10000 ? 2 : 0 });
  return `${ms.format(us / 1000)} ms`;
}

journal({
  lead: t('requests-lead'),
  path: 'requests',
  list: 'requests',
  poll: POLL_MS,
  columns: [
    { title: t('column-time'), cell: (request) => precise(request.at), class: 'time' },
    { title: t('column-status'), cell: (request) => tag(String(request.status), tone(request.status)) },
    { title: t('column-request'), cell: (request) => [request.method, ' ', request.path].join(''), class: 'main code' },
    { title: t('column-duration'), cell: (request) => duration(request.duration_us), class: 'number wide' },
    { title: t('column-dialect'), cell: (request) => (request.dialect ? tag(request.dialect) : ''), class: 'wide' },
  ],
  details: (request) => open(`${request.method} ${request.path}`,
    headers(`${t('detail-request')} · ${t('detail-headers')}`, request.request?.headers),
    block(`${t('detail-request')} · ${t('detail-body')}`, request.request?.body),
    headers(`${t('detail-answer')} ${request.status} · ${t('detail-headers')}`, request.response?.headers),
    block(`${t('detail-answer')} ${request.status} · ${t('detail-body')}`, request.response?.body)),
});
