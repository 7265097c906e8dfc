// What makes the card page kinder. Without it the page is a plain form that works.

import { brandOf, codeFault, digits, expiry, expiryFault, grouped, numberFault } from './card.js';
import { byId, element, facts, t } from './dom.js';

const POLL_MS = 2000;
const LOOK_MS = 30000;
const form = byId('form');
const own = location.pathname + location.search;
const { title } = document;

// The page's time is that of the world's clock, which a test may have moved.
const clock = byId('clock');
const loaded = performance.now();
let left = Number(clock?.dataset.left ?? 0);
let offset = 0;
const now = () => new Date(Date.now() + offset);

/** Loads the page anew: wherever the session stands by now. */
const again = () => location.replace(own);

/** Where the session stands. */
async function look() {
  const answer = await fetch(own, { headers: { accept: 'application/json' }, cache: 'no-store' });
  return answer.json();
}

// A payment that its holder had to confirm: whoever shows the page in a frame, or has opened it, is
// told that it has ended, and reads on by itself.
const framed = window.parent !== window;

function tell() {
  if (!facts.message || facts.waiting || document.body.dataset.page !== 'result') return;
  if (framed) window.parent.postMessage(facts.message, '*');
  window.opener?.postMessage(facts.message, '*');
}

function leave(state) {
  if (facts.message && framed) again();
  else if (state.location) location.assign(state.location);
  else if (state.skip_result && state.return_url && state.outcome === 'approved') location.assign(state.return_url);
  else again();
}

// Countdown

function remaining() {
  return Math.max(0, Math.floor(left - (performance.now() - loaded) / 1000));
}

function tick() {
  const seconds = remaining();
  const two = (number) => String(number).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (seconds < 86400) {
    const hours = Math.floor(minutes / 60);
    const text = hours > 0 ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
    byId('clock-text').textContent = text;
  }
  clock.dataset.soon = String(seconds <= 60);
  const news = byId('clock-news');
  if (seconds <= 60 && seconds > 0 && news.textContent === '') news.textContent = t('left-soon');
  if (seconds === 0) {
    news.textContent = t('over');
    again();
    return;
  }
  setTimeout(tick, 1000);
}

async function resync() {
  const state = await look().catch(() => null);
  if (!state?.expires_at || busy) return;
  const [end, present] = [Date.parse(state.expires_at), Date.parse(state.now)];
  offset = present - Date.now();
  left = (end - present) / 1000 + (performance.now() - loaded) / 1000;
  const stays = document.body.dataset.page === 'challenge' ? ['challenge'] : ['open', 'rejected'];
  if (!stays.includes(state.outcome)) again();
}

// What is wrong

const field = (name) => form.elements[name];

function mark(name, text) {
  const fault = byId(`${name}-fault`);
  if (!fault) return;
  fault.textContent = text ?? '';
  fault.hidden = !text;
  const control = byId(name);
  if (text) control.setAttribute('aria-invalid', 'true');
  else control.removeAttribute('aria-invalid');
  const described = [text ? `${name}-fault` : null, byId(`${name}-hint`) ? `${name}-hint` : null].filter(Boolean);
  if (described.length > 0) control.setAttribute('aria-describedby', described.join(' '));
  else control.removeAttribute('aria-describedby');
}

/** Shows a notice where the page has room for one, and leads to it. */
function notify(children, tone) {
  byId('notice')?.remove();
  const notice = element('div', { className: `notice ${tone}`, id: 'notice', tabIndex: -1, role: 'alert' }, ...children);
  byId('title').after(notice);
  notice.focus();
  notice.scrollIntoView({ block: 'center' });
}

function showFaults(faults) {
  for (const shown of form.querySelectorAll('.fault')) mark(shown.id.replace(/-fault$/, ''), null);
  for (const { field: name, message } of faults) mark(name, message);
  const links = faults.map(({ field: name, message }) => {
    const link = element('a', { href: `#${name}`, text: message });
    link.addEventListener('click', (event) => {
      event.preventDefault();
      byId(name)?.focus();
    });
    return element('li', {}, link);
  });
  const list = element('ul', {}, ...links);
  notify([element('h2', { text: t('errors') }), list], 'bad');
  document.title = t('page-title-error', { title });
}

// Sending

let busy = false;

function work(button, working) {
  busy = working;
  form.setAttribute('aria-busy', String(working));
  button.setAttribute('aria-disabled', String(working));
  const label = button.querySelector('span') ?? button;
  if (working) {
    button.dataset.label = label.textContent;
    label.textContent = button.dataset.working ?? label.textContent;
  } else {
    label.textContent = button.dataset.label;
  }
}

