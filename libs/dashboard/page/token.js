// SPDX-License-Identifier: Apache-2.0
// The token of whoever may act. It lives as long as this tab: in its session storage, and nowhere else.

const place = 'switchgear.token';
const listeners = new Set();

export function token() {
  return sessionStorage.getItem(place) ?? '';
}

/** Whether it can be one: what is not visible ASCII cannot even be sent. */
export function can_be_token(text) {
  return /^[\x21-\x7e]{1,256}$/.test(text);
}

export function set_token(text) {
  if (text === '') sessionStorage.removeItem(place);
  else sessionStorage.setItem(place, text);
  listeners.forEach((f) => f());
}

export function on_token_change(f) {
  listeners.add(f);
}

/** Takes `#token=…` out of the address, so that it stays neither in the history nor on the screen. */
export function take_token_from_address() {
  const match = /^#\/?\??token=([^&]+)/.exec(location.hash);
  if (match === null) return;
  history.replaceState(null, '', '#/');
  try {
    const given = decodeURIComponent(match[1]);
    if (can_be_token(given)) set_token(given);
  } catch {
    // Not an address that this program has made; the token dialog is still there.
  }
}
