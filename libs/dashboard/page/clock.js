// SPDX-License-Identifier: Apache-2.0
// The time as the server sees it, and the one timer that makes the page tick.

let offset = 0;
let known = false;
const tickers = new Set();

/** Tells the server's time, as RFC 3339 text. Small differences are the network's and change nothing. */
export function hear_time(text) {
  const heard = Date.parse(text) - Date.now();
  if (Number.isNaN(heard)) return;
  if (!known || Math.abs(heard - offset) > 500) offset = heard;
  known = true;
}

/** The server's time in milliseconds. */
export function now() {
  return Date.now() + offset;
}

/** Calls `f` about once a second; what it returns ends that. */
export function every_second(f) {
  tickers.add(f);
  return () => tickers.delete(f);
}

setInterval(() => tickers.forEach((f) => f()), 1000);
