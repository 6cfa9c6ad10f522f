// SPDX-License-Identifier: Apache-2.0
// The page without a mouse.
import { any_dialog } from './dialog.js';
import { keys_are_on, open_help } from './help.js';
import { shown_overview } from './overview.js';

function typing(target) {
  return target.closest?.('input, textarea, select') !== null && target.closest !== undefined;
}

function move(view, key) {
  const at = view.table.focused_index();
  if (key === 'j' || key === 'ArrowDown') view.table.focus(at + 1);
  else if (key === 'k' || key === 'ArrowUp') view.table.focus(at < 0 ? 0 : at - 1);
  else if (key === 'Home') view.table.focus(0);
  else view.table.focus(view.table.length - 1);
}

function escape(view, target) {
  if (view === null) location.hash = '#/';
  else if (view.searching) view.clear_search();
  else target.blur?.();
}

function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || any_dialog()) return;
  const { key, target } = event;
  const view = shown_overview();
  const in_search = view !== null && target === view.search;
  if (key === 'Escape') escape(view, target);
  else if (in_search && (key === 'ArrowDown' || key === 'Enter')) view.table.focus(0);
  else if (typing(target)) return;
  else if (view !== null && ['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(key)) move(view, key);
  else if (!keys_are_on()) return;
  else if (view !== null && (key === 'j' || key === 'k')) move(view, key);
  else if (key === '/') {
    if (view === null) location.hash = '#/';
    requestAnimationFrame(() => shown_overview()?.search.focus());
  } else if (key === '?') open_help();
  else if (key === 'a') location.hash = '#/audit';
  else if (key === 'o') location.hash = '#/';
  else return;
  event.preventDefault();
}

export function listen_to_keys() {
  document.addEventListener('keydown', press);
}
