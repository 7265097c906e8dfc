// A card's holder confirms a payment of Clip's API, as a shop's page has it done: in a frame, whose
// page says by a message that it has ended, or by going there; and pays a payment link. A headless
// Chromium on the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person, or a shop's script, would see.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { chromium } from 'playwright-core';

const KEY = 'c11b0000-0000-4000-8000-000000000001';
const SECRET = '5ec2e700-0000-4000-8000-000000000001';
const APPROVES = '5177136199824515';
const STEP_MS = 30000;

let server;
let base;
let shop;
let shopUrl;
let browser;
let page;
let faults;

before(async () => {
  const { COBRO_BIN: binary, COBRO_CHROMIUM: executablePath } = process.env;
  assert.ok(binary && executablePath, 'COBRO_BIN and COBRO_CHROMIUM must be set');
  server = spawn(binary, ['serve', '--port', '0', '--ephemeral'], { stdio: ['ignore', 'pipe', 'inherit'] });
  base = await address(server);
  shop = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    const framed = new URL(request.url, 'http://shop').searchParams.get('frame');
    const frame = framed ? `<iframe id="modal" src="${framed}" width="400" height="700"></iframe>` : '';
    response.end(`<!doctype html><title>shop</title><link rel="icon" href="data:,"><h1>${request.url}</h1>
      <p id="told"></p><script>
        addEventListener('message', (event) => { document.getElementById('told').textContent = event.data.paymentId; });
      </script>${frame}`);
  });
  shop.listen(0, '127.0.0.1');
  await once(shop, 'listening');
  // Another site than that of the page: a frame of one site in another is what shops have.
  shopUrl = `http://localhost:${shop.address().port}`;
  browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
});

after(async () => {
  await browser?.close();
  shop?.close();
  if (server && server.exitCode === null) {
    server.kill();
    await once(server, 'exit');
  }
});

beforeEach(async () => {
  faults = [];
  page = await browser.newPage();
  page.setDefaultTimeout(STEP_MS);
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
});

afterEach(async () => {
  await page.close();
  // a policy that blocks something, a script that fails, a file that is missing: all are faults
  assert.deepEqual(faults, []);
});

/** The address that the program prints; its later lines are let go. */
async function address(child) {
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
      if (match) resolve(match[0]);
    });
    child.once('exit', (code) => reject(new Error(`cobro ended with ${code} before it listened`)));
  });
}

async function api(method, path, body) {
  const authorization = `Basic ${Buffer.from(`${KEY}:${SECRET}`).toString('base64')}`;
  const answer = await fetch(base + path, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/** A payment that waits for its holder. */
async function waiting() {
  const token = await api('POST', '/card_tokens', {
    cardholder_name: 'Ana Lopez', card_number: APPROVES, card_exp_month: '12', card_exp_year: '35', cvv: '123',
  });
  const payment = await api('POST', '/payments', {
    amount: 245.5,
    currency: 'MXN',
    description: 'Orden 7',
    payment_method: { token: token.id },
    customer: { email: 'ana@example.com', phone: '5512345678' },
    prevention_data: { request_3ds: true },
    return_url: `${shopUrl}/gracias`,
  });
  assert.equal(payment.status_detail.code, 'PE-3DS01');
  return payment;
}

const status = async (payment) => (await api('GET', `/payments/${payment.id}`)).status_detail.code;

test('in a frame of another site, which is told', async () => {
  const payment = await waiting();
  await page.goto(`${shopUrl}/pay?frame=${encodeURIComponent(payment.pending_action.url)}`);
  const modal = page.frameLocator('#modal');
  await modal.getByText('4515').first().waitFor();
  // Nothing typed: the page says so, and nobody is told.
  await modal.getByRole('button', { name: 'Confirmar' }).click();
  await modal.locator('#otp[aria-invalid="true"]').waitFor();
  assert.equal(await page.locator('#told').textContent(), '');
  await modal.locator('#otp').fill('12345');
  await modal.getByRole('button', { name: 'Confirmar' }).click();
  await page.locator('#told').getByText(payment.id).waitFor();
  assert.equal(await status(payment), 'AP-PAI01');
  // The frame shows the result and has gone nowhere else.
  await modal.locator('.result').waitFor();
  faults = faults.filter((fault) => !fault.includes('422'));
});

test('by itself, and back to the shop', async () => {
  for (const [code, expected] of [['12345', 'AP-PAI01'], ['99999', 'RE-3DS01']]) {
    const payment = await waiting();
    await page.goto(payment.pending_action.url);
    await page.locator('#otp').fill(code);
    await page.getByRole('button', { name: 'Confirmar' }).click();
    await page.waitForURL(`${shopUrl}/gracias`);
    assert.equal(await status(payment), expected);
  }
});

test('a payment link, card and all', async () => {
  const link = await api('POST', '/v2/checkout', {
    amount: 300,
    currency: 'MXN',
    purchase_description: 'Orden 1042',
    redirection_url: { default: `${shopUrl}/gracias` },
    metadata: { me_reference_id: 'WC1042', customer_info: { name: 'Ana Lopez', email: 'ana@example.com' } },
  });
  await page.goto(link.payment_request_url);
  await page.getByText('Orden 1042').first().waitFor();
  await page.locator('#cards').getByRole('button').first().click();
  await page.locator('#form .primary').click();
  await page.locator('.result').waitFor();
  const paid = await api('GET', `/v2/checkout/${link.payment_request_id}`);
  assert.equal(paid.status, 'CHECKOUT_COMPLETED');
  // The page names the receipt as the shop knows it.
  await page.getByText(paid.receipt_no).waitFor();
});
