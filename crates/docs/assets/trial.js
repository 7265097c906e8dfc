// Sends a call of the reference to this server.

import { t } from './docs.js';

const { calls, credentials } = JSON.parse(document.getElementById('calls').textContent);

function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(attribute, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const bytes = (text) => new TextEncoder().encode(text);
const base64 = (array) => btoa(String.fromCharCode(...array));

/** The member `auth`: base64 of a nonce, a seed, and SHA-256 over nonce, seed and secret. */
async function signature({ login, secret }) {
  const nonce = crypto.getRandomValues(new Uint8Array(16));
  const seed = new Date().toISOString();
  const whole = new Uint8Array([...nonce, ...bytes(seed + secret)]);
  const tranKey = base64(new Uint8Array(await crypto.subtle.digest('SHA-256', whole)));
  return { login, tranKey, nonce: base64(nonce), seed };
}

function authorization(security) {
  if (security === 'bearer' && credentials.bearer) return ['Authorization', `Bearer ${credentials.bearer}`];
  if (security === 'basic' && credentials.basic) return ['Authorization', `Basic ${btoa(credentials.basic.join(':'))}`];
  if (!['none', 'body', 'bearer', 'basic'].includes(security) && credentials.header) return [security, credentials.header];
  return null;
}

/** The example of a body; what is signed anew for each call is not typed. */
function typed({ security, body }) {
  if (security !== 'body' || !credentials.body) return body;
  const { auth, ...rest } = JSON.parse(body);
  return JSON.stringify(rest, null, 2);
}

/** A field for each parameter, and one for the body. */
function form(id, call) {
  const fields = call.parameters.map((parameter) => el('label', {},
    el('span', {}, el('code', {}, parameter.name), ` ${t(`in-${parameter.in}`)}`, parameter.required ? ` · ${t('required')}` : ''),
    el('input', { name: parameter.name, value: parameter.value, 'data-in': parameter.in, required: parameter.required, spellcheck: 'false', autocomplete: 'off' })));
  const text = call.body === null ? null : typed(call);
  const body = text === null ? null : el('label', {}, el('span', {}, t('request-body')),
    el('textarea', { name: 'body', rows: Math.min(14, text.split('\n').length + 1), spellcheck: 'false' }, text));
  return el('form', { id: `${id}-trial`, novalidate: true }, el('p', { class: 'muted' }, t('try-note')), ...fields, body,
    el('p', { class: 'actions' }, el('button', { class: 'button primary small' }, t('try-send'))),
    el('div', { class: 'trial-answer', role: 'status' }));
}

async function request(call, box) {
  const headers = new Headers();
  let path = call.path;
  const query = new URLSearchParams();
  for (const input of box.querySelectorAll('[data-in]')) {
    if (!input.value && input.required) {
      input.focus();
      throw new Error(t('try-value', { name: input.name }));
    }
    if (input.dataset.in === 'path') path = path.replace(new RegExp(`\\{\\*?${input.name}\\}`), encodeURIComponent(input.value));
    else if (!input.value) continue;
    else if (input.dataset.in === 'query') query.set(input.name, input.value);
    else headers.set(input.name, input.value);
  }
  const credential = authorization(call.security);
  if (credential) headers.set(...credential);
  let body = box.querySelector('textarea')?.value;
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  if (call.security === 'body' && credentials.body && crypto.subtle) {
    body = JSON.stringify({ ...JSON.parse(body), auth: await signature(credentials.body) });
  }
  const target = query.size ? `${path}?${query}` : path;
  return [target, { method: call.method, headers, body, credentials: 'omit', cache: 'no-store' }];
}

/** The start of an answer: one that streams has no end. */
async function read(response) {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text();
  const reader = response.body.getReader();
  const { value } = await reader.read();
  reader.cancel();
  return new TextDecoder().decode(value);
}

function shown(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function send(call, box) {
  const answer = box.querySelector('.trial-answer');
  const button = box.querySelector('button');
  button.disabled = true;
  try {
    const [target, options] = await request(call, box);
    const began = performance.now();
    const response = await fetch(target, options);
    const text = await read(response);
    const tone = response.ok ? 'good' : response.status < 500 ? 'warn' : 'bad';
    answer.replaceChildren(
      el('p', {}, el('span', { class: `chip ${tone}` }, String(response.status)), ` ${call.method} ${target} · ${Math.round(performance.now() - began)} ms`),
      text ? el('pre', { tabindex: '0', 'aria-label': t('try-answer') }, el('code', {}, shown(text))) : el('p', { class: 'muted' }, t('no-body')),
    );
  } catch (error) {
    answer.replaceChildren(el('p', { class: 'notice' }, error instanceof TypeError ? t('try-failed') : error.message));
  } finally {
    button.disabled = false;
  }
}

for (const box of document.querySelectorAll('.trial')) {
  const call = calls[box.dataset.call];
  box.hidden = false;
  box.addEventListener('toggle', () => {
    if (box.open && !box.querySelector('form')) box.append(form(box.dataset.call, call));
  });
  box.addEventListener('submit', (event) => {
    event.preventDefault();
    send(call, box);
  });
}
