// SPDX-License-Identifier: Apache-2.0
// Light or dark: as the system says, until the reader says otherwise in this browser.
const place = 'switchgear.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set();

function apply() {
  const kept = localStorage.getItem(place);
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
  else delete document.documentElement.dataset.theme;
  listeners.forEach((f) => f());
}

export function is_dark() {
  return (localStorage.getItem(place) ?? (dark.matches ? 'dark' : 'light')) === 'dark';
}

/** Turns to the other one; what the system says anyway is not kept, so that the page goes on following it. */
export function turn_theme() {
  const wanted = is_dark() ? 'light' : 'dark';
  if (wanted === (dark.matches ? 'dark' : 'light')) localStorage.removeItem(place);
  else localStorage.setItem(place, wanted);
  apply();
}

export function on_theme_change(f) {
  listeners.add(f);
  return () => listeners.delete(f);
}

dark.addEventListener('change', apply);
apply();
