// SPDX-License-Identifier: Apache-2.0
import { element } from './dom.js';
import { open_dialog } from './dialog.js';
import { about_state, badge, states } from './states.js';

const place = 'switchgear.keys';

const keys = [
  ['/', 'search'], ['j  k  ↓  ↑', 'next and previous circuit'], ['Home  End', 'first and last circuit'],
  ['Enter', 'open the circuit'], ['Escape', 'close, clear the search, or go back'],
  ['o', 'all circuits'], ['a', 'audit log'], ['?', 'this help'],
];

/** Whether single keys do anything: speech input may need them to be off. */
export function keys_are_on() {
  return localStorage.getItem(place) !== 'off';
}

export function open_help() {
  const { body } = open_dialog('Help', { id: 'help_dialog' });
  const box = element('input', { type: 'checkbox', id: 'keys_on', checked: keys_are_on(),
    onchange: () => localStorage.setItem(place, box.checked ? 'on' : 'off') });
  body.append(
    element('h3', {}, 'States'),
    element('dl', { class: 'pairs' }, states.flatMap((state) => [
      element('dt', {}, badge(state)), element('dd', {}, about_state(state))])),
    element('h3', {}, 'Figures'),
    element('p', {}, 'Rates are those of the last ten seconds. – stands for what is not counted. A failure rate above 50% is '
      + 'marked with ▲, whatever the state.'),
    element('h3', {}, 'Keys'),
    element('dl', { class: 'pairs' }, keys.flatMap(([key, what]) => [
      element('dt', {}, key.split('  ').map((k) => element('kbd', {}, k))), element('dd', {}, what)])),
    element('p', {}, box, ' ', element('label', { for: 'keys_on' }, 'Single-key shortcuts')));
}
