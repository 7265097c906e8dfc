// A point of sale as somebody writes it: the official SDK, no host, no proxy, no certificate.
// What it did is its one line of output.
import { MercadoPagoConfig, Payment, PaymentRefund, Point } from 'mercadopago';

const seller = JSON.parse(process.env.COBRO_WORLD_JSON).mercado_pago.sellers.find(({ site }) => site === 'MLA');
const [device] = seller.terminals;
const config = new MercadoPagoConfig({ accessToken: seller.access_token });

const press = (key) =>
  fetch(`${process.env.COBRO_CONTROL_URL}/terminals/${device}/${key}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}',
  }).then((answer) => answer.json());

const intent = await new Point(config).createPaymentIntent({ device_id: device, request: { amount: 1500 } });
await press('fetch');
const { payment: { id } } = await press('card');
const payment = await new Payment(config).get({ id });
const refund = await new PaymentRefund(config).create({ payment_id: id });

const stranger = new MercadoPagoConfig({ accessToken: 'TEST-nobody' });
const wrong = await new Payment(stranger).get({ id }).then(() => 200, (error) => error.status);

console.log(JSON.stringify({ intent: intent.id, status: payment.status, amount: payment.transaction_amount, refund: refund.status, wrong }));
