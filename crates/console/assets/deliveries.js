// What was sent to webhooks, each attempt with its answer; one or many can be sent again.

import { call } from './api.js';
import { shown, toast } from './chrome.js';
import { el } from './dom.js';
import { again, answerWord, sides, state } from './delivery.js';
import { journal, open } from './journal.js';
import { precise } from './raw.js';
import { t } from './texts.js';

const chosen = new Set();
const tools = document.getElementById('delivery-tools');
const filter = tools.elements.state;
const url = new URLSearchParams(location.search).get('url');
const ask = (work) => page.ask(work);

const isWanted = (delivery) => (!url || delivery.url === url) && (!filter.value || delivery.state === filter.value);

function choice(delivery) {
  const box = el('input', { type: 'checkbox', checked: chosen.has(delivery.id), 'aria-label': `${t('choose')}: ${delivery.url}` });
  box.addEventListener('change', () => {
    if (box.checked) chosen.add(delivery.id);
    else chosen.delete(delivery.id);
    count();
  });
  return el('label', { class: 'choice' }, box);
}

function count() {
  const shownIds = page ? page.entries().filter(isWanted).map(({ id }) => id) : [];
  const all = tools.elements.all;
  all.checked = shownIds.length > 0 && shownIds.every((id) => chosen.has(id));
  all.indeterminate = !all.checked && shownIds.some((id) => chosen.has(id));
  document.getElementById('replay-count').textContent = String(chosen.size);
  tools.elements.replay.disabled = chosen.size === 0;
}

let page = null;
page = journal({
  lead: t('deliveries-lead'),
  path: 'deliveries',
  list: 'deliveries',
  event: 'delivery',
  wanted: isWanted,
  drawn: count,
  columns: [
    { title: '', cell: choice, class: 'select', plain: true },
    { title: t('column-state'), cell: state },
    { title: t('column-url'), cell: (delivery) => delivery.url, class: 'main code' },
    { title: t('column-answer'), cell: (delivery) => answerWord(delivery.response) || '–', class: 'number' },
    { title: t('column-attempt'), cell: (delivery) => String(delivery.attempt), class: 'number wide' },
    { title: t('column-time'), cell: (delivery) => precise(delivery.at), class: 'time wide' },
    { title: t('column-next'), cell: (delivery) => (delivery.next_at ? precise(delivery.next_at) : '–'), class: 'time wide' },
    { title: t('column-action'), cell: (delivery) => again(delivery, ask), class: 'action' },
  ],
  details: (delivery) => open(delivery.url, sides(delivery, ask)),
});

tools.hidden = false;
if (url) {
  document.getElementById('only-url').hidden = false;
  document.getElementById('only-url-text').textContent = url;
}
filter.addEventListener('change', () => page.redraw());
tools.elements.all.addEventListener('change', ({ target }) => {
  for (const { id } of page.entries().filter(isWanted)) {
    if (target.checked) chosen.add(id);
    else chosen.delete(id);
  }
  for (const box of document.querySelectorAll('tr:not([hidden]) .choice input')) box.checked = target.checked;
  count();
});
tools.addEventListener('submit', async (event) => {
  event.preventDefault();
  const made = await shown(() => call('POST', 'deliveries/replay', { ids: [...chosen].slice(0, 1000) }));
  if (!made) return;
  chosen.clear();
  made.deliveries.forEach((delivery) => page.arrived(delivery));
  for (const box of document.querySelectorAll('.choice input')) box.checked = false;
  count();
  toast(`${t('replayed')}: ${made.deliveries.length}`, 'good');
});
