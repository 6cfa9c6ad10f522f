// SPDX-License-Identifier: Apache-2.0
// In which states a circuit has been, as a strip over the last hour and as a list with reasons and numbers.
import { now } from './clock.js';
import { element } from './dom.js';
import { duration, moment } from './format.js';
import { name_of } from './names.js';
import { badge, label_of } from './states.js';
import { time_of } from './times.js';

const hour = 3_600_000;
const most = 100;

/** [{state, from, to}] of the last hour, oldest first; state null where the history does not say. */
export function pieces_of(history, state, at) {
  const pieces = [];
  let to = at;
  let known = state;
  for (let i = history.length - 1; i >= 0 && to > at - hour; --i) {
    const from = Date.parse(history[i].timestamp);
    pieces.unshift({ state: known, from: Math.max(from, at - hour), to });
    to = from;
    known = history[i].from_state;
  }
  if (to > at - hour) pieces.unshift({ state: known, from: at - hour, to });
  return pieces.filter((piece) => piece.to > piece.from);
}

/** The last hour as a strip; what it shows is in the list below too, so readers skip it. */
export function strip(history, state) {
  const at = now();
  return element('div', { class: 'strip', 'aria-hidden': 'true' }, pieces_of(history, state, at).map((piece) => {
    const part = element('span', { 'data-state': piece.state,
      title: `${label_of(piece.state)} ${moment(piece.from, at)} – ${moment(piece.to, at)}` });
    part.style.flexGrow = String((piece.to - piece.from) / hour);
    return part;
  }));
}

/** The transitions, newest first. */
export function transitions(history) {
  if (history.length === 0) return element('p', { class: 'empty' }, 'No transition yet.');
  const newest = history.slice(-most).reverse();
  return element('ol', { class: 'timeline', reversed: true }, newest.map((change, i) => {
    const left = i === 0 ? null : Date.parse(newest[i - 1].timestamp) - Date.parse(change.timestamp);
    return element('li', {},
      time_of(change.timestamp),
      element('span', { class: 'change' }, badge(change.from_state), element('span', { 'aria-label': 'to', role: 'img' }, '→'),
        badge(change.to_state)),
      element('span', { class: 'why' }, change.reason === '' ? 'no reason told' : name_of(change.reason)),
      element('span', { class: 'second' }, `failure count ${change.failure_count} · generation ${change.generation}${
        left === null ? '' : ` · lasted ${duration(left)}`}`));
  }));
}
