// What the point of sale asked and was answered, as it went over the wire.

import { copyButton } from './chrome.js';
import { el } from './dom.js';
import { block, pretty, tag } from './raw.js';
import { t } from './texts.js';

const KEPT = 30;

const tone = (status) => (status < 300 ? 'good' : status < 500 ? 'warn' : 'bad');

const lines = (first, headers, body) =>
  [first, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), ...(body ? ['', body] : [])].join('\n');

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same request as a command for a shell. */
export function curl({ method, path, headers, body }, origin = location.origin) {
  const options = Object.entries(headers).filter(([name]) => name !== 'host').map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  if (body) options.push(`-d ${quoted(body)}`);
  return [`curl -X ${method} ${quoted(origin + path)}`, ...options].join(' \\\n  ');
}

/** A log in `box`, newest first; `add` takes what `exchange` tells. */
export function wireLog(box, empty) {
  return {
    add({ request, response, ms }) {
      for (const older of box.children) older.open = false;
      const { method, path, headers, body } = request;
      box.prepend(el('details', { class: 'entry', open: true, 'data-method': method, 'data-status': response.status },
        el('summary', {}, tag(String(response.status), tone(response.status)), el('b', {}, method), el('code', {}, path), el('span', { class: 'when' }, `${ms} ms`)),
        el('div', { class: 'entry-body' },
          el('div', { class: 'sent' }, block(t('detail-request'), lines(`${method} ${path} HTTP/1.1`, headers, body)), copyButton(curl(request), 'curl')),
          block(t('detail-answer'), lines(`HTTP/1.1 ${response.status} ${response.reason}`.trim(), response.headers, pretty(response.body))))));
      box.children[KEPT]?.remove();
      empty.hidden = true;
    },
  };
}
