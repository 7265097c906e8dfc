// Who else listens on this machine: shops, webhooks, servers of somebody else.

import { once } from 'node:events';
import { createServer } from 'node:http';

/** Listens on a free port: the address, and how it ends. */
export async function listen(server, host = '127.0.0.1') {
  server.listen(0, host);
  // A test that fails before it closes it must not hang.
  server.unref();
  await once(server, 'listening');
  const { port } = server.address();
  const close = () => {
    server.closeAllConnections?.();
    server.close();
  };
  return { port, address: `${host}:${port}`, url: `http://${host}:${port}`, close };
}

/** A shop whose pages say which they are, with what `more` adds for the address of each. */
export const openShop = (more = () => '') => listen(createServer((request, response) => {
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(`<!doctype html><title>shop</title><link rel="icon" href="data:,"><h1>${request.url}</h1>${more(request.url)}`);
}));

/** A webhook that counts its calls and says `answer`; to the first ones, `refusals` many, with an error. */
export async function openWebhook({ refusals = 0, answer = 'ok' } = {}) {
  let calls = 0;
  const { url, close } = await listen(createServer((request, response) => {
    calls += 1;
    const status = calls > refusals ? 200 : 500;
    request.resume().on('end', () => response.writeHead(status).end(answer));
  }));
  return { url: `${url}/aviso`, calls: () => calls, close };
}
