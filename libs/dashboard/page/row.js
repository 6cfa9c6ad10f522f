// SPDX-License-Identifier: Apache-2.0
// One circuit of the overview. Only what has changed is touched.
import { now } from './clock.js';
import { columns } from './columns.js';
import { element, set_attribute, set_text } from './dom.js';
import { countdown, dash, duration, not_counted, per_second, percent } from './format.js';
import { key_of, link_of, name_of, plain } from './names.js';
import { badge } from './states.js';

const worrying = 0.5;  // a failure rate above this is marked, open or not

/** What stands under the name: why it is in its state, and where it lives. */
function second_line(row) {
  const parts = [];
  if (row.reason !== '') parts.push(name_of(row.reason, { class: 'reason' }));
  if (row.source !== '') parts.push(name_of(row.source));
  // Within one process a name is enough.
  if (row.source !== '' && row.instance !== '') parts.push(name_of(row.instance.slice(0, 8), { title: `instance ${plain(row.instance)}` }));
  return parts.flatMap((part, i) => (i === 0 ? [part] : [' · ', part]));
}

export function marks_of(row) {
  const mark = (text, title) => element('span', { class: 'mark', title }, text);
  return [
    row.critical && mark('critical', 'The service counts as not ready while this circuit is open.'),
    row.shadow && mark('shadow', 'Judged, but not enforced: every call is admitted.'),
    !row.enabled && mark('switched off', 'A pass-through by its configuration: nothing is counted or judged.'),
  ].filter(Boolean);
}

export class circuit_row {
  #cells = {};
  #row = null;

  constructor() {
    this.node = element('div', { class: 'row', role: 'row' });
    for (const { id, label, number } of columns) {
      this.#cells[id] = element('div', { role: 'cell', class: `cell${number ? ' number' : ''} col_${id}`, 'data-label': label });
      this.node.append(this.#cells[id]);
    }
  }

  get link() {
    return this.#cells.name.querySelector('a');
  }

  show(row) {
    if (row === this.#row) return;
    const before = this.#row;
    this.#row = row;
    set_attribute(this.node, 'data-state', row.state);
    if (before?.state !== row.state) this.#cells.state.replaceChildren(badge(row.state));
    this.#show_name(row, before);
    this.#show_rates(row);
    this.#show_override(row, before);
    this.tick();
  }

  #show_name(row, before) {
    const text = JSON.stringify([row.name, row.reason, row.instance, row.source, row.critical, row.shadow, row.enabled]);
    if (before !== null && this.#cells.name.shown === text) return;
    this.#cells.name.shown = text;
    const second = second_line(row);
    if (before !== null && key_of(before) === key_of(row)) {  // the link may have the focus: it stays
      this.#cells.name.lastChild.replaceChildren(...marks_of(row), ...second);
      return;
    }
    this.#cells.name.replaceChildren(
      element('a', { class: 'name', href: link_of(row) }, name_of(row.name)),
      element('div', { class: 'second' }, marks_of(row), second));
  }

  #show_rates(row) {
    const { calls, failure, slow, rejected } = this.#cells;
    const show = (cell, value, format) => {
      set_text(cell, row.rates === null ? dash : format(value));
      set_attribute(cell, 'title', row.rates === null ? not_counted : null);
      cell.classList.toggle('zero', row.rates !== null && value === 0);
    };
    show(calls, row.rates?.calls_per_second, per_second);
    show(failure, row.rates?.failure_rate, percent);
    show(slow, row.rates?.slow_rate, percent);
    show(rejected, row.rates?.rejection_rate, percent);
    const bad = row.rates !== null && row.rates.failure_rate > worrying;
    failure.classList.toggle('worrying', bad);
    if (bad) set_attribute(failure, 'title', 'More than half of the calls of the last ten seconds have failed.');
  }

  #show_override(row, before) {
    const cell = this.#cells.override;
    if (before !== null && JSON.stringify(before.override) === JSON.stringify(row.override)) return;
    if (row.override === null) cell.replaceChildren();
    else cell.replaceChildren(name_of(row.override.owner, { title: plain(`${row.override.owner}: ${row.override.reason}`) }),
      element('span', { class: 'until' }));
  }

  /** Brings the times up to now. */
  tick() {
    const { since, retry, override } = this.#cells;
    const row = this.#row;
    set_text(since, duration(now() - Date.parse(row.since)));
    set_text(retry, row.retry_at === null ? '' : retry_text(row));
    const until = override.querySelector('.until');
    if (until !== null) set_text(until, until_text(row));
  }
}

export function retry_text(row) {
  const left = Date.parse(row.retry_at) - now();
  return left <= 0 ? 'now' : countdown(left);
}

export function until_text(row) {
  if (row.override.until === null) return 'until released';
  return `${countdown(Date.parse(row.override.until) - now())} left`;
}
