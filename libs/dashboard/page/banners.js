// SPDX-License-Identifier: Apache-2.0
// What matters before anything else: old data, many open circuits, problems of the source; title and icon tell of it too.
import { every_second } from './clock.js';
import { open_rows, sorted, worst_of } from './columns.js';
import { element, set_attribute, set_text } from './dom.js';
import { silence } from './feed.js';
import { counted, duration } from './format.js';
import { link_of, name_of, plain } from './names.js';
import { choose_states } from './overview.js';
import { on, store } from './store.js';

const many = 3;  // more open circuits than this get a banner
const named = 3;

function open_banner() {
  const open = sorted(open_rows(store.circuits.values()), { column: 'state', down: false });
  const names = open.slice(0, named).flatMap(
    (row, i) => [i === 0 ? '' : ', ', element('a', { href: link_of(row) }, name_of(row.name))]);
  const show = element('a', { class: 'button', href: '#/', onclick: () => choose_states(['open', 'forced_open']) }, 'Show them');
  return [element('p', {}, element('strong', {}, `${counted(open.length, 'circuit')} are open: `), names,
    open.length > named ? ` and ${open.length - named} more.` : '.'), show];
}

export function show_banners() {
  const stale_text = element('p');
  const stale = element('div', { class: 'banner stale', id: 'stale', role: 'alert', hidden: true }, stale_text);
  const open = element('div', { class: 'banner open', id: 'many_open', role: 'region', 'aria-label': 'Many open circuits',
    hidden: true });
  const problems = element('ul', { class: 'banner problems', id: 'problems', 'aria-label': 'Problems', hidden: true });
  document.getElementById('banners').append(stale, open, problems);
  let told = '';

  const update_stale = () => {
    stale.hidden = !store.stale;
    document.body.classList.toggle('is_stale', store.stale);
    if (store.stale) {
      set_text(stale_text, `No news from the server: what you see is ${duration(silence())} old. Connecting again…`);
    }
    update_connection();
  };
  const update = () => {
    const amount = store.summary.open + store.summary.forced_open;
    open.hidden = amount <= many;
    const rows = open.hidden ? [] : open_rows(store.circuits.values());
    const now = rows.map((row) => `${row.state} ${row.name}`).sort().join('\n');
    if (now !== told && !open.hidden) open.replaceChildren(...open_banner());
    told = now;
    problems.hidden = store.problems.length === 0;
    problems.replaceChildren(...store.problems.map((text) => element('li', {}, plain(text))));
    update_title();
  };
  on('circuits', update);
  on('stale', () => {
    update_stale();
    update_title();
  });
  on('session', update_title);
  every_second(update_stale);
}

function update_connection() {
  const node = document.getElementById('connection');
  const waits = store.session?.reading_needs_token && !store.session.token_ok;
  const state = waits ? 'locked' : !store.loaded ? 'connecting' : store.stale ? 'stale' : 'live';
  set_attribute(node, 'data-state', state);
  set_text(node, { locked: 'token needed', connecting: 'connecting…', stale: 'reconnecting…', live: 'live' }[state]);
}

function update_title() {
  const title = store.session?.title ?? 'switchgear';
  const open = store.summary.open + store.summary.forced_open;
  const before = store.stale ? '(stale) ' : open > 0 ? `(${open} open) ` : '';
  document.title = before + plain(title);
  const heading = document.getElementById('heading');
  if (heading.textContent !== plain(title)) heading.replaceChildren(name_of(title));
  const icon = store.stale ? 'stale' : worst_of(store.summary);
  set_attribute(document.getElementById('icon'), 'href', `/assets/icon_${icon}.svg`);
  update_connection();
}
