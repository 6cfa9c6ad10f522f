// SPDX-License-Identifier: Apache-2.0
// What is said in passing: in the corner for those who look, in the live region for those who listen.
import { element } from './dom.js';
import { plain } from './names.js';
import { label_of } from './states.js';
import { on } from './store.js';

const shown_for = 6000;
const gathered_for = 1000;
let waiting = [];

export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

/** A short sentence about what has just been done. */
export function notice(text) {
  const node = element('p', { class: 'notice' }, text);
  document.getElementById('notices').append(node);
  setTimeout(() => node.remove(), shown_for);
  announce(text);
}

function sentence({ subject, data }) {
  const why = data.reason ? `: ${plain(data.reason)}` : '';
  return `${plain(subject)} was ${label_of(data.previous_state)}, is ${label_of(data.state)}${why}.`;
}

/** Transitions that come together are told together: nobody can listen to a hundred sentences. */
export function announce_transitions() {
  on('transition', (event) => {
    waiting.push(event);
    if (waiting.length > 1) return;
    setTimeout(() => {
      announce(waiting.length <= 3 ? waiting.map(sentence).join(' ') : `${waiting.length} circuits have changed their state.`);
      waiting = [];
    }, gathered_for);
  });
}
