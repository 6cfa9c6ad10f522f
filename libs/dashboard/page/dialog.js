// SPDX-License-Identifier: Apache-2.0
// Dialogs: the browser's own, so that the focus, Escape and readers are right.
import { element } from './dom.js';

let number = 0;

/** A dialog with a heading; it is gone once it is closed. Returns {node, body, close}. */
export function open_dialog(heading, attributes = {}) {
  const id = `dialog_${++number}`;
  const before = document.activeElement;
  const body = element('div', { class: 'dialog_body' });
  const close = element('button', { class: 'tool', type: 'button', 'aria-label': 'Close', onclick: () => node.close() }, '✕');
  const node = element('dialog', { 'aria-labelledby': id, ...attributes },
    element('header', {}, element('h2', { id }, heading), close), body);
  node.addEventListener('close', () => {
    node.remove();
    if (before?.isConnected) before.focus({ preventScroll: true });
  });
  node.addEventListener('mousedown', (event) => event.target === node && node.close());  // beside the dialog
  document.body.append(node);
  node.showModal();
  return { node, body, close: () => node.close() };
}

/** A labelled field with a hint below. */
export function field(label, input, hint = '') {
  const id = `field_${++number}`;
  input.id = id;
  if (hint !== '') input.setAttribute('aria-describedby', `${id}_hint`);
  return element('div', { class: 'field' }, element('label', { for: id }, label), input,
    hint === '' ? null : element('small', { id: `${id}_hint` }, hint));
}

/** Where a form says what went wrong. */
export function error_line() {
  return element('p', { class: 'error', role: 'alert' });
}

export function any_dialog() {
  return document.querySelector('dialog[open]') !== null;
}
