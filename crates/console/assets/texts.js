// Texts by key, as the page carries them; the browser's own formats for everything else.

let texts;

function all() {
  texts ??= JSON.parse(document.getElementById('texts').textContent);
  return texts;
}

/** Marks a key that stands in a table, so that the test for missing texts finds it. */
export const key = (name) => name;

/** The text of a key, its variables (`{$name}`) filled from `values`. */
export function t(name, values = {}) {
  const pattern = all()[name] ?? name;
  return pattern.replace(/\{\$(\w+)\}/g, (whole, variable) => (variable in values ? String(values[variable]) : whole));
}

/** The language of the page. */
export const language = () => document.documentElement.lang;
