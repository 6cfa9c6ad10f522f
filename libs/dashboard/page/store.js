// SPDX-License-Identifier: Apache-2.0
// What the page knows. Views read it and are told when it changes.
import { key_of } from './names.js';

const nothing = { total: 0, closed: 0, open: 0, half_open: 0, forced_open: 0, disabled: 0, shadow: 0 };

export const store = {
  circuits: new Map(),  // by key_of(); a row that has changed is a new object
  summary: nothing,
  problems: [],
  session: null,
  loaded: false,        // the circuits have been told at least once
  stale: false,
};

const listeners = new Map();

/** Topics: `session`, `circuits` (with {changed: Set or null for all}), `stale`, `transition`, `audit`. Returns what ends it. */
export function on(topic, f) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic).add(f);
  return () => listeners.get(topic).delete(f);
}

export function tell(topic, what) {
  listeners.get(topic)?.forEach((f) => {
    try {
      f(what);
    } catch (error) {
      reportError(error);  // a fault in one view stops neither the others nor the feed
    }
  });
}

function take_totals(told) {
  store.summary = { ...nothing, ...told.summary };
  store.problems = told.problems ?? [];
}

export function take_all(told) {
  store.circuits = new Map(told.circuits.map((row) => [key_of(row), row]));
  store.loaded = true;
  take_totals(told);
  tell('circuits', { changed: null });
}

export function take_changes(told) {
  const changed = new Set();
  for (const row of told.circuits) {
    store.circuits.set(key_of(row), row);
    changed.add(key_of(row));
  }
  for (const gone of told.gone ?? []) {
    store.circuits.delete(key_of(gone));
    changed.add(key_of(gone));
  }
  take_totals(told);
  tell('circuits', { changed });
}

/** One row that somebody has been told besides the stream. */
export function take_row(row) {
  store.circuits.set(key_of(row), row);
  tell('circuits', { changed: new Set([key_of(row)]) });
}
