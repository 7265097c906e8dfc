// A bar for each day: a drawing without a library, each bar a link that can be reached by keyboard.

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 220;
const TOP = 12;
const FOOT = 26;
const LEFT = 74;
const GAP = 0.28;
const BAR_MAX = 46;
const LINES = 4;

function shape(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** A round step such that `LINES` of them hold the range. */
function step(range) {
  const rough = Math.max(range, 1) / LINES;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
}

/**
 * Draws bars into `frame`: each `{ value, label, words, href, tone }`, the oldest first. `short`
 * writes a value beside the scale. Drawn anew for the width that the frame has.
 */
export function bars(frame, list, short) {
  const width = Math.max(frame.clientWidth, 280);
  const low = Math.min(0, ...list.map((one) => one.value));
  const high = Math.max(0, ...list.map((one) => one.value));
  const by = step(high - low);
  const [bottom, top] = [Math.floor(low / by) * by, Math.max(Math.ceil(high / by) * by, by)];
  const y = (value) => TOP + (HEIGHT - TOP - FOOT) * (1 - (value - bottom) / (top - bottom));
  const svg = shape('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, class: 'bars', role: 'group' });
  for (let value = bottom; value <= top; value += by) {
    const at = y(value);
    svg.append(shape('line', { x1: LEFT, x2: width, y1: at, y2: at, class: value === 0 ? 'axis' : 'grid' }));
    svg.append(shape('text', { x: LEFT - 10, y: at + 4, class: 'scale' }, short(value)));
  }
  const place = (width - LEFT) / Math.max(list.length, 1);
  const wide = Math.min(place * (1 - GAP), BAR_MAX);
  const every = Math.ceil(48 / place);
  list.forEach((one, index) => {
    const middle = LEFT + place * (index + 0.5);
    const [from, to] = [y(Math.max(one.value, 0)), y(Math.min(one.value, 0))];
    const link = shape('a', { href: one.href, class: `bar-link ${one.tone}`, 'aria-label': one.words },
      shape('title', {}, one.words),
      shape('rect', { x: middle - place / 2, y: TOP, width: place, height: HEIGHT - TOP - FOOT, class: 'reach' }),
      shape('rect', { x: middle - wide / 2, y: from, width: wide, height: Math.max(to - from, 1.5), rx: 3, class: 'bar-fill' }));
    svg.append(link);
    // labels that would touch each other are left out, counted from the newest
    if ((list.length - 1 - index) % every === 0) {
      svg.append(shape('text', { x: middle, y: HEIGHT - 7, class: 'tick' }, one.label));
    }
  });
  frame.replaceChildren(svg);
}
