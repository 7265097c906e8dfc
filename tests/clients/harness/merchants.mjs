// The demo world's merchants, as each provider's API knows them.

import { createHash, randomBytes } from 'node:crypto';

/** Mercado Pago: a seller of each site, with its terminal. */
export const SELLERS = {
  MLA: { id: '100000001', device: 'PAX_A910__SBX0000001', token: `TEST-1000000000000001-112000-${'a'.repeat(32)}-100000001` },
  MLB: { id: '100000002', device: 'GERTEC_MP35P__SBX0000002', token: `TEST-1000000000000001-112000-${'b'.repeat(32)}-100000002` },
  MLM: { id: '100000003', device: 'NEWLAND_N950__SBX0000003', token: `TEST-1000000000000001-112000-${'c'.repeat(32)}-100000003` },
};

export const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** Clip: the merchant's pair of key and secret, as its APIs take it. */
export const CLIP = clipPair('c11b0000-0000-4000-8000-000000000001', '5ec2e700-0000-4000-8000-000000000001');

export function clipPair(key, secret) {
  return `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`;
}

/** Placetopay: the site in Colombia, and the one in Chile. */
export const COLOMBIA = 'c0b70000000000000000000000000001';
export const CHILE = 'c0b70000000000000000000000000002';

/** A fresh authentication of the site in Colombia, as the provider's libraries reckon it. */
export function checkoutAuth() {
  const nonce = randomBytes(16);
  const seed = new Date().toISOString();
  const tranKey = createHash('sha256').update(nonce).update(seed).update('llave-secreta-01').digest('base64');
  return { login: COLOMBIA, tranKey, nonce: nonce.toString('base64'), seed };
}
