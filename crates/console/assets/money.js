// Amounts and times as the country of a currency writes them.

const PLACES = {
  ARS: { locale: 'es-AR', zone: 'America/Argentina/Buenos_Aires' },
  BRL: { locale: 'pt-BR', zone: 'America/Sao_Paulo' },
  MXN: { locale: 'es-MX', zone: 'America/Mexico_City' },
  COP: { locale: 'es-CO', zone: 'America/Bogota' },
  CLP: { locale: 'es-CL', zone: 'America/Santiago' },
  USD: { locale: 'en-US', zone: 'UTC' },
};

const place = (currency) => PLACES[currency] ?? { locale: undefined, zone: undefined };

/** How many decimals a currency has, where nobody says. */
export function exponentOf(currency) {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
  } catch {
    return 2;
  }
}

/** Minor units as a decimal number in text: exact, whatever their size. */
export function decimal(minor, exponent) {
  const digits = String(minor).replace('-', '').padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const text = exponent > 0 ? `${whole}.${digits.slice(-exponent)}` : whole;
  return String(minor).startsWith('-') ? `-${text}` : text;
}

function format(currency, exponent, display) {
  return new Intl.NumberFormat(place(currency).locale, {
    style: 'currency',
    currency,
    currencyDisplay: display,
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  });
}

/** An amount with the country's sign, as `$ 15,00`. */
export function money(minor, currency, exponent = exponentOf(currency)) {
  return format(currency, exponent, 'narrowSymbol').format(decimal(minor, exponent));
}

/** An amount with the currency's code, where several currencies stand together. */
export function moneyWithCode(minor, currency, exponent = exponentOf(currency)) {
  return format(currency, exponent, 'code').format(decimal(minor, exponent));
}

/** The pieces of an amount: sign, whole part, decimals with their separator. */
export function moneyParts(minor, currency, exponent = exponentOf(currency)) {
  const pieces = { sign: '', whole: '', decimals: '' };
  for (const { type, value } of format(currency, exponent, 'narrowSymbol').formatToParts(decimal(minor, exponent))) {
    if (type === 'currency') pieces.sign = value;
    else if (type === 'decimal' || type === 'fraction') pieces.decimals += value;
    else if (type !== 'literal') pieces.whole += value;
  }
  return pieces;
}

/** What a person typed as minor units, `null` when it is no amount: `1.500,5`, `1500.50`, `15`. */
export function typed(text, exponent) {
  const match = /^(\d{1,3}(?:[.,  ]?\d{3})*|\d+)(?:[.,](\d{0,2}))?$/.exec(text.trim());
  if (!match || (match[2] ?? '').length > exponent) return null;
  return Number(match[1].replace(/\D/g, '') + (match[2] ?? '').padEnd(exponent, '0'));
}

/** The time of day at the place of a currency. */
export const timeAt = (date, currency) =>
  new Intl.DateTimeFormat(place(currency).locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: place(currency).zone }).format(date);

/** Day and time at the place of a currency, as receipts have it. */
export const stampAt = (date, currency) =>
  new Intl.DateTimeFormat(place(currency).locale, {
    day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZone: place(currency).zone,
  }).format(date);
