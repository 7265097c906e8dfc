// Texts and facts that the page carries, and a few words for its elements.

const carried = (id) => JSON.parse(document.getElementById(id)?.textContent ?? '{}');

const texts = carried('texts');

/** The table of brands, the numbers that are no Luhn numbers, whether the page waits. */
export const facts = { brands: [], exceptions: [], waiting: false, message: null, ...carried('facts') };

/** A text with its variables filled in. */
export const t = (key, values = {}) =>
  (texts[key] ?? key).replace(/\{\$([^}]*)\}/g, (whole, name) => values[name] ?? whole);

/** Marks a text's key where it is not used at once. */
export const key = (name) => name;

/** The element with this id, or null. */
export const byId = (id) => document.getElementById(id);

/** An element with a class, text and children. */
export function element(tag, { className, text, ...rest } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), rest);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}
