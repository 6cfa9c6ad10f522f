// SPDX-License-Identifier: Apache-2.0
// The five states: how bad they are, what they are called, and a shape for each, since colour alone is not enough.
import { element, picture } from './dom.js';

const disc = 'M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13z';
const line = { fill: 'none', stroke: 'currentColor', 'stroke-width': '1.8', 'stroke-linecap': 'round' };
const cut = { ...line, stroke: 'var(--surface)' };

/** Worst first: the order in which circuits are shown. */
export const states = ['forced_open', 'open', 'half_open', 'disabled', 'closed'];

const known = {
  forced_open: {
    label: 'forced open',
    about: 'An operator rejects every call until the override ends.',
    paths: [{ d: 'M3.5 1.5h9a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2z', fill: 'currentColor' },
      { d: 'M5 8h6', ...cut }],
  },
  open: {
    label: 'open',
    about: 'Calls are rejected until the dependency has had time to recover.',
    paths: [{ d: 'M8 .8L15.4 14.4H.6z', fill: 'currentColor' }, { d: 'M8 6v4M8 12.2v.2', ...cut }],
  },
  half_open: {
    label: 'half-open',
    about: 'A few probes are let through to see whether the dependency is back.',
    paths: [{ d: disc, ...line }, { d: 'M8 1.5a6.5 6.5 0 0 1 0 13z', fill: 'currentColor' }],
  },
  disabled: {
    label: 'disabled',
    about: 'Every call passes, and none is judged.',
    paths: [{ d: disc, ...line }, { d: 'M3.8 3.8l8.4 8.4', ...line }],
  },
  closed: { label: 'closed', about: 'Calls pass and are judged.', paths: [{ d: disc, fill: 'currentColor' }] },
};

/** 0 is the worst; a state that this page does not know is as bad as open. */
export function severity(state) {
  const place = states.indexOf(state);
  return place < 0 ? 1 : place;
}

export function label_of(state) {
  return known[state]?.label ?? String(state);
}

export function about_state(state) {
  return known[state]?.about ?? '';
}

export function is_open(state) {
  return state === 'open' || state === 'forced_open';
}

/** The shape and the name of a state. */
export function badge(state) {
  return element('span', { class: 'state', 'data-state': state, title: about_state(state) },
    picture((known[state] ?? known.open).paths), label_of(state));
}
