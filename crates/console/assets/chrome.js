// What every page has: navigation, the live mark, toasts, copying, the world's clock.

import { access, call, live } from './api.js';
import { el, icon } from './dom.js';
import { t } from './texts.js';

const TOAST_MS = 6000;
const COPIED_MS = 1600;

export const query = document.body.dataset.query;

/** Says something beside the page for a while. */
export function toast(message, tone = 'bad') {
  const box = el('div', { class: `toast ${tone}` }, icon(tone === 'bad' ? 'alert' : 'check'), el('p', {}, message));
  document.getElementById('toasts').append(box);
  const end = setTimeout(() => box.remove(), TOAST_MS);
  box.addEventListener('click', () => {
    clearTimeout(end);
    box.remove();
  });
}

/** Runs something that may fail, and shows the failure. */
export async function shown(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.status ? error.message : t('unreachable'));
    return null;
  }
}

/** A button that copies `text`. */
export function copyButton(text, label) {
  return el('button', { type: 'button', class: 'copy quiet', 'aria-label': `${t('copy')}: ${label}`, 'data-copy': text }, icon('copy'));
}

async function copy(button) {
  const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // no permission, or an origin that is not secure: leave the text selected instead
    const source = document.getElementById(button.dataset.copyFrom ?? '') ?? button.previousElementSibling;
    if (source) getSelection().selectAllChildren(source);
    return;
  }
  button.dataset.done = t('copied');
  setTimeout(() => delete button.dataset.done, COPIED_MS);
}

/** The world's clock: real pace between advances, from the last word of the server. */
export const clock = {
  skew: 0,
  known: false,
  now: () => new Date(Date.now() + clock.skew),
  set(now) {
    clock.skew = new Date(now).getTime() - Date.now();
    clock.known = true;
    document.dispatchEvent(new Event('cobro-clock'));
  },
};

export const loadClock = () => shown(async () => clock.set((await call('GET', 'clock')).now));

function pulse(state) {
  const mark = document.getElementById('pulse');
  mark.dataset.state = state;
  mark.querySelector('.word').textContent = state === 'live' ? t('live') : t('live-lost');
}

/** Asks for the control token; null where the person closes the dialog. */
function askToken(again) {
  const dialog = document.getElementById('token-dialog');
  const field = dialog.querySelector('input');
  dialog.querySelector('[role="alert"]').hidden = !again;
  field.value = '';
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'enter' ? field.value.trim() || null : null), { once: true });
  });
}

/** Begins the page: the mark in the navigation, and what its buttons do. */
export function begin(here) {
  access.ask = askToken;
  const link = document.querySelector(`[data-nav="${here}"]`);
  link?.setAttribute('aria-current', 'page');
  // on a phone the navigation is wider than the page: where one is must be seen
  const nav = link?.parentElement;
  if (nav) nav.scrollLeft = link.offsetLeft - nav.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2;
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button.copy');
    if (button) copy(button);
  });
}

/** Says that what the page is about does not exist. */
function gone(words, address) {
  document.getElementById('main').replaceChildren(el('section', { class: 'panel gone' },
    el('h1', {}, words), el('p', {}, el('a', { href: address }, t('gone-back')))));
  document.getElementById('pulse').hidden = true;
}

// A stream that was never there may have been asked of a world, or of a terminal, that is not.
async function exists(terminal) {
  try {
    await call('GET', 'clock');
  } catch (error) {
    if (error.status !== 404) return true;
    gone(t('gone-world'), '/');
    return false;
  }
  try {
    if (terminal) await call('GET', `terminals/${encodeURIComponent(terminal)}`);
  } catch (error) {
    if (error.status !== 404) return true;
    gone(t('gone-terminal'), `/console/terminals${query}`);
    return false;
  }
  return true;
}

/** Opens the stream with the page's handlers; what comes back ends it. */
export function listen({ terminal, handlers = {}, reload }) {
  let asked = false;
  const follow = async (state) => {
    pulse(state);
    if (state !== 'lost' || asked) return;
    asked = true;
    if (!(await exists(terminal))) end();
  };
  const end = live({
    terminal,
    handlers: { ...handlers, clock: (message) => clock.set(message.now) },
    reload: () => {
      loadClock();
      reload();
    },
    state: follow,
  });
  return end;
}

/** Starts a page of the console: its frame, and the stream with the page's handlers. */
export function start(options) {
  const here = document.body.dataset.page;
  begin({ terminal: 'terminals', deposit: 'deposits', endpoints: 'deliveries' }[here] ?? here);
  listen(options);
}
