// The counter: a card that is tapped, inserted or swiped, by mouse, touch, button or keyboard.

import { choices, masked } from './cards.js';
import { cloned, el, later, role, still } from './dom.js';
import { t } from './texts.js';

const CLICK_PX = 6;

export class Counter {
  /**
   * `device` is the VirtualTerminal that the card is for. The template says which entries there are
   * and whether a card can be picked; without a picker no card is named, and the amount decides.
   */
  constructor(device, template = 'counter') {
    this.device = device;
    this.root = cloned(template);
    this.card = role(this.root, 'card');
    this.picker = role(this.root, 'picker');
    this.entries = [...this.root.querySelectorAll('[data-entry]')].map((button) => button.dataset.entry);
    this.groups = choices(device.terminal);
    if (this.picker) this.#fill();
    this.#dress();
    this.picker?.addEventListener('change', () => this.#dress());
    this.root.addEventListener('click', (event) => {
      const button = event.target.closest('[data-entry]');
      if (button) this.present(button.dataset.entry);
    });
    this.#drag();
  }

  get choice() {
    return this.groups.flatMap((group) => group.cards)[Number(this.picker?.value ?? 0)];
  }

  #fill() {
    let index = 0;
    const option = (one) => el('option', { value: index++ }, one.label);
    for (const { label, cards } of this.groups) {
      this.picker.append(...(label ? [el('optgroup', { label }, cards.map(option))] : cards.map(option)));
    }
  }

  #dress() {
    const { number, holder, brand } = this.choice;
    role(this.root, 'card-number').textContent = number ? masked(number) : '•••• •••• •••• ••••';
    role(this.root, 'card-holder').textContent = holder ?? t('card-holder');
    role(this.root, 'card-brand').textContent = number ? brand : '';
    this.card.dataset.brand = number ? brand.toLowerCase() : 'none';
  }

  /** Presents the card: shows the way and asks the terminal. */
  async present(entry) {
    if (!this.entries.includes(entry)) return undefined;
    if (!this.device.ready()) return this.#home();
    this.card.dataset.entry = entry;
    const moved = this.#travel(entry);
    if (entry !== 'insert') await moved;
    await this.device.present(entry, this.choice.card);
    return this.#home();
  }

  // Where the card goes, seen from where it lies.
  #target(entry) {
    const card = this.card.getBoundingClientRect();
    const from = { x: card.x + card.width / 2, y: card.y + card.height / 2 };
    const zone = this.device.root.querySelector(`[data-drop="${entry}"]`).getBoundingClientRect();
    return { x: zone.x + zone.width / 2 - from.x, y: zone.y + zone.height / 2 - from.y, height: zone.height };
  }

  async #travel(entry) {
    if (still() || this.card.offsetParent === null) return;
    const { x, y, height } = this.#target(entry);
    const at = (dx, dy, rest) => ({ transform: `translate(${dx}px, ${dy}px) ${rest}` });
    const start = { transform: getComputedStyle(this.card).transform };
    const frames = {
      tap: [start, at(x, y + 26, 'scale(.72)'), at(x, y + 16, 'scale(.7)')],
      insert: [start, at(x, y + 74, 'rotate(-90deg) scale(.7)'), at(x, y + 34, 'rotate(-90deg) scale(.7)')],
      swipe: [start, at(x, y - height / 2, 'rotate(90deg) scale(.6)'), at(x, y + height / 2, 'rotate(90deg) scale(.6)')],
    }[entry];
    const motion = this.card.animate(frames, { duration: entry === 'swipe' ? 850 : 600, easing: 'ease-in-out', fill: 'forwards' });
    this.motion = motion;
    await Promise.race([motion.finished, later(1200)]).catch(() => undefined);
  }

  #home() {
    delete this.card.dataset.entry;
    this.motion?.cancel();
    this.motion = null;
    this.card.style.transform = '';
  }

  #drag() {
    let from = null;
    this.card.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || this.card.dataset.entry) return;
      from = { x: event.clientX, y: event.clientY, moved: false };
      this.card.setPointerCapture(event.pointerId);
    });
    this.card.addEventListener('pointermove', (event) => {
      if (!from) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      from.moved ||= Math.hypot(dx, dy) > CLICK_PX;
      if (!from.moved) return;
      this.card.classList.add('held');
      this.card.style.transform = `translate(${dx}px, ${dy}px) scale(.8)`;
      this.#light(this.#zone(event));
    });
    const drop = (event) => {
      if (!from) return;
      const { moved } = from;
      from = null;
      this.card.classList.remove('held');
      this.#light(null);
      if (!moved) return;
      this.dragged = true;
      const entry = event.type === 'pointerup' ? this.#zone(event) : null;
      if (entry) this.present(entry);
      else this.#home();
    };
    this.card.addEventListener('pointerup', drop);
    this.card.addEventListener('pointercancel', drop);
    // a press without a drag, by pointer or keyboard, presents the card in the first way
    this.card.addEventListener('click', () => {
      if (!this.dragged) this.present(this.entries[0]);
      this.dragged = false;
    });
  }

  // The part of the terminal under the pointer: the foot takes the chip, the right edge the stripe,
  // everything else is near enough to the reader.
  #zone({ clientX, clientY }) {
    const body = this.device.root.querySelector('.body').getBoundingClientRect();
    const reach = 36;
    const inside = clientX > body.left - reach && clientX < body.right + reach && clientY > body.top - reach && clientY < body.bottom + 2 * reach;
    if (!inside) return null;
    if (this.entries.length === 1) return this.entries[0];
    if (clientY > body.bottom - body.height * 0.14) return 'insert';
    if (clientX > body.right - body.width * 0.14) return 'swipe';
    return 'tap';
  }

  #light(entry) {
    this.device.root.dataset.drop = entry ?? '';
  }
}

const KEYS = { Enter: 'green', Escape: 'red', Backspace: 'yellow' };
const ENTRIES = { t: 'tap', i: 'insert', s: 'swipe' };

/** Leads the keyboard to the terminal that `current` names: `{ device, counter }` or nothing. */
export function keyboard(current) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest('input, select, textarea, dialog[open]')) return;
    const at = current();
    if (!at) return;
    // a focused button or link keeps its own Enter
    if (event.key === 'Enter' && event.target.closest('button, a, summary')) return;
    const press = KEYS[event.key] ?? (/^\d$/.test(event.key) ? event.key : null);
    const entry = ENTRIES[event.key.toLowerCase()];
    if (!press && !entry) return;
    event.preventDefault();
    if (press) at.device.press(press);
    else at.counter.present(entry);
  });
}
