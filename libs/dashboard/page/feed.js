// SPDX-License-Identifier: Apache-2.0
// Keeps the page told: reads the stream, reconnects by itself, and says when what is shown is old.
import { ask, get_session } from './api.js';
import { every_second, hear_time } from './clock.js';
import { store, take_all, take_changes, tell } from './store.js';
import { read_events } from './stream.js';
import { on_token_change } from './token.js';

const first_pause = 500;
const longest_pause = 5000;
const patience = 10_000;

let last_heard = performance.now();  // when the server last said anything
let attempt = new AbortController();
let attempted = last_heard;          // when that attempt began
let wake = () => {};

/** For how many milliseconds nothing has been heard. */
export function silence() {
  return performance.now() - last_heard;
}

function limit() {
  return 3 * (store.session?.refresh_ms ?? 1000) + 1000;
}

function set_stale(stale) {
  if (store.stale === stale) return;
  store.stale = stale;
  tell('stale');
}

function hear(type, text) {
  const told = JSON.parse(text);
  last_heard = performance.now();
  if (type === 'circuits' || type === 'changes') {
    hear_time(told.time);
    (type === 'circuits' ? take_all : take_changes)(told);
    set_stale(false);
  } else if (type === 'transition' || type === 'audit') {
    tell(type, told);
  }
}

export async function refresh_session() {
  store.session = await get_session();
  tell('session');
}

function pause_for(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

async function listen(heard) {
  await refresh_session();
  if (store.session.reading_needs_token && !store.session.token_ok) return;
  const own = new AbortController();  // a later one has a timer of its own
  attempt = own;
  attempted = performance.now();
  const began = setTimeout(() => own.abort(), patience);
  const answer = await ask('/api/v1/events', { signal: own.signal, headers: { Accept: 'text/event-stream' } })
    .finally(() => clearTimeout(began));
  await read_events(answer.body, (type, text) => {
    heard();
    hear(type, text);
  });
}

/** Never returns. */
export async function follow() {
  let pause = first_pause;
  every_second(() => {
    if (!store.loaded || silence() < limit()) return;
    set_stale(true);
    // A connection that is dead without having ended is given up.
    if (Math.min(silence(), performance.now() - attempted) > 2 * limit()) attempt.abort();
  });
  const soon = () => {
    pause = first_pause;
    wake();
  };
  on_token_change(() => {
    attempt.abort();
    soon();
  });
  addEventListener('online', soon);
  addEventListener('visibilitychange', () => !document.hidden && soon());
  for (;;) {
    try {
      await listen(() => {
        pause = first_pause;
      });
    } catch {
      // Whatever it was, trying again is the answer; that nothing is heard is what the page shows.
    }
    await pause_for(pause);
    pause = Math.min(longest_pause, pause * 2);
  }
}
