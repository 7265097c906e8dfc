// What can be told of a card while its number is being typed.

import { facts, key } from './dom.js';

/** The digits of what was typed. */
export const digits = (text) => text.replace(/\D/g, '');

/** The brand that numbers with this beginning belong to, or undefined. */
export function brandOf(number) {
  const starts = ([from, to]) => {
    const start = number.slice(0, from.length);
    return start.length === from.length && start >= from && start <= to;
  };
  return facts.brands.find((brand) => brand.prefixes.some(starts));
}

/** A number with its digits parted as on the card. */
export function grouped(number, brand = brandOf(number)) {
  const parts = [];
  let rest = number;
  for (const length of brand?.groups ?? [4, 4, 4, 4, 3]) {
    if (rest === '') break;
    parts.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  if (rest !== '') parts.push(rest);
  return parts.join(' ');
}

/** Month and year with a slash between them; `3` becomes `03`, since no month begins with it. */
export function expiry(text, deleting) {
  let all = digits(text).slice(0, 6);
  if (/^[2-9]/.test(all)) all = `0${all}`;
  if (/^\d\s*[/-]/.test(text)) all = `0${digits(text)}`;
  if (all.length < 2 || (all.length === 2 && deleting)) return all;
  const year = all.length === 6 ? all.slice(4) : all.slice(2, 4);
  return `${all.slice(0, 2)}/${year}`;
}

/** Whether a number passes the Luhn test. */
export function luhn(number) {
  const sum = [...number].reverse().reduce((total, one, place) => {
    const digit = Number(one) * (place % 2 === 1 ? 2 : 1);
    return total + (digit > 9 ? digit - 9 : digit);
  }, 0);
  return number.length > 1 && sum % 10 === 0;
}

/** What is wrong with a number: a text's key, or nothing. Published test numbers come first. */
export function numberFault(text) {
  const number = digits(text);
  if (number === '') return key('fault-number-missing');
  if (facts.exceptions.includes(number)) return undefined;
  return number.length >= 12 && number.length <= 19 && luhn(number) ? undefined : key('fault-number');
}

/** What is wrong with an expiry, at this moment of the world's clock. */
export function expiryFault(text, now) {
  if (text.trim() === '') return key('fault-expiration-missing');
  const match = /^(\d{2})\/(\d{2})$/.exec(text.trim());
  const month = Number(match?.[1]);
  if (!match || month < 1 || month > 12) return key('fault-expiration');
  const year = 2000 + Number(match[2]);
  const past = year * 12 + month < now.getUTCFullYear() * 12 + now.getUTCMonth() + 1;
  return past ? key('fault-expiration-past') : undefined;
}

/** What is wrong with a security code. */
export function codeFault(text, brand) {
  if (text === '') return key('fault-cvv-missing');
  const fits = brand ? text.length === brand.code : text.length === 3 || text.length === 4;
  return fits && /^\d+$/.test(text) ? undefined : key('fault-cvv');
}
