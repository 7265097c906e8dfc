// What went over the wire, as text: times, marks, headers and bodies.

import { el } from './dom.js';
import { language } from './texts.js';

/** The time of an entry with milliseconds, in the viewer's zone. */
export const precise = (at) => {
  const date = new Date(at);
  const time = new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23' });
  return el('time', { datetime: at, title: date.toLocaleString(language()) }, time.format(date));
};

export const tag = (word, tone = '') => el('span', { class: `chip ${tone}` }, word);

/** JSON set out over lines; text that is no JSON as it came. */
export function pretty(value) {
  if (value === null || value === undefined || value === '') return '';
  if (typeof value !== 'string') return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

/** A block of raw text with a heading. */
export function block(title, value) {
  const text = typeof value === 'string' ? pretty(value) : pretty(value ?? null);
  return text ? el('section', { class: 'raw' }, el('h3', {}, title), el('pre', { tabindex: '0' }, text)) : null;
}

/** Headers, an object or a list of pairs, one a line. */
export function headers(title, value) {
  const pairs = Array.isArray(value) ? value : Object.entries(value ?? {});
  if (pairs.length === 0) return null;
  return el('section', { class: 'raw' }, el('h3', {}, title), el('pre', { tabindex: '0' }, pairs.map(([name, one]) => `${name}: ${one}`).join('\n')));
}
