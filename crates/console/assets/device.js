// A virtual terminal: the keys, the screen and the printer of one terminal.

import { call, Problem } from './api.js';
import { clock, shown, toast } from './chrome.js';
import { cloned, el, later, role } from './dom.js';
import { timeAt } from './money.js';
import { receipt } from './receipt.js';
import { KEYS_MAX, RESULTS, chosenFor, hasList, moved, phaseOf, resultKey, resultName, running, screenOf, waiting } from './screen.js';
import { key, t } from './texts.js';
import { viewOf } from './view.js';

// How long people need to see a screen; the engine itself waits for none of these.
const READING_MS = 900;
const CLOSE_MS = 1200;
const DISMISS_MS = 15000;
const YIELD_MS = 3000;
const NOTICE_MS = 2600;

export class VirtualTerminal {
  /**
   * `onChange` hears of every change of the terminal. `only` is the one way in which it reads cards,
   * where it has one; `detailed` shows the result's detail as a Point does.
   */
  constructor(terminal, onChange = () => {}, { only = null, detailed = false } = {}) {
    this.root = cloned('device');
    this.terminal = terminal;
    this.onChange = onChange;
    this.local = { busy: null, result: null, asking: false, entry: null, intent: null, chosen: null, only, detailed };
    this.seen = resultKey(terminal.last);
    this.heard = 0;
    this.root.addEventListener('click', (event) => this.#clicked(event));
    if (phaseOf(terminal.intent) === 'processed') this.#resume();
    this.#render();
    document.addEventListener('cobro-clock', () => this.tick());
    this.tick();
  }

  get #path() {
    return `terminals/${encodeURIComponent(this.terminal.id)}`;
  }

  /** Takes the terminal's state as the stream tells it: in order, and later than any answer. */
  hear(terminal) {
    this.heard += 1;
    this.apply(terminal);
  }

  /**
   * Calls the control API and takes the terminal that it answers, unless the stream spoke meanwhile:
   * then the answer may be older than what is shown, and the stream tells the rest.
   */
  async call(method, path, body) {
    const { heard } = this;
    const terminal = await call(method, path, body);
    if (heard === this.heard) this.apply(terminal);
    return terminal;
  }

  /** Takes the terminal's new state and draws it. */
  apply(terminal) {
    this.terminal = terminal;
    if (this.local.busy !== 'card') this.#notice(terminal.last);
    this.#yield();
    this.#render();
    this.onChange(terminal);
  }

  /** Reads the terminal again. */
  reload() {
    return this.call('GET', this.#path);
  }

  tick() {
    role(this.root, 'time').textContent = clock.known ? timeAt(clock.now(), this.terminal.currency) : '';
  }

  // A result that has not been shown yet goes on the screen.
  #notice(last) {
    const next = resultKey(last);
    if (!last || next === this.seen) return;
    this.seen = next;
    this.#show(last);
  }

  #show(last) {
    clearTimeout(this.dismissal);
    this.local.result = last;
    this.local.asking = false;
    const name = resultName(last);
    // paper is for what a card was presented for
    const print = last.print && name !== 'canceled' && name !== 'abandoned';
    if (print && this.#hasPaper()) this.#print(last);
    else this.local.asking = moved(name);
    this.dismissal = setTimeout(() => this.#dismiss(), DISMISS_MS);
  }

  // A result gives way to the next one in the queue, once it could be read: the till must not be left
  // waiting for a key that nobody knows of. A question stays until it is answered, or too old.
  #yield() {
    if (!this.local.result || this.local.asking || this.yielding) return;
    if (hasList(this.terminal) || waiting(this.terminal).length === 0) return;
    const { result } = this.local;
    this.yielding = setTimeout(() => {
      this.yielding = null;
      if (this.local.result === result && !this.local.asking) this.#dismiss();
      else this.#yield();
    }, YIELD_MS);
  }

