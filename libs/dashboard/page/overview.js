// SPDX-License-Identifier: Apache-2.0
// Every circuit: filter, search, sort. What is chosen here stays chosen while other views are shown.
import { every_second } from './clock.js';
import { columns, is_measured, matches, sorted } from './columns.js';
import { element, set_attribute, set_text } from './dom.js';
import { count, counted } from './format.js';
import { key_of } from './names.js';
import { badge, label_of, states } from './states.js';
import { on, store } from './store.js';
import { row_table } from './table.js';

const chosen = { states: new Set(), search: '', column: 'state', down: false };
let last_key = null;  // the circuit that was opened last gets the focus when the reader comes back
let current = null;

/** The overview in sight, for the keyboard; null while another view is shown. */
export function shown_overview() {
  return current;
}

export function choose_states(wanted) {
  chosen.states = new Set(wanted);
  chosen.search = '';
  current?.update_choice();
}

export class overview {
  #chips = new Map();
  #ends = [];

  constructor() {
    this.#build_tools();
    this.list = element('div', { role: 'table', class: 'circuits', 'aria-label': 'Circuits' });
    this.table = new row_table(this.list);
    this.list.append(this.#head(), this.table.body);
    this.empty = element('p', { class: 'empty', hidden: true });
    this.node = element('section', { class: 'overview', 'aria-label': 'Circuits' }, this.tools, this.list, this.empty);
  }

  #build_tools() {
    const chip = (id, content) => {
      const number = element('span', { class: 'amount' }, '0');
      const button = element('button', { class: 'chip', type: 'button', 'aria-pressed': 'false', 'data-state': id,
        onclick: () => this.#toggle(id) }, content, number);
      this.#chips.set(id, { button, number });
      return button;
    };
    this.search = element('input', { type: 'search', id: 'search', placeholder: 'Search  /', autocomplete: 'off',
      spellcheck: 'false', 'aria-label': 'Search circuits by name, source, reason or owner',
      oninput: () => this.#search_for(this.search.value) });
    this.order = element('select', { 'aria-label': 'Sort by', onchange: () => this.#sort_by(this.order.value) },
      columns.map(({ id, label }) => element('option', { value: id }, label)));
    this.turn = element('button', { class: 'tool', type: 'button', onclick: () => this.#sort_by(chosen.column) });
    this.tools = element('div', { class: 'tools' },
      element('div', { class: 'chips', role: 'group', 'aria-label': 'Filter by state' },
        chip('all', 'all'), states.map((state) => chip(state, badge(state))), chip('shadow', 'shadow')),
      element('div', { class: 'order' }, element('span', {}, 'Sort by'), this.order, this.turn),
      this.search);
  }

  #head() {
    this.heads = new Map();
    return element('div', { role: 'rowgroup', class: 'head' }, element('div', { role: 'row', class: 'row', 'aria-rowindex': '1' },
      columns.map(({ id, label, number }) => {
        const head = element('div', { role: 'columnheader', class: number ? `cell number col_${id}` : `cell col_${id}` },
          element('button', { type: 'button', class: 'sort', onclick: () => this.#sort_by(id) },
            label, element('span', { class: 'arrow', 'aria-hidden': 'true' })));
        this.heads.set(id, head);
        return head;
      })));
  }

  shown() {
    current = this;
    this.#ends = [this.table.watch(), every_second(() => this.table.tick()),
      on('circuits', ({ changed }) => changed?.size !== 0 && this.update())];  // a heartbeat changes nothing
    this.list.addEventListener('pointerleave', () => this.update());
    this.update_choice();
    if (last_key !== null) this.table.focus_key(last_key);
    last_key = null;
  }

  left() {
    this.#ends.forEach((end) => end());
    current = null;
  }

  /** Which circuit gets the focus when this view comes back. */
  static remember(key) {
    last_key = key;
  }

  #toggle(id) {
    if (id === 'all') chosen.states.clear();
    else if (!chosen.states.delete(id)) chosen.states.add(id);
    this.update_choice();
  }

  #search_for(text) {
    chosen.search = text;
    this.update_choice();
  }

  #sort_by(id) {
    chosen.down = id === chosen.column ? !chosen.down : columns.find((c) => c.id === id).down === true;
    chosen.column = id;
    this.update_choice();
  }

  clear_search() {
    this.#search_for('');
  }

  get searching() {
    return chosen.search !== '';
  }

  update_choice() {
    if (this.search.value !== chosen.search) this.search.value = chosen.search;
    this.order.value = chosen.column;
    set_text(this.turn, chosen.down ? '↓' : '↑');
    set_attribute(this.turn, 'aria-label', chosen.down ? 'Descending; turn around' : 'Ascending; turn around');
    for (const [id, head] of this.heads) {
      const sort = id !== chosen.column ? null : chosen.down ? 'descending' : 'ascending';
      set_attribute(head, 'aria-sort', sort);
    }
    for (const [id, { button }] of this.#chips) {
      const pressed = id === 'all' ? chosen.states.size === 0 : chosen.states.has(id);
      set_attribute(button, 'aria-pressed', String(pressed));
    }
    this.update(true);
  }

  /** Shows what the store knows now. While a pointer is over the rows, an order that changes all the time stands still. */
  update(chosen_anew = false) {
    this.#update_chips();
    const hold = !chosen_anew && is_measured(chosen.column) && this.list.matches(':hover');
    this.order_of_rows = hold && this.order_of_rows ? this.#same_order() : this.#new_order();
    this.table.set_rows(this.order_of_rows);
    this.#update_empty();
  }

  #new_order() {
    const words = chosen.search.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = [...store.circuits.values()].filter((row) => matches(row, { states: chosen.states, words }));
    return sorted(wanted, chosen);
  }

  #same_order() {
    const fresh = this.#new_order();
    const place = new Map(this.order_of_rows.map((row, i) => [key_of(row), i]));
    return fresh.map((row, i) => ({ row, at: place.get(key_of(row)) ?? fresh.length + i }))
      .sort((a, b) => a.at - b.at).map(({ row }) => row);
  }

  #update_chips() {
    for (const [id, { button, number }] of this.#chips) {
      const amount = id === 'all' ? store.summary.total : store.summary[id] ?? 0;
      set_text(number, count(amount));
      button.classList.toggle('none', amount === 0);
      button.hidden = id === 'shadow' && amount === 0;
    }
  }

  #update_empty() {
    this.empty.hidden = this.table.length > 0;
    this.list.hidden = this.table.length === 0;
    if (this.table.length > 0) return;
    if (!store.loaded) set_text(this.empty, 'Waiting for the server…');
    else if (store.circuits.size === 0) {
      set_text(this.empty, 'There is no circuit yet. Each appears here as soon as the program makes it.');
    } else {
      const what = [...chosen.states].map(label_of).join(', ');
      set_text(this.empty, `None of the ${counted(store.circuits.size, 'circuit')} matches${what === '' ? '' : ` (${what})`}${
        chosen.search === '' ? '.' : ' what is searched for.'}`);
    }
  }
}
