// A card's holder confirms a payment of Clip's API, as a shop's page has it done: in a frame, whose
// page says by a message that it has ended, or by going there; and pays a payment link. A headless
// Chromium on the real binary.
//
//   COBRO_BIN       the program, `cobro`
//   COBRO_CHROMIUM  a Chromium
//
// Nothing here waits for a time: each step waits for what a person, or a shop's script, would see.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { visitors } from './harness/browser.mjs';
import { openShop } from './harness/listeners.mjs';
import { CLIP } from './harness/merchants.mjs';
import { sharedServer } from './harness/server.mjs';

const APPROVES = '5177136199824515';

const server = sharedServer();
const { open, forgive } = visitors(server, {}, { neighbours: () => [shopUrl, 'data:'] });
let shop;
let shopUrl;
let page;

before(async () => {
  shop = await openShop((address) => {
    const framed = new URL(address, 'http://shop').searchParams.get('frame');
    const frame = framed ? `<iframe id="modal" src="${framed}" width="400" height="700"></iframe>` : '';
    return `<p id="told"></p><script>
        addEventListener('message', (event) => { document.getElementById('told').textContent = event.data.paymentId; });
      </script>${frame}`;
  });
  // Another site than that of the page: a frame of one site in another is what shops have.
  shopUrl = `http://localhost:${shop.port}`;
});

after(() => shop?.close());

beforeEach(async () => {
  page = await open();
});

const api = (method, path, body) => server.call(method, path, body, { authorization: CLIP });

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
  forgive('422');
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
