// SPDX-License-Identifier: Apache-2.0
// What operators have done: the list, and the view of all of it.
import { get_audit } from './api.js';
import { element, set_text } from './dom.js';
import { link_of, name_of, plain } from './names.js';
import { on } from './store.js';
import { time_of } from './times.js';

const outcomes = { done: 'done', nothing_to_do: 'nothing to do', refused: 'refused' };

function entry_row(entry, with_circuit) {
  const cell = (label, ...content) => element('td', { 'data-label': label }, ...content);
  return element('tr', { 'data-outcome': entry.outcome },
    cell('Time', time_of(entry.time)),
    cell('Action', plain(entry.action), entry.ttl ? ` for ${plain(entry.ttl)}` : ''),
    with_circuit ? cell('Circuit', element('a', { href: link_of(entry) }, name_of(entry.circuit))) : null,
    cell('Who', name_of(entry.owner)),
    cell('Why', name_of(entry.reason)),
    cell('Outcome', element('span', { class: 'outcome' }, outcomes[entry.outcome] ?? plain(entry.outcome)),
      entry.message ? element('span', { class: 'second' }, ' ', plain(entry.message)) : null),
    cell('From', plain(entry.peer)));
}

/** A table of entries, newest first. */
export function audit_table(entries, with_circuit) {
  const heads = ['Time', 'Action', with_circuit && 'Circuit', 'Who', 'Why', 'Outcome', 'From'].filter(Boolean);
  if (entries.length === 0) return element('p', { class: 'empty' }, 'Nobody has done anything yet.');
  return element('div', { class: 'scrolls' }, element('table', { class: 'facts stacks' },
    element('thead', {}, element('tr', {}, heads.map((head) => element('th', { scope: 'col' }, head)))),
    element('tbody', {}, entries.map((entry) => entry_row(entry, with_circuit)))));
}

export class audit_view {
  #end = () => {};

  constructor() {
    this.error = element('p', { class: 'error', role: 'alert' });
    this.list = element('div', {}, element('p', { class: 'empty' }, 'Waiting for the server…'));
    this.node = element('section', { class: 'panel', 'aria-labelledby': 'audit_heading' },
      element('h2', { id: 'audit_heading', tabindex: '-1' }, 'Audit log'),
      element('p', { class: 'second' }, 'What operators have asked for here, newest first, whatever became of it.'),
      this.error, this.list);
  }

  shown() {
    const ends = [on('audit', () => this.update()), on('session', () => this.update())];
    this.#end = () => ends.forEach((end) => end());
    this.update();
  }

  left() {
    this.#end();
  }

  async update() {
    try {
      const { entries } = await get_audit();
      this.list.replaceChildren(audit_table(entries, true));
      set_text(this.error, '');
    } catch (failed) {
      set_text(this.error, failed.message);
    }
  }
}
