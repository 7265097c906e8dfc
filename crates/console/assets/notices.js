// The notifications of one seller: what was sent to its webhooks and what they answered, live.

import { call, exchange } from './api.js';
import { shown } from './chrome.js';
import { sides, state } from './delivery.js';
import { el } from './dom.js';
import { precise, tag } from './raw.js';
import { t } from './texts.js';

const READ = 100;
const KEPT = 40;

// What a notification says in a word: the state of the first generation, the action of the second.
function word(delivery) {
  try {
    const body = JSON.parse(delivery.request.body);
    return body.state ?? body.action ?? body.type ?? '';
  } catch {
    return '';
  }
}

/** A log in `box` of the deliveries of `merchant`. */
export class Notices {
  constructor({ box, empty, targets, merchant, token }) {
    Object.assign(this, { box, empty, targets, merchant, token });
    this.told = new Set();
  }

  /** Takes a delivery as the stream tells it, later than any answer. */
  hear(delivery) {
    if (delivery.merchant !== this.merchant) return;
    this.told.add(delivery.id);
    this.#put(delivery, 'prepend');
  }

  /** Reads the log again, and who is told. */
  async reload() {
    this.told.clear();
    const [page] = await Promise.all([shown(() => call('GET', `deliveries?limit=${READ}`)), this.#name()]);
    if (!page) return;
    const mine = page.deliveries.filter((one) => one.merchant === this.merchant && !this.told.has(one.id));
    const known = mine.filter((one) => this.#line(one.id));
    const fresh = mine.filter((one) => !this.#line(one.id));
    known.forEach((one) => this.#put(one));
    // older ones go below what the stream told meanwhile, newer ones of a gap above what was there
    const place = known.length > 0 ? 'prepend' : 'append';
    (place === 'prepend' ? fresh.reverse() : fresh).forEach((one) => this.#put(one, place));
  }

  #line(id) {
    return [...this.box.children].find((line) => line.dataset.id === id);
  }

  #put(delivery, place) {
    const known = this.#line(delivery.id);
    const line = el('details', { class: 'entry', 'data-id': delivery.id, 'data-state': delivery.state, open: known?.open },
      el('summary', {},
        state(delivery),
        delivery.response?.status ? tag(String(delivery.response.status)) : null,
        el('b', {}, word(delivery)),
        el('code', {}, delivery.url),
        delivery.at ? el('span', { class: 'when' }, precise(delivery.at)) : null),
      el('div', { class: 'entry-body' }, sides(delivery, (work) => this.#ask(work)).filter(Boolean)));
    if (known) known.replaceWith(line);
    else this.box[place](line);
    this.box.children[KEPT]?.remove();
    this.empty.hidden = true;
  }

  async #ask(work) {
    const made = await shown(work);
    if (made && !this.told.has(made.id)) this.#put(made, 'prepend');
    return made;
  }

  // Both generations: the webhook of the seller's settings, and the integrator's with its challenge.
  async #name() {
    const [merchant, integrators] = await Promise.all([
      shown(() => call('GET', `merchants/${encodeURIComponent(this.merchant)}`)),
      shown(() => exchange('GET', '/point/integration-api/integrators', this.token)),
    ]);
    const { url, test_url: test } = merchant?.webhook ?? {};
    const first = integrators?.json?.webhook;
    const chip = (address, words, tone) => el('span', { class: 'target' }, tag(words, tone), el('code', {}, address));
    const valid = integrators?.json?.is_valid_webhook;
    const parts = [
      first ? chip(first, valid ? t('notices-challenge') : t('notices-unproven'), valid ? 'good' : 'warn') : null,
      test ?? url ? chip(test ?? url, t('notices-signed'), 'good') : null,
    ].filter(Boolean);
    this.targets.replaceChildren(...(parts.length > 0 ? parts : [t('notices-none')]));
  }
}
