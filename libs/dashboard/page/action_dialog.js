// SPDX-License-Identifier: Apache-2.0
// What operators can do to a circuit, and the dialog in which they say who they are and why.
import { act } from './api.js';
import { element, set_text } from './dom.js';
import { error_line, field, open_dialog } from './dialog.js';
import { name_of } from './names.js';
import { notice } from './notices.js';
import { ask_for_token } from './token_dialog.js';

const owner_place = 'switchgear.owner';

// `when`: the states in which there is anything to do.
const any = ['closed', 'half_open', 'open', 'forced_open', 'disabled'];

export const actions = [
  { id: 'trip', label: 'Trip', when: ['closed', 'half_open'],
    what: 'Opens the circuit as if it had failed: calls are rejected until its open duration has passed, then probes decide.' },
  { id: 'force-open', label: 'Force open', override: true, danger: true, when: any,
    what: 'Rejects every call, whatever time passes, until somebody releases the circuit or the override ends by itself.' },
  { id: 'disable', label: 'Disable', override: true, danger: true, when: any,
    what: 'Lets every call through without judging it, also when the dependency is down, until the circuit is released or the '
      + 'override ends by itself.' },
  { id: 'release', label: 'Release', when: ['forced_open', 'disabled'],
    what: 'Ends the override: the circuit is closed and judges calls again.' },
  { id: 'reset', label: 'Reset', when: any,
    what: 'Closes the circuit at once, with empty windows and without any override. Lifetime counters stay.' },
];

const periods = [['5m', '5 minutes'], ['15m', '15 minutes'], ['1h', '1 hour'], ['8h', '8 hours'], ['24h', '1 day'],
  ['', 'until somebody releases it'], ['other', 'another time…']];

function period_fields() {
  const choice = element('select', {}, periods.map(
    ([value, label]) => element('option', { value, selected: value === '1h' }, label)));
  const text = element('input', { type: 'text', placeholder: '90m', autocomplete: 'off', maxlength: '20' });
  const other = field('Time', text, 'A number and a unit: 45s, 90m, 36h; at most 720h.');
  other.hidden = true;
  choice.addEventListener('change', () => {
    other.hidden = choice.value !== 'other';
    text.required = !other.hidden;
    if (!other.hidden) text.focus();
  });
  const value = () => (choice.value === 'other' ? text.value.trim() : choice.value || null);
  return { nodes: [field('Ends by itself after', choice), other], value };
}

/** Asks who, why and how long, then does it. `done` is called with the circuit as it is afterwards. */
export function open_action(action, circuit, done) {
  const { body, close } = open_dialog(`${action.label}?`, { id: 'action_dialog' });
  const owner = element('input', { type: 'text', required: true, maxlength: '100', autocomplete: 'off',
    value: localStorage.getItem(owner_place) ?? '' });
  const reason = element('input', { type: 'text', required: true, maxlength: '500', autocomplete: 'off' });
  const period = action.override ? period_fields() : null;
  const error = error_line();
  const submit = element('button', { type: 'submit', class: action.danger ? 'button danger' : 'button strong' }, action.label);

  async function send() {
    set_text(error, '');
    submit.disabled = true;
    try {
      const what = { owner: owner.value.trim(), reason: reason.value.trim(), ttl: period?.value() ?? null };
      localStorage.setItem(owner_place, what.owner);
      const answer = await act(circuit.name, circuit.instance, action.id, what);
      close();
      notice(`${action.label}: ${answer.message || (answer.outcome === 'done' ? 'done.' : 'there was nothing to do.')}`);
      done(answer.circuit);
    } catch (failed) {
      set_text(error, failed.message);
      if (failed.code === 'token_missing' || failed.code === 'token_wrong') ask_for_token(failed.message);
    } finally {
      submit.disabled = false;
    }
  }

  body.append(
    element('p', { class: 'subject' }, name_of(circuit.name)),
    element('p', {}, action.what),
    element('form', { onsubmit: (event) => {
      event.preventDefault();
      send();
    } },
    field('Who you are', owner, 'Stands beside the circuit and in the audit log. Remembered in this browser.'),
    field('Why', reason),
    ...(period?.nodes ?? []),
    error,
    element('div', { class: 'buttons' },
      element('button', { type: 'button', class: 'button', onclick: close }, 'Cancel'), submit)));
  (owner.value === '' ? owner : reason).focus();
}
