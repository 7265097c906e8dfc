// The point of sale of the simulator: the integrator's half, over the provider's API.

import { exchange } from './api.js';
import { shown } from './chrome.js';
import { el, icon, still } from './dom.js';
import { flow } from './flow.js';
import { money, moneyParts, typed } from './money.js';
import { MAGIC, RESULTS, isRefund } from './screen.js';
import { t } from './texts.js';

const API = '/point/integration-api';
const SITES = { ARS: 'MLA', BRL: 'MLB', MXN: 'MLM' };
const GOOD_MINOR = 1500;
const form = document.getElementById('pos');

/** The outcome that an amount decides. */
const outcomeOf = (minor) => MAGIC.find(([magic]) => minor === magic || minor === magic * 100)?.[1] ?? 'approved';

export class PointOfSale {
  /** `log` takes every exchange. */
  constructor({ token, device }, terminal, log) {
    Object.assign(this, { token, device, log, terminal });
    this.site = SITES[terminal.currency] ?? 'MLA';
    document.getElementById('pos-site').textContent = `${this.site} · ${terminal.currency}`;
    document.getElementById('pos-currency').textContent = this.#parts(0).sign;
    this.#offer();
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#create();
    });
    form.elements.amount.addEventListener('input', () => this.#typed());
    form.elements.type.addEventListener('change', () => this.#fields());
    document.getElementById('pos-read').addEventListener('click', () => this.#read());
    document.getElementById('pos-cancel').addEventListener('click', () => this.#cancel());
    this.#choose(GOOD_MINOR);
    this.#fields();
    this.show(terminal);
  }

  /** Draws what became of the intent. */
  show(terminal) {
    this.terminal = terminal;
    this.intent = terminal.intent ?? terminal.pending?.[0] ?? terminal.last?.intent ?? null;
    // what was refused before is no news once the terminal has gone on
    const now = this.intent && `${this.intent.id} ${this.intent.state}`;
    if (now !== this.told) document.getElementById('pos-refused').hidden = true;
    this.told = now;
    const box = document.getElementById('flow');
    box.hidden = !this.intent;
    document.getElementById('pos-actions').hidden = !this.intent;
    document.getElementById('pos-cancel').disabled = !terminal.intent;
    flow(box, terminal, { detailed: true });
    this.#next();
  }

  #parts(minor) {
    return moneyParts(minor, this.terminal.currency, this.terminal.currency_exponent);
  }

  #money(minor) {
    return money(minor, this.terminal.currency, this.terminal.currency_exponent);
  }

  #offer() {
    const choice = (outcome, minor) => el('label', { class: `scenario ${RESULTS[outcome].tone}` },
      el('input', { type: 'radio', name: 'scenario', value: outcome, onclick: () => this.#choose(minor ?? GOOD_MINOR) }),
      icon(RESULTS[outcome].icon),
      el('span', {}, el('b', {}, t(RESULTS[outcome].title)), el('small', {}, minor ? this.#money(minor) : t('scenario-any'))));
    document.getElementById('scenarios').append(
      el('div', { class: 'scenario-list' }, choice('approved'), MAGIC.map(([minor, outcome]) => choice(outcome, minor))),
      el('p', { class: 'muted' }, t('scenarios-lead')));
  }

  #choose(minor) {
    const { whole, decimals } = this.#parts(minor);
    form.elements.amount.value = whole + decimals;
    this.#typed();
  }

  #typed() {
    const field = form.elements.amount;
    this.amount = typed(field.value, this.terminal.currency_exponent);
    field.setCustomValidity(this.amount === null ? t('charge-bad-amount') : '');
    document.getElementById('pos-wire').textContent = this.amount === null ? '' : t('pos-wire', { amount: this.amount });
    if (this.amount !== null) form.elements.scenario.value = outcomeOf(this.amount);
  }

  // Which fields there are depends on the country, and on how it is to be paid.
  #fields() {
    const type = this.site === 'MLB' ? form.elements.type.value : '';
    for (const field of form.querySelectorAll('[data-site], [data-type]')) {
      const { site, type: needed } = field.dataset;
      field.hidden = site ? site !== this.site : needed !== type;
      for (const input of field.querySelectorAll('input, select')) input.disabled = field.hidden;
    }
  }

  #body() {
    const value = (name) => (form.elements[name].disabled ? '' : form.elements[name].value.trim());
    const body = { amount: this.amount };
    if (value('description')) body.description = value('description');
    const type = value('type');
    if (type) body.payment = { type };
    if (type === 'credit_card') Object.assign(body.payment, { installments: Number(value('installments')), installments_cost: value('installments_cost') });
    if (type === 'voucher_card') body.payment.voucher_type = value('voucher_type');
    const info = {};
    for (const name of ['external_reference', 'ticket_number']) if (value(name)) info[name] = value(name);
    if (form.elements.print_on_terminal.checked) info.print_on_terminal = true;
    if (Object.keys(info).length > 0) body.additional_info = info;
    return body;
  }

  async #ask(method, path, body) {
    const told = await shown(() => exchange(method, API + path, this.token, body));
    if (!told) return null;
    this.log.add(told);
    const refused = document.getElementById('pos-refused');
    refused.hidden = told.ok;
    refused.textContent = told.ok ? '' : `${told.response.status} · ${told.said}`;
    return told.ok ? told.json : null;
  }

  async #create() {
    if (!form.reportValidity()) return;
    const button = document.getElementById('pos-create');
    button.disabled = true;
    const made = await this.#ask('POST', `/devices/${encodeURIComponent(this.device)}/payment-intents`, this.#body());
    button.disabled = false;
    if (!made) return;
    this.made = made.id;
    this.#next();
  }

  // The next key is on the terminal: the keyboard goes there, and on a phone the page, once this half
  // shows the intent too and moves nothing any more.
  #next() {
    if (!this.made || this.intent?.id !== this.made) return;
    this.made = null;
    const green = document.querySelector('#stage [data-key="green"]');
    green.focus({ preventScroll: true });
    const { bottom } = green.getBoundingClientRect();
    if (bottom > innerHeight || bottom < 0) document.getElementById('stage').scrollIntoView({ block: 'start', behavior: still() ? 'auto' : 'smooth' });
  }

  #read() {
    const { id } = this.intent;
    return this.#ask('GET', isRefund(this.intent) ? `/refund/${id}` : `/payment-intents/${id}`);
  }

  #cancel() {
    const kind = isRefund(this.intent) ? 'refund' : 'payment-intents';
    return this.#ask('DELETE', `/devices/${encodeURIComponent(this.device)}/${kind}/${this.intent.id}`);
  }
}
