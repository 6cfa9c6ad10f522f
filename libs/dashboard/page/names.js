// SPDX-License-Identifier: Apache-2.0
// Shows names, reasons and other text from outside, so that no character in them can disguise what they are.
import { element } from './dom.js';

// Characters that are not seen, or that turn the order of others around: directions, zero widths, controls. The joiners
// U+200C and U+200D stay, since scripts and emoji need them.
const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

function code_point(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The text with its hidden characters written out, for titles and labels: `abc⟨U+202E⟩def`. */
export function plain(text) {
  return String(text).replace(hidden, (character) => `⟨${code_point(character)}⟩`);
}

/** The text as an element of its own direction, hidden characters as small boxes; the whole of it is the title. */
export function name_of(text, attributes = {}) {
  const made = element('bdi', { dir: 'auto', title: plain(text), ...attributes });
  let from = 0;
  for (const match of String(text).matchAll(hidden)) {
    made.append(text.slice(from, match.index), element('span', { class: 'code_point' }, code_point(match[0])));
    from = match.index + match[0].length;
  }
  made.append(String(text).slice(from));
  return made;
}

/** The key of a circuit within the page: its name and its instance. */
export function key_of(circuit) {
  return `${circuit.name}\n${circuit.instance}`;
}

/** The address of a circuit within the page. */
export function link_of(circuit) {
  const instance = circuit.instance === '' ? '' : `?instance=${encodeURIComponent(circuit.instance)}`;
  return `#/circuit/${encodeURIComponent(circuit.name)}${instance}`;
}
