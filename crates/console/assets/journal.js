// A journal: newest first, more on demand, details beside it, live.

import { call } from './api.js';
import { shown, start } from './chrome.js';
import { el } from './dom.js';

const PAGE = 50;
const KEPT = 500;
const sheet = document.getElementById('sheet');

/** Shows an entry's details. */
export function open(title, ...parts) {
  document.getElementById('sheet-title').textContent = title;
  document.getElementById('sheet-body').replaceChildren(...parts.flat().filter(Boolean));
  if (!sheet.open) sheet.showModal();
}

sheet?.addEventListener('click', (event) => event.target === sheet && sheet.close());

/**
 * Runs a journal page. `path` and `list` name the resource and its member; `columns` are
 * `{ title, cell(entry), class? }`; `details(entry)` opens an entry; `event` is the stream's event
 * that carries an entry, without one the list is read again every `poll` milliseconds; `wanted(entry)`
 * says what is shown, `drawn` hears when that may have changed; a column that is `plain` opens
 * nothing. What comes back has `ask(work)`, which shows the entry that a call answers,
 * `arrived(entry)`, which shows one, `redraw()` and `entries()`.
 */
export function journal({ lead, path, list, columns, details, event, poll, wanted = () => true, drawn = () => {} }) {
  document.getElementById('journal-lead').textContent = lead;
  const table = document.getElementById('journal');
  const body = table.tBodies[0];
  const rows = new Map();
  let next = null;
  let deep = false;
  let news = 0;

  table.tHead.rows[0].append(...columns.map(({ title, class: name }) => el('th', { scope: 'col', class: name }, title)));

  // What is not wanted is not shown; the first cell that can be opened opens the entry.
  const opener = columns.findIndex((column) => !column.plain);

  function row(entry) {
    const cells = columns.map(({ cell, class: name }, index) => {
      const content = cell(entry);
      return el('td', { class: name }, index === opener ? el('button', { type: 'button', class: 'row-open' }, content) : content);
    });
    const line = el('tr', { 'data-id': entry.id, hidden: !wanted(entry) }, cells);
    line.addEventListener('click', (click) => {
      const button = click.target.closest('button, a, label');
      if (!button || button.classList.contains('row-open')) details(rows.get(entry.id).entry);
    });
    return line;
  }

  // An entry that is there already is drawn anew: a delivery goes on after it was first seen.
  function put(entry, where) {
    const known = rows.get(entry.id);
    const line = row(entry);
    if (known) known.line.replaceWith(line);
    else body[where](line);
    rows.set(entry.id, { entry, line, told: known?.told ?? 0 });
    if (!known && where === 'prepend' && !deep && rows.size > KEPT) {
      rows.delete(body.lastElementChild.dataset.id);
      body.lastElementChild.remove();
    }
    return !known;
  }

  const empty = () => {
    document.getElementById('empty').hidden = Boolean(body.querySelector('tr:not([hidden])'));
    drawn();
  };

  function arrived(entry) {
    if (put(entry, 'prepend')) rows.get(entry.id).line.classList.add('fresh');
    empty();
  }

  function told(entry) {
    arrived(entry);
    news += 1;
    rows.get(entry.id).told = news;
  }

  // An answer is older than what the stream said of the same entry since it was asked for.
  const stale = (entry, since) => (rows.get(entry.id)?.told ?? 0) > since;

  async function ask(work) {
    const since = news;
    const entry = await shown(work);
    if (entry && !stale(entry, since)) arrived(entry);
    return entry;
  }

  async function read() {
    const since = news;
    const page = await shown(() => call('GET', `${path}?limit=${PAGE}`));
    if (!page) return;
    const first = rows.size === 0;
    if (first) page[list].forEach((entry) => put(entry, 'append'));
    else page[list].filter((entry) => !stale(entry, since)).reverse().forEach(arrived);
    if (first) next = page.next;
    document.getElementById('more').hidden = !next;
    empty();
  }

  document.getElementById('more').addEventListener('click', async () => {
    deep = true;
    const page = await shown(() => call('GET', `${path}?limit=${PAGE}&cursor=${encodeURIComponent(next)}`));
    if (!page) return;
    page[list].forEach((entry) => put(entry, 'append'));
    next = page.next;
    document.getElementById('more').hidden = !next;
    empty();
  });

  // Draws the rows anew, when what is wanted has changed.
  function redraw() {
    for (const { entry, line } of rows.values()) line.hidden = !wanted(entry);
    empty();
  }

  if (poll) setInterval(() => document.hidden || read(), poll);
  start({ reload: read, handlers: event ? { [event]: told } : {} });
  return { ask, redraw, arrived, entries: () => [...rows.values()].map(({ entry }) => entry) };
}
