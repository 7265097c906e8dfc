// Programs as they are, under `cobro run`: official SDKs and ordinary libraries, with no host, no
// proxy and no certificate in their code (tests/clients/unchanged/).
//
//   COBRO_BIN     the program, `cobro`
//   COBRO_PYTHON  a Python with the packages of unchanged/requirements.txt
//   COBRO_PHP     a PHP with curl

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';

import { listen } from './harness/listeners.mjs';
import { needed } from './harness/server.mjs';

let directory;
let other;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cobro-unchanged-'));
  // Somebody else's server, with a certificate of its own. 127.0.0.2 is not excepted from the
  // proxy, as 127.0.0.1 is.
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=other',
    '-addext', 'subjectAltName=IP:127.0.0.2,DNS:otro.example', '-keyout', 'other.key', '-out', 'other.pem');
  const identity = { key: read('other.key'), cert: read('other.pem') };
  other = await listen(https.createServer(identity, (request, response) => response.writeHead(204).end()), '127.0.0.2');
});

after(() => {
  other?.close();
  rmSync(directory, { recursive: true, force: true });
});

function read(name) {
  return readFileSync(join(directory, name));
}

function openssl(...args) {
  return execFileSync('openssl', args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a command under `cobro run`: its status and what it printed. */
function run(command, { flags = [], env = {} } = {}) {
  const surroundings = { ...process.env, ...env };
  for (const name of ['NODE_OPTIONS', 'HTTPS_PROXY', 'https_proxy', 'NODE_EXTRA_CA_CERTS', 'NODE_TEST_CONTEXT']) {
    if (!(name in env)) delete surroundings[name];
  }
  const options = { cwd: import.meta.dirname, encoding: 'utf8', env: surroundings };
  return new Promise((resolve) => {
    execFile(needed('COBRO_BIN'), ['run', ...flags, '--', ...command], options, (error, stdout, stderr) => {
      resolve({ status: error ? error.code : 0, stdout, stderr });
    });
  });
}

/** What a program said of its flow. */
async function said(command, options) {
  const { status, stdout, stderr } = await run(command, options);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

function wholeFlow({ intent, ...rest }) {
  assert.match(intent, /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, { status: 'approved', amount: 15, refund: 'approved', wrong: 401 });
}

test('the official Node SDK does a whole flow, and fails as it should', async () => {
  wholeFlow(await said([process.execPath, 'unchanged/sdk.mjs']));
});

test('the official Python SDK does a whole flow, and fails as it should', async () => {
  wholeFlow(await said([needed('COBRO_PYTHON'), 'unchanged/pos.py']));
});

// What every method of an SDK's Point, payment, refund, OAuth and user clients comes to.
const METHODS = {
  devices: ['PAX_A910__SBX0000001'], read: 'OPEN', payment: ['approved', 30], found: 1, walked: 1, same: true,
  part: ['approved', 10], shown: true, total: 20, refunds: 2, authorization: true, token: 'bearer', user: true, again: 400,
};

test('every method of the official Node SDK is answered, and its validator takes our signatures', async () => {
  assert.deepEqual(await said([process.execPath, 'unchanged/methods.mjs']), {
    ...METHODS,
    modes: ['STANDALONE', 'PDV'], state: 'OPEN', canceled: true, listed: true,
    absent: { create: 404, capture: 404, cancel: 404, update: 404 },
    signatures: ['valid', 'SignatureMismatch', 'SignatureMismatch', 'SignatureMismatch', 'MissingSignatureHeader'],
  });
});

test('every method of the official Python SDK is answered, and its validator takes our signatures', async () => {
  assert.deepEqual(await said([needed('COBRO_PYTHON'), 'unchanged/methods.py']), {
    ...METHODS,
    canceled: 200,
    absent: { create: 404, capture: 404, update: 404 },
    signatures: ['valid', 'SIGNATURE_MISMATCH', 'SIGNATURE_MISMATCH'],
  });
});

test('urllib, requests and httpx arrive, and fail as they should', async () => {
  const { devices, wrong } = await said([needed('COBRO_PYTHON'), 'unchanged/libraries.py']);
  const device = 'PAX_A910__SBX0000001';
  assert.deepEqual(devices, { urllib: device, requests: device, httpx: device });
  assert.deepEqual(wrong, { requests: 401, httpx: 401 });
});

test('PHP with curl and Guzzle does a whole flow, and fails as it should', async () => {
  const { guzzle, ...flow } = await said([needed('COBRO_PHP'), 'unchanged/pos.php']);
  wholeFlow(flow);
  assert.ok(guzzle === null || guzzle === 200, `Guzzle was told ${guzzle}`);
});

test("what Checkout's PHP library sends does every flow that it documents", async () => {
  const { processUrl, client, wrong, ...flow } = await said([needed('COBRO_PHP'), 'unchanged/shop.php']);
  assert.match(processUrl, /\/spa\/session\/\d+\/[0-9a-f]{32}$/);
  assert.match(wrong, /^Autenticación fallida 102$/);
  assert.ok(['guzzle', 'curl'].includes(client));
  assert.deepEqual(flow, {
    untouched: ['PENDING', null], payment: ['APPROVED', 'APPROVED'], authorization: 6, franchise: 'visa',
    collect: ['APPROVED', 'APPROVED'], reverse: 'APPROVED', refunded: false, invalidate: 'APPROVED', again: 'XN',
  });
});

test("PHP's streams arrive by a proxy that the program names, and fail as they should", async () => {
  const { soap, ...told } = await said([needed('COBRO_PHP'), 'unchanged/streams.php']);
  assert.deepEqual(told, { status: 200, device: 'PAX_A910__SBX0000001', wrong: 401 });
  assert.ok(soap === null || soap === 'Not Found', `SoapClient was told ${soap}`);
});

test('shops in Node, Python and PHP sign their own calls, and do a whole flow of Placetopay', async () => {
  for (const command of [
    [process.execPath, 'unchanged/checkout.mjs'],
    [needed('COBRO_PYTHON'), 'unchanged/checkout.py'],
    [needed('COBRO_PHP'), 'unchanged/checkout.php'],
  ]) {
    assert.deepEqual(await said(command), {
      session: 'OK', stored: 'APPROVED', charged: 'APPROVED', given: 'APPROVED', gone: 'APPROVED', refused: 400, wrong: 401,
    }, command[1]);
  }
});

test('a shop and a point of sale in Node, Python and PHP do a whole flow of Clip, and fail as they should', async () => {
  for (const command of [
    [process.execPath, 'unchanged/clip.mjs'],
    [needed('COBRO_PYTHON'), 'unchanged/clip.py'],
    [needed('COBRO_PHP'), 'unchanged/clip.php'],
  ]) {
    assert.deepEqual(await said(command), {
      last4: '4515', payment: 'approved', again: 400, refund: ['approved', 50.25], found: ['approved', 50.25],
      charge: 'PENDING', waiting: [18050], outcome: 'approved', done: ['COMPLETED', true], wrong: [401, 401],
    }, command[1]);
  }
});

test("Node's own clients arrive, and other hosts are reached and verified", async () => {
  const env = { OTHER_URL: `https://${other.address}/`, NODE_EXTRA_CA_CERTS: join(directory, 'other.pem') };
  const reached = { fetch: 200, agent: 200, http2: 200, wrong: 401, other: 204, otherFetch: 204 };
  assert.deepEqual(await said([process.execPath, 'unchanged/node.mjs'], { env }), reached);
  const refused = await said([process.execPath, 'unchanged/node.mjs'], { env, flags: ['--offline'] });
  for (const way of ['other', 'otherFetch']) {
    assert.notEqual(refused[way], 204, `${way} must not arrive offline`);
  }
  assert.deepEqual({ ...refused, other: 0, otherFetch: 0 }, { ...reached, other: 0, otherFetch: 0 });
});

test('another host whose certificate nobody vouches for is not trusted', async () => {
  const env = { OTHER_URL: `https://${other.address}/` };
  const { other: answer } = await said([process.execPath, 'unchanged/node.mjs'], { env });
  assert.match(String(answer), /SELF_SIGNED|UNABLE_TO_VERIFY/);
});

test('curl reaches another host through the tunnel, and not with --offline', async () => {
  const command = ['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', `https://${other.address}/`];
  const env = { CURL_CA_BUNDLE: join(directory, 'other.pem') };
  const reached = await run(command, { env });
  assert.deepEqual([reached.status, reached.stdout], [0, '204'], reached.stderr);
  const refused = await run(command, { env, flags: ['--offline'] });
  assert.equal(refused.stdout, '000');
  assert.match(refused.stderr, /403/);
});

test('where a proxy was set already, other hosts are reached through it, and providers are not', async (t) => {
  // A proxy before ours: it knows where otro.example is, and notes whom it was asked for.
  const asked = [];
  const proxy = await listen(http.createServer().on('connect', (request, client) => {
    asked.push([request.url, request.headers['proxy-authorization']]);
    const server = net.connect(other.port, '127.0.0.2', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  }));
  t.after(proxy.close);
  const env = { HTTPS_PROXY: `http://ana:cl%40ve@${proxy.address}`, CURL_CA_BUNDLE: join(directory, 'other.pem') };
  const curl = ['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}'];
  const reached = await run([...curl, 'https://otro.example/'], { env });
  assert.deepEqual([reached.status, reached.stdout], [0, '204'], reached.stderr);
  const authorization = `Basic ${Buffer.from('ana:cl@ve').toString('base64')}`;
  assert.deepEqual(asked, [['otro.example:443', authorization]]);
  const provider = await run([...curl, 'https://api.mercadopago.com/point/integration-api/devices'], { env });
  assert.equal(provider.stdout, '401', provider.stderr);
  const excepted = await run([...curl, `https://${other.address}/`], { env });
  assert.equal(excepted.stdout, '204', excepted.stderr);
  assert.equal(asked.length, 1, 'a provider or this machine was asked of the other proxy');
  const refused = await run(['curl', '-sS', 'https://otro.example/'], { env: { HTTPS_PROXY: 'http://127.0.0.1:1' } });
  assert.match(refused.stderr, /502/);
});

test('the development CA cannot sign for a name outside its constraints', async () => {
  execFileSync(needed('COBRO_BIN'), ['tls', 'init', '--data', directory], { cwd: directory });
  for (const [file, name] of [['inside', 'DNS:api.mercadopago.com'], ['outside', 'DNS:www.example.com'], ['address', 'IP:127.0.0.1']]) {
    writeFileSync(join(directory, `${file}.ext`), `subjectAltName=${name}\nbasicConstraints=CA:FALSE\n`);
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/O=forged', '-keyout', `${file}.key`, '-out', `${file}.csr`);
    openssl('x509', '-req', '-in', `${file}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${file}.ext`, '-out', `${file}.pem`);
  }
  openssl('verify', '-CAfile', 'ca.pem', 'inside.pem');
  for (const file of ['outside', 'address']) {
    assert.throws(() => openssl('verify', '-CAfile', 'ca.pem', `${file}.pem`), /permitted subtree|excluded subtree/, file);
  }
  assert.equal(await shake('inside', 'api.mercadopago.com'), 'trusted');
  assert.match(await shake('outside', 'www.example.com'), /permitted subtree violation/);
});

/** Whether Node trusts a server with this certificate of the development CA. */
async function shake(file, servername) {
  const identity = { key: read(`${file}.key`), cert: read(`${file}.pem`) };
  const server = await listen(tls.createServer(identity, (socket) => socket.end()));
  try {
    return await new Promise((resolve) => {
      const socket = tls.connect({ port: server.port, host: '127.0.0.1', servername, ca: read('ca.pem') }, () => {
        socket.destroy();
        resolve('trusted');
      });
      socket.on('error', ({ message }) => resolve(message));
    });
  } finally {
    server.close();
  }
}
