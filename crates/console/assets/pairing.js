// Pairing: terminals are made for a merchant, and a code leads a phone to each.

import { call } from './api.js';
import { query, shown } from './chrome.js';
import { el } from './dom.js';

const dialog = document.getElementById('pairing');
const form = document.getElementById('pairing-form');
const LOCAL = /^(localhost|.*\.localhost|127\.|\[?::1)/;

function step(name) {
  for (const part of form.querySelectorAll('[data-step]')) part.hidden = part.dataset.step !== name;
}

/** The merchants of the world whose terminals can be paired, as the control API names them. */
function merchants({ mercado_pago: mp, clip }) {
  const sellers = (mp?.sellers ?? []).map((seller) => [String(seller.user_id), `Mercado Pago · ${seller.site} · ${seller.user_id}`]);
  return clip ? [...sellers, [clip.api_key, `Clip · MX · ${clip.merchant_name ?? clip.api_key}`]] : sellers;
}

async function ask() {
  const world = await shown(() => call('GET', `worlds/${document.body.dataset.world}`));
  if (!world) return;
  form.elements.merchant.replaceChildren(...merchants(world).map(([value, words]) => el('option', { value }, words)));
  step('choose');
  dialog.showModal();
}

function code({ id }) {
  const path = `/console/terminals/${encodeURIComponent(id)}`;
  return el('a', { class: 'code', href: `${path}${query}` },
    el('img', { src: `${path}/code.svg${query}`, alt: `QR: ${location.origin}${path}`, width: 200, height: 200 }),
    el('code', {}, id));
}

/** Offers to pair terminals; `paired` hears of those that were made. */
export function pairing(paired) {
  document.getElementById('pair').addEventListener('click', ask);
  form.addEventListener('click', (event) => event.target.closest('[data-close]') && dialog.close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const { merchant, model, count } = form.elements;
    const body = { merchant: merchant.value, count: Number(count.value) };
    if (model.value.trim()) body.model = model.value.trim();
    const made = await shown(() => call('POST', 'terminals', body));
    if (!made) return;
    document.getElementById('codes').replaceChildren(...made.terminals.map(code));
    document.getElementById('pair-local').hidden = !LOCAL.test(location.hostname);
    step('scan');
    paired(made.terminals);
  });
}