  // The page was loaded while a result was on the terminal: show it and close, as the page that
  // presented the card would have done.
  #resume() {
    if (this.terminal.last?.intent?.id === this.terminal.intent.id) this.#show(this.terminal.last);
    this.#closeSoon();
  }

  #dismiss() {
    clearTimeout(this.dismissal);
    this.local.result = null;
    this.local.asking = false;
    this.#render();
  }

  async #closeSoon() {
    await later(CLOSE_MS);
    if (phaseOf(this.terminal.intent) !== 'processed') return;
    try {
      await this.call('POST', `${this.#path}/close`, {});
    } catch (error) {
      // another page was quicker, or the server closed it: then it is closed
      if (!(error instanceof Problem)) toast(t('unreachable'));
    }
  }

  #clicked(event) {
    // The screen is touched where it offers something; the digits do the same.
    const offer = event.target.closest('[data-pick]');
    if (offer) this.press(offer.dataset.pick);
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.key) this.press(button.dataset.key);
    else if (button.dataset.digit) this.press(button.dataset.digit);
    else if (button.dataset.role === 'paper') this.openReceipt();
  }

  /** Presses `green`, `yellow`, `red` or a digit. */
  press(name) {
    const button = this.root.querySelector(`[data-key="${name}"], [data-digit="${name}"]`);
    button?.classList.add('pressed');
    setTimeout(() => button?.classList.remove('pressed'), 140);
    if (this.local.busy) return undefined;
    if (name === 'green') return this.#green();
    if (name === 'red') return this.#red();
    if (name === 'yellow') return this.#yellow();
    return this.#digit(Number(name));
  }

  #green() {
    if (this.local.result) {
      if (this.local.asking && this.#hasPaper()) this.#print(this.local.result);
      else if (!this.local.asking) this.#dismiss();
      this.local.asking = false;
      return this.#render();
    }
    if (!this.terminal.online) return this.#say(t('notice-offline'));
    const screen = screenOf(this.terminal, this.local);
    if (screen.name === 'tip') return this.#choose({ tip: 0 });
    if (screen.name === 'months') return this.#choose({ months: 1 });
    if (running(this.terminal)) return this.#say(t('notice-present'));
    // From a list, the one that is shown first.
    return this.#fetch(hasList(this.terminal) ? waiting(this.terminal)[0] : undefined);
  }

  #fetch(intent) {
    return this.#busy('fetch', async () => {
      try {
        this.#takePaper();
        await this.call('POST', `${this.#path}/fetch`, intent ? { intent_id: intent.id } : {});
      } catch (error) {
        if (error.status !== 404) throw error;
        this.#say(t('notice-nothing'));
      }
    });
  }

  #red() {
    if (this.local.result) return this.#dismiss();
    if (phaseOf(running(this.terminal)) !== 'on_terminal') return undefined;
    return this.#busy('cancel', () => this.call('POST', `${this.#path}/cancel`, {}));
  }

  #yellow() {
    this.#say('');
    if (this.local.result) return this.#dismiss();
    // Back to the first of what was chosen.
    if (this.local.chosen) this.local.chosen = null;
    return this.#render();
  }

  #digit(digit) {
    const screen = screenOf(this.terminal, this.local);
    if (screen.name === 'tip') {
      if (digit === 0) return this.#choose({ tip: 0 });
      return screen.options[digit - 1] && this.#choose({ tip: screen.options[digit - 1].minor });
    }
    if (screen.name === 'months') return screen.options[digit - 1] && this.#choose({ months: screen.options[digit - 1].count });
    const queue = waiting(this.terminal).slice(0, KEYS_MAX);
    if (screen.name === 'list') return queue[digit - 1] && this.#fetch(queue[digit - 1]);
    const choosing = !this.local.result && !running(this.terminal) && queue.length > 1;
    if (choosing && digit >= 1 && digit <= queue.length) return this.#fetch(queue[digit - 1]);
    return undefined;
  }

  #choose(choice) {
    const { intent } = this.terminal;
    this.local.chosen = { id: intent.id, ...chosenFor(this.local, intent), ...choice };
    return this.#render();
  }

  /** Whether a card would be read now; says what is missing if not. */
  ready() {
    if (this.local.busy) return false;
    if (!this.terminal.online) this.#say(t('notice-offline'));
    else if (screenOf(this.terminal, this.local).name === 'amount') return true;
    else if (phaseOf(running(this.terminal)) === 'on_terminal') this.#say(t('notice-choose'));
    else if (hasList(this.terminal) && waiting(this.terminal).length > 0) this.#say(t('notice-pick'));
    else this.#say(t(waiting(this.terminal).length > 0 ? key('notice-green-first') : key('notice-nothing')));
    return false;
  }

  /** Presents a card: `entry` is `tap`, `insert` or `swipe`; no `card` leaves the result to the amount. */
  present(entry, card) {
    this.local.entry = entry;
    this.local.intent = this.terminal.intent;
    return this.#busy('card', async () => {
      const { tip, months } = chosenFor(this.local, this.local.intent);
      const body = { entry, hold: true, ...(card && { card }), ...(tip && { tip_minor: tip }), ...(months > 1 && { installments: months }) };
      const [outcome] = await Promise.all([call('POST', `${this.#path}/card`, body), later(READING_MS)]);
      await this.reload();
      this.local.busy = null;
      if (this.terminal.last?.intent?.id !== this.local.intent?.id) this.#showAnswer(outcome);
      this.apply(this.terminal);
      this.#closeSoon();
    });
  }

  // The terminal does not tell of its last operation (yet): the card's answer does.
  #showAnswer({ outcome, reason, payment, intent }) {
    const about = { ...this.local.intent, state: intent?.state, phase: phaseOf(this.terminal.intent) };
    const last = { intent: about, outcome, reason, payment, print: false, at: clock.now().toISOString() };
    this.seen = resultKey(last);
    this.#show(last);
  }

  async #busy(what, work) {
    this.local.busy = what;
    this.#render();
    await shown(work);
    this.local.busy = null;
    this.#notice(this.terminal.last);
    this.#render();
  }

  #say(words) {
    clearTimeout(this.silence);
    this.words = words;
    if (words) this.silence = setTimeout(() => this.#say(''), NOTICE_MS);
    this.#render();
  }

  #print(last) {
    const path = this.root.querySelector('.paper-path');
    role(this.root, 'paper').replaceChildren(receipt(this.terminal, last));
    path.hidden = false;
    // the paper starts inside the printer, and moves once the browser has seen it there
    path.classList.remove('out');
    requestAnimationFrame(() => requestAnimationFrame(() => path.classList.add('out')));
  }

  // Without paper nothing is printed; the payment stays what it is.
  #hasPaper() {
    if (this.terminal.paper !== false) return true;
    this.#say(t('notice-paper'));
    return false;
  }

  #takePaper() {
    const path = this.root.querySelector('.paper-path');
    path.hidden = true;
    path.classList.remove('out');
  }

  /** Tears the receipt off and shows it whole. */
  openReceipt() {
    const sheet = document.getElementById('receipt-sheet');
    role(sheet, 'receipt').replaceChildren(role(this.root, 'paper').firstElementChild.cloneNode(true));
    // the paper is gone before the sheet gives the focus back, or the next Enter would open it again
    sheet.querySelector('form').onsubmit = () => this.#takePaper();
    sheet.onclose = () => {
      this.#takePaper();
      this.root.querySelector('[data-key="green"]').focus();
    };
    sheet.showModal();
  }

  #render() {
    const screen = screenOf(this.terminal, this.local);
    const view = viewOf(screen, this.terminal, this.local);
    this.root.dataset.screen = screen.name;
    this.root.dataset.tone = RESULTS[screen.name]?.tone ?? 'none';
    this.root.dataset.online = String(this.terminal.online);
    this.root.dataset.paper = String(this.terminal.paper !== false);
    this.root.dataset.dialect = this.terminal.dialect;
    const drawn = JSON.stringify([screen, this.local.entry, this.terminal.merchant_name, this.words]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    role(this.root, 'view').replaceChildren(...view.main.filter(Boolean));
    const soft = view.soft.map(([colour, word]) => el('span', { class: `hint ${colour}` }, el('i'), word));
    role(this.root, 'soft').replaceChildren(...(this.words ? [el('span', { class: 'said' }, this.words)] : soft));
    const spoken = this.words || view.spoken;
    if (role(this.root, 'spoken').textContent !== spoken) role(this.root, 'spoken').textContent = spoken;
  }
}
