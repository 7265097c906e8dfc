// What happened, in the order in which it was committed.

import { el } from './dom.js';
import { journal, open } from './journal.js';
import { block, precise, tag } from './raw.js';
import { t } from './texts.js';

// A long word may break behind its points.
const words = (kind) => kind.split(/(?<=[._])/).flatMap((part, index) => (index > 0 ? [el('wbr'), part] : [part]));

journal({
  lead: t('events-lead'),
  path: 'events',
  list: 'events',
  event: 'event',
  columns: [
    { title: t('column-time'), cell: (event) => precise(event.at), class: 'time' },
    { title: t('column-kind'), cell: (event) => el('span', {}, words(event.kind)), class: 'main' },
    { title: t('column-subject'), cell: (event) => event.subject ?? '', class: 'code' },
    { title: t('column-merchant'), cell: (event) => String(event.merchant ?? ''), class: 'code wide' },
    { title: t('column-dialect'), cell: (event) => (event.dialect ? tag(event.dialect) : ''), class: 'wide' },
  ],
  details: (event) => open(event.kind, block(t('detail-data'), event.data), block(t('detail-event'), { ...event, data: undefined })),
});
