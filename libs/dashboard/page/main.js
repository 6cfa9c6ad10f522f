// SPDX-License-Identifier: Apache-2.0
// Puts the parts of the page together: the views by their address, the tools of the head, and the feed.
import { audit_view } from './audit.js';
import { show_banners } from './banners.js';
import { detail } from './detail.js';
import { element, set_attribute } from './dom.js';
import { follow } from './feed.js';
import { open_help } from './help.js';
import { listen_to_keys } from './keyboard.js';
import { key_of } from './names.js';
import { announce_transitions } from './notices.js';
import { overview } from './overview.js';
import { on, store } from './store.js';
import { is_dark, on_theme_change, turn_theme } from './theme.js';
import { take_token_from_address } from './token.js';
import { ask_for_token } from './token_dialog.js';

let view = null;
let scrolled = 0;  // how far the overview was scrolled

/** What the address asks for. */
function asked_for() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  if (path === 'audit') return { kind: 'audit' };
  if (!path.startsWith('circuit/')) return { kind: 'overview' };
  try {
    const name = decodeURIComponent(path.slice('circuit/'.length));
    return { kind: 'detail', name, instance: new URLSearchParams(query).get('instance') ?? '' };
  } catch {
    return { kind: 'overview' };  // an address that was cut off
  }
}

function show() {
  const first = view === null;
  const asked = asked_for();
  if (view instanceof overview) scrolled = scrollY;
  if (view instanceof detail) overview.remember(key_of(view));
  view?.left();
  view = asked.kind === 'audit' ? new audit_view() : asked.kind === 'detail' ? new detail(asked) : new overview();
  document.getElementById('main').replaceChildren(view.node);
  for (const link of document.querySelectorAll('#tools a')) {
    set_attribute(link, 'aria-current', link.dataset.view === asked.kind ? 'page' : null);
  }
  if (view instanceof overview && !first) scrollTo(0, scrolled);
  view.shown();
  if (!(view instanceof overview)) {
    scrollTo(0, 0);
    if (!first) view.node.querySelector('h2').focus({ preventScroll: true });
  }
}

function add_tools() {
  const theme = element('button', { type: 'button', class: 'tool', onclick: turn_theme });
  const say = () => {
    theme.textContent = is_dark() ? 'Light' : 'Dark';
    set_attribute(theme, 'aria-label', is_dark() ? 'Light colours' : 'Dark colours');
  };
  say();
  on_theme_change(say);
  const token = element('button', { type: 'button', class: 'tool', id: 'token_button', onclick: () => ask_for_token() }, 'Token');
  const update = () => {
    const { actions, reading_needs_token: needed, token_ok: known } = store.session;
    token.hidden = actions !== 'on' && !needed;
    token.textContent = known ? 'Token ✓' : 'Token';
    set_attribute(token, 'aria-label', known ? 'Token: known to the server' : 'Token: enter it to act');
    if (needed && !known && !asked_already) ask_for_token('This dashboard shows its circuits to those alone who know its token.');
    asked_already = needed && !known;
  };
  let asked_already = false;
  token.hidden = true;
  on('session', update);
  document.getElementById('tools').append(token, theme,
    element('button', { type: 'button', class: 'tool', 'aria-label': 'Help', onclick: open_help }, '?'));
}

document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault();  // the address is the view's
  document.getElementById('main').focus();
});
take_token_from_address();
add_tools();
show_banners();
announce_transitions();
listen_to_keys();
addEventListener('hashchange', () => {
  take_token_from_address();
  show();
});
show();
follow();
