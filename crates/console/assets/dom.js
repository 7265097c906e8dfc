// Small tools for building what a page shows.

const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes, properties of `on…` as listeners, and children (text or elements). */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (attribute.startsWith('on')) element.addEventListener(attribute.slice(2), value);
    else element.setAttribute(attribute, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** One of the icons of the layout. */
export function icon(name, className = 'icon') {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', className);
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A copy of what a template holds: its first element. */
export const cloned = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** The element under `root` that plays a role. */
export const role = (root, name) => root.querySelector(`[data-role="${name}"]`);

/** Whether the person asked for less movement. */
export const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
