// What every page of the documentation does: search its list, copy, follow the reader.

const COPIED_MS = 1600;
const texts = JSON.parse(document.getElementById('texts').textContent);

/** A text of the frame, its variables (`{$name}`) filled. */
export const t = (key, values = {}) => (texts[key] ?? key).replace(/\{\$(\w+)\}/g, (whole, name) => values[name] ?? whole);

const side = document.querySelector('.side');
const search = document.getElementById('search');
const rows = [...document.querySelectorAll('[data-words]')];
const groups = [...document.querySelectorAll('[data-group]')];
const wide = matchMedia('(min-width: 900px)');

const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

function find() {
  const wanted = words(search.value);
  for (const row of rows) row.hidden = !wanted.every((word) => row.dataset.words.includes(word));
  for (const group of groups) {
    const found = group.querySelector('[data-words]:not([hidden])');
    group.hidden = !found;
    if (group.tagName !== 'DETAILS') continue;
    group.dataset.before ??= String(group.open);
    group.open = wanted.length > 0 ? Boolean(found) : group.dataset.before === 'true';
    if (!wanted.length) delete group.dataset.before;
    for (const tag of group.querySelectorAll('[data-tag]')) {
      let next = tag.nextElementSibling;
      while (next && next.hidden) next = next.nextElementSibling;
      tag.hidden = !next || 'tag' in next.dataset;
    }
  }
  document.getElementById('none').hidden = rows.some((row) => !row.hidden);
}

if (search && rows.length) {
  search.closest('.search').hidden = false;
  search.addEventListener('input', find);
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      search.value = '';
      find();
    }
    if (event.key === 'Enter' || event.key === 'ArrowDown') {
      const link = document.querySelector('.side [data-words]:not([hidden]) a');
      if (!link) return;
      event.preventDefault();
      if (event.key === 'Enter') link.click();
      else link.focus();
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input, textarea, select')) return;
    event.preventDefault();
    side.open = true;
    search.focus();
    search.select();
  });
}

/** On a narrow screen the list lies over the page: closed until it is wanted, and after a choice. */
function fold() {
  if (side && !side.hidden) side.open = wide.matches;
}
fold();
wide.addEventListener('change', fold);
side?.addEventListener('click', (event) => {
  if (!wide.matches && event.target.closest('a')) side.open = false;
});

for (const button of document.querySelectorAll('.copy')) button.hidden = false;
document.addEventListener('click', async (event) => {
  const button = event.target.closest('button.copy');
  if (!button) return;
  const source = document.getElementById(button.dataset.copyFrom);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // no permission, or an origin that is not secure: leave the text selected instead
    getSelection().selectAllChildren(source);
    return;
  }
  button.textContent = t('copied');
  setTimeout(() => { button.textContent = t('copy'); }, COPIED_MS);
});

/** Marks the call that is being read. */
const calls = [...document.querySelectorAll('section.call')];
if (calls.length) {
  const seen = new Set();
  let marked = null;
  const mark = () => {
    const first = calls.find((call) => seen.has(call));
    const link = first && document.querySelector(`.side a[href="#${CSS.escape(first.id)}"]`);
    if (!link || link === marked) return;
    marked?.removeAttribute('aria-current');
    link.setAttribute('aria-current', 'true');
    marked = link;
    const { top, bottom } = link.getBoundingClientRect();
    const frame = side.getBoundingClientRect();
    if (wide.matches && (top < frame.top || bottom > frame.bottom)) side.scrollTop += top - frame.top - frame.height / 2;
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) seen.add(target);
      else seen.delete(target);
    }
    mark();
  }, { rootMargin: '-80px 0px -55% 0px' });
  for (const call of calls) watcher.observe(call);
}
