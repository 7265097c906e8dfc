// Who sits at the simulator: access token and device, kept for this tab alone.

import { call, exchange } from './api.js';
import { t } from './texts.js';

const STORE = 'cobro-point-simulator';
const MAIN = 'demo';
const PAGE = 50;
const DEVICES = '/point/integration-api/devices';

/** Why a token or a device was not taken, in words for the person. */
export class Refused extends Error {}

/** What this tab remembers: `{ token, device }`, or nothing. */
export function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE));
  } catch {
    return null;
  }
}

export const remember = ({ token, device }) => sessionStorage.setItem(STORE, JSON.stringify({ token, device }));
export const forget = () => sessionStorage.removeItem(STORE);

/** The sellers whose credentials the sandbox tells: of the world in the address, else of the demo. */
export async function offers() {
  const world = await call('GET', `worlds/${document.body.dataset.world}`);
  return world?.mercado_pago?.sellers ?? [];
}

/**
 * The world of a token. A token made for a world carries the world's tag at the beginning of its
 * random part, `TEST-<client>-<date>-<random>-<user>`; without one it belongs to the main world.
 */
async function worldOf(token, sellers) {
  if (sellers.some((one) => one.access_token === token)) return document.body.dataset.world;
  const tag = token.split('-')[3]?.slice(0, 8) ?? '';
  if (!/^[0-9a-f]{8}$/.test(tag)) return MAIN;
  try {
    return (await call('GET', `worlds/w_${tag}`)).id;
  } catch (error) {
    if (error.status === 404) return MAIN;
    throw error;
  }
}

// The devices of the seller: the first page, and further ones until the wanted device is among them.
async function devicesOf(token, wanted) {
  const devices = [];
  for (;;) {
    const { ok, json, said, response } = await exchange('GET', `${DEVICES}?limit=${PAGE}&offset=${devices.length}`, token);
    if (!ok) throw new Refused([401, 403].includes(response.status) ? t('access-bad-token') : said);
    devices.push(...json.devices);
    const found = !wanted || devices.some((one) => one.id === wanted);
    if (found || json.devices.length === 0 || devices.length >= json.paging.total) return devices;
  }
}

/**
 * Takes a token, and the device that is named or else the first one. Tells
 * `{ token, device, devices }`, and sets the page's world. Throws Refused.
 */
export async function enter({ token, device }, { sellers, strict }) {
  // what no header may carry is no token
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Refused(t('access-bad-token'));
  const world = await worldOf(token, sellers);
  const devices = await devicesOf(token, device);
  if (devices.length === 0) throw new Refused(t('access-no-devices'));
  const found = devices.find((one) => one.id === device) ?? (strict ? null : devices[0]);
  if (!found) throw new Refused(t('access-no-device', { device }));
  document.body.dataset.world = world;
  return { token, device: found.id, devices };
}