async function send(event) {
  event.preventDefault();
  if (busy) return;
  const button = event.submitter ?? form.querySelector('.primary');
  work(button, true);
  const body = new URLSearchParams(new FormData(form));
  body.set('action', button.value);
  let state;
  try {
    const answer = await fetch(own, { method: 'POST', body, headers: { accept: 'application/json' } });
    state = await answer.json();
  } catch {
    work(button, false);
    notify([element('p', { text: t('no-answer') })], 'warn');
    // what became of it is looked up before anything can be sent again
    await resync();
    return;
  }
  if (state.outcome === 'invalid') {
    work(button, false);
    if (state.errors?.length) showFaults(state.errors);
    else again();
    return;
  }
  leave(state);
}

// Typing

function format(input, write, mine) {
  input.addEventListener('input', (event) => {
    const deleting = event.inputType?.startsWith('delete') ?? false;
    const before = digits(input.value.slice(0, input.selectionStart)).length;
    const atEnd = input.selectionStart === input.value.length;
    const value = write(input.value, deleting);
    if (value !== input.value) {
      input.value = value;
      if (!atEnd) {
        let place = 0;
        for (let seen = 0; seen < before && place < value.length; place += 1) if (/\d/.test(value[place])) seen += 1;
        input.setSelectionRange(place, place);
      }
    }
    mine?.();
  });
}

function check(name, faultOf) {
  const input = field(name);
  // leaving an empty field is no fault yet
  input.addEventListener('blur', () => {
    const key = input.value === '' ? undefined : faultOf(input.value);
    mark(name, key && t(key));
  });
  input.addEventListener('input', () => {
    if (input.getAttribute('aria-invalid') && !faultOf(input.value)) mark(name, null);
  });
}

function wireCard() {
  const number = field('number');
  const badge = element('span', { className: 'brand', id: 'brand' });
  badge.setAttribute('aria-live', 'polite');
  number.after(badge);
  const code = field('cvv');
  const showBrand = () => {
    const brand = brandOf(digits(number.value));
    badge.textContent = brand?.name ?? '';
    badge.dataset.brand = brand?.id ?? '';
    code.maxLength = brand?.code ?? 4;
    byId('cvv-hint').textContent = t(brand?.code === 4 ? 'cvv-front' : 'cvv-back');
  };
  format(number, (text) => grouped(digits(text).slice(0, 19)), showBrand);
  format(field('expiration'), expiry);
  format(code, digits);
  check('number', numberFault);
  check('expiration', (text) => expiryFault(text, now()));
  check('cvv', (text) => codeFault(text, brandOf(digits(number.value))));
}

function wirePart() {
  const amount = byId('amount')?.closest('.field');
  if (!amount) return;
  const label = form.querySelector('.primary span');
  const whole = label.textContent;
  const choose = () => {
    const part = field('part').value === 'part';
    amount.hidden = !part;
    label.textContent = part ? t('pay-part') : whole;
    if (part) byId('amount').select();
  };
  for (const choice of field('part')) choice.addEventListener('change', choose);
  amount.hidden = field('part').value !== 'part';
}

/** Buttons of the sandbox that fill a test card, and a payer where none is typed. */
function wireTestCards() {
  const row = byId('cards');
  if (!row) return;
  row.hidden = false;
  const put = (name, value) => {
    const input = field(name);
    if (!input || !value) return;
    input.value = value;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    mark(name, null);
  };
  const putIfEmpty = (name, value) => {
    if (field(name)?.value === '') put(name, value);
  };
  row.addEventListener('click', (event) => {
    const chip = event.target.closest('button');
    if (!chip) return;
    put('number', chip.dataset.number);
    put('expiration', chip.dataset.expiration);
    put('cvv', chip.dataset.code);
    putIfEmpty('name', 'Rosa Lemus');
    if (field('document')?.value === '') {
      put('documentType', row.dataset.type);
      put('document', row.dataset.document);
    }
    putIfEmpty('email', 'rosa@example.org');
    for (const one of row.querySelectorAll('button')) one.setAttribute('aria-pressed', String(one === chip));
  });
}

async function poll() {
  const state = await look().catch(() => null);
  if (state && state.outcome !== 'pending') leave(state);
  else setTimeout(poll, POLL_MS);
}

if (clock) {
  tick();
  setInterval(resync, LOOK_MS);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') resync();
  });
}
form?.addEventListener('submit', send);
if (form && field('number')) {
  wireCard();
  wirePart();
  wireTestCards();
}
if (facts.waiting) setTimeout(poll, POLL_MS);
tell();
const print = byId('print');
if (print) {
  print.hidden = false;
  print.addEventListener('click', () => window.print());
}
// whoever hears the page hears first what went wrong, or what became of it
(byId('notice') ?? (form ? null : byId('title')))?.focus();
// a page that comes back from the browser's memory may be long out of date
addEventListener('pageshow', (event) => {
  if (event.persisted) again();
});
