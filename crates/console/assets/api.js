// The control API, same origin: calls, and the one stream of what happens.

// A page names its world; the simulator changes it to that of the access token.
const world = () => document.body.dataset.world;
const base = '/_cobro/v1/';

/** What the control API answers when it refuses (RFC 9457). */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

const TOKEN = 'cobro-control-token';

/** Asks the person for the control token, where one is needed; the page's frame says how. */
export const access = { ask: null };
let asking = null;

function authorized(headers) {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { ...headers, authorization: `Bearer ${token}` } : headers;
}

/** Whether the answer asks for the token, and the person gave one. */
async function admitted(response) {
  if (response.status !== 403 || !access.ask) return false;
  const problem = await response.clone().json().catch(() => null);
  if (problem?.code !== 'control_token') return false;
  asking ??= access.ask(sessionStorage.getItem(TOKEN) !== null).finally(() => { asking = null; });
  const token = await asking;
  if (token) sessionStorage.setItem(TOKEN, token);
  return Boolean(token);
}

async function answered(response) {
  if (response.status === 204) return null;
  const text = await response.text();
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // not JSON: a proxy's page, or nothing
  }
  if (response.ok) return body;
  throw new Problem(response.status, saidBy(body) ?? `HTTP ${response.status}`);
}

const saidBy = (body) => body?.detail ?? body?.title ?? body?.message;

/** Calls the control API; `path` begins after `/_cobro/v1/`. Throws a Problem. */
export async function call(method, path, body) {
  const headers = { accept: 'application/json', 'cobro-world': world() };
  if (body !== undefined) headers['content-type'] = 'application/json';
  for (;;) {
    const response = await fetch(base + path, { method, headers: authorized(headers), body: body === undefined ? undefined : JSON.stringify(body) });
    if (!(await admitted(response))) return answered(response);
  }
}

/** Calls a dialect's own API as a point of sale would. */
export async function callAsPos(method, path, token, body) {
  const headers = { accept: 'application/json', 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return answered(await fetch(path, { method, headers, body: JSON.stringify(body) }));
}

/** The same with a key instead of a token. */
export async function callWithKey(method, path, apiKey, body) {
  const headers = { accept: 'application/json', 'content-type': 'application/json', 'x-api-key': apiKey };
  return answered(await fetch(path, { method, headers, body: JSON.stringify(body) }));
}

/**
 * Calls a dialect's own API and tells both sides as they went over the wire, whatever the status.
 * Headers are those that this page set and those that it may read; a browser adds others.
 */
export async function exchange(method, path, token, body) {
  const headers = { accept: 'application/json', authorization: `Bearer ${token}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const sent = body === undefined ? undefined : JSON.stringify(body, null, 2);
  const begun = performance.now();
  const response = await fetch(path, { method, headers, body: sent });
  const text = await response.text();
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    // not JSON: shown as it came
  }
  return {
    request: { method, path, headers: { host: location.host, ...headers }, body: sent },
    response: { status: response.status, reason: response.statusText, headers: Object.fromEntries(response.headers), body: text },
    ok: response.ok,
    json,
    said: response.ok ? null : saidBy(json) ?? `HTTP ${response.status}`,
    ms: Math.round(performance.now() - begun),
  };
}

const RETRY_MS = 3000;

/**
 * Listens to what happens until the page goes away. `handlers` by event name get the event's JSON;
 * `reload` runs at each new connection, since what happened in between is not sent again; `state`
 * hears `live` or `lost`. While nobody looks the stream is closed: a browser allows few connections
 * per host, and forgotten tabs would use them up. What comes back ends it for good.
 */
export function live({ terminal, handlers, reload, state }) {
  let source = null;
  let retry = 0;
  let over = false;
  const query = new URLSearchParams({ world: world() });
  if (terminal) query.set('terminal', terminal);
  let refused = 0;

  // An EventSource sends no header: where it is refused, a ticket takes the token's place.
  async function enter() {
    try {
      query.set('ticket', (await call('POST', 'live/tickets', {})).ticket);
    } catch {
      // the server does not answer, or the person gave no token: the next try asks again
    }
    if (!over && !document.hidden && !source) open();
  }

  function open() {
    clearTimeout(retry);
    source = new EventSource(`${base}live?${query}`);
    source.addEventListener('open', () => {
      refused = 0;
      state('live');
      reload();
    });
    source.addEventListener('error', () => {
      state('lost');
      // the browser reconnects by itself unless the answer was no stream at all
      if (source?.readyState !== EventSource.CLOSED) return;
      source = null;
      retry = setTimeout(enter, refused > 0 ? RETRY_MS : 0);
      refused += 1;
    });
    for (const [name, handler] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handler(JSON.parse(event.data)));
    }
  }

  function shut() {
    clearTimeout(retry);
    source?.close();
    source = null;
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) shut();
    else if (!source && !over) open();
  });
  addEventListener('pagehide', shut);
  addEventListener('pageshow', (event) => event.persisted && !source && !over && open());
  open();
  return () => {
    over = true;
    shut();
  };
}
