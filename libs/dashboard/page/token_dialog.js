// SPDX-License-Identifier: Apache-2.0
import { element, set_text } from './dom.js';
import { error_line, field, open_dialog } from './dialog.js';
import { refresh_session } from './feed.js';
import { notice } from './notices.js';
import { store } from './store.js';
import { can_be_token, set_token, token } from './token.js';

let opened = null;

/** Asks for the token, and whether the server knows it. */
export function ask_for_token(why = '') {
  if (opened !== null) return;
  const { node, body, close } = open_dialog('Token', { id: 'token_dialog' });
  opened = node;
  node.addEventListener('close', () => {
    opened = null;
  });
  const input = element('input', { type: 'password', autocomplete: 'off', required: true, maxlength: '256', value: token() });
  const error = error_line();
  const forget = element('button', { type: 'button', class: 'button', onclick: () => {
    set_token('');
    close();
    notice('The token is forgotten.');
  } }, 'Forget it');
  const form = element('form', { onsubmit: (event) => {
    event.preventDefault();
    try_token(input.value.trim(), error, close);
  } },
  why === '' ? null : element('p', {}, why),
  field('Token', input, 'It was given to the dashboard when it was made. Kept in this tab alone, until the tab is closed.'),
  error,
  element('div', { class: 'buttons' }, token() === '' ? null : forget,
    element('button', { type: 'submit', class: 'button strong' }, 'Use it')));
  body.append(form);
  input.focus();
}

async function try_token(text, error, close) {
  if (!can_be_token(text)) {
    set_text(error, 'A token has no blanks and no other characters than those of ASCII.');
    return;
  }
  const before = token();
  set_token(text);
  try {
    await refresh_session();
    if (store.session.token_ok) {
      close();
      notice(store.session.can_act ? 'The token is right: you can act.' : 'The token is right, and the dashboard is read-only.');
      return;
    }
    set_token(before);
    set_text(error, 'The server does not know this token.');
  } catch (failed) {
    set_token(before);
    set_text(error, failed.message);
  }
  refresh_session().catch(() => {});
}

/** Whether an action is possible now; if not, why. `token` when the token would help. */
export function obstacle(circuit) {
  const session = store.session;
  if (session === null) return { why: 'The server has not answered yet.' };
  if (session.read_only) return { why: 'This dashboard is read-only: nobody can act here.' };
  if (session.actions !== 'on') return { why: 'This dashboard has no token, so nobody can act here.' };
  if (circuit !== null && circuit.not_operable !== '') return { why: circuit.not_operable };
  if (!session.token_ok) return { why: 'To act you need the token of this dashboard.', token: true };
  if (!session.can_act) return { why: 'The server does not let this page act.' };
  return null;
}
