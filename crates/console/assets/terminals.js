// All terminals side by side.

import { call } from './api.js';
import { query, shown, start } from './chrome.js';
import { el } from './dom.js';
import { VirtualTerminal } from './device.js';
import { Counter, keyboard } from './gesture.js';
import { pairing } from './pairing.js';
import { t } from './texts.js';

const PAGE = 24;
const shelf = document.getElementById('shelf');
const places = new Map();
let next = null;
let active = null;

function place(terminal) {
  const device = new VirtualTerminal(terminal, describe);
  const counter = new Counter(device);
  const link = el('a', { href: `/console/terminals/${encodeURIComponent(terminal.id)}${query}` }, terminal.merchant_name ?? terminal.merchant);
  const root = el('article', { class: 'spot', 'aria-label': terminal.id },
    el('header', { class: 'spot-head' }, el('h2', {}, link), el('p', {}, el('code', {}, terminal.id)), el('p', { class: 'chips' })),
    el('div', { class: 'spot-stage' }, device.root, counter.root));
  const spot = { device, counter, root };
  const activate = () => {
    active?.root.classList.remove('active');
    active = spot;
    root.classList.add('active');
  };
  root.addEventListener('pointerenter', activate);
  root.addEventListener('focusin', activate);
  places.set(terminal.id, spot);
  shelf.append(root);
  describe(terminal);
}

function describe(terminal) {
  const chips = places.get(terminal.id)?.root.querySelector('.chips');
  chips?.replaceChildren(
    el('span', { class: 'chip' }, terminal.currency ?? terminal.dialect),
    el('span', { class: 'chip' }, terminal.cashier ?? terminal.operating_mode ?? ''),
    el('span', { class: `chip ${terminal.online ? 'good' : 'bad'}` }, terminal.online ? t('online') : t('offline')));
}

// What a list says of a terminal is older than what the stream said while the list was read.
function take(terminal, heard) {
  const device = places.get(terminal.id)?.device;
  if (!device) place(terminal);
  else if (heard.get(terminal.id) === device.heard) device.apply(terminal);
}

async function read(cursor) {
  const heard = new Map([...places].map(([id, { device }]) => [id, device.heard]));
  const page = await shown(() => call('GET', `terminals?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`));
  if (!page) return;
  page.terminals.forEach((terminal) => take(terminal, heard));
  next = page.next;
  document.getElementById('more').hidden = !next;
  document.getElementById('empty').hidden = places.size > 0;
  shelf.removeAttribute('aria-busy');
}

document.getElementById('more').addEventListener('click', () => read(next));
pairing((terminals) => {
  terminals.forEach((terminal) => places.has(terminal.id) || place(terminal));
  document.getElementById('empty').hidden = true;
});
keyboard(() => active);
// a terminal of a later page is not on the shelf: its news are left alone until that page is read
start({ reload: () => read(null), handlers: {
  terminal: (terminal) => places.get(terminal.id)?.device.hear(terminal),
  // what waits for a merchant's terminals changed: each of them shows another list
  pool: ({ merchant }) => [...places.values()].filter(({ device }) => device.terminal.merchant === merchant).forEach(({ device }) => shown(() => device.reload())),
} });
