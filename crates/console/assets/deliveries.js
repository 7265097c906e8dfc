// What was sent to webhooks, each attempt with its answer; any of them can be sent again.

import { again, sides, state } from './delivery.js';
import { journal, open } from './journal.js';
import { precise } from './raw.js';
import { t } from './texts.js';

const ask = (work) => page.ask(work);

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
    { title: t('column-action'), cell: (delivery) => again(delivery, ask), class: 'action' },
  ],
  details: (delivery) => open(delivery.url, sides(delivery, ask)),
});
