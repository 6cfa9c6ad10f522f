// SPDX-License-Identifier: Apache-2.0
// A list of any length of which only the rows in sight exist. Rows are as high as the style sheet says, all alike.
import { element, set_attribute } from './dom.js';
import { key_of } from './names.js';
import { circuit_row } from './row.js';

const beyond = 8;  // rows kept ready above and below what is in sight

export class row_table {
  #rows = [];
  #shown = new Map();
  #height = 0;
  #asked = false;

  /** `table` carries the number of rows; the rows go into `body`. */
  constructor(table) {
    this.body = element('div', { role: 'rowgroup', class: 'rows' });
    this.table = table;
    this.#measure();
  }

  /** Has to be called whenever the body is put into the page. */
  watch() {
    const later = () => this.#render_later();
    const resized = new ResizeObserver(() => {
      this.#measure();
      later();
    });
    addEventListener('scroll', later, { passive: true });
    addEventListener('resize', later);
    resized.observe(this.body);
    this.#measure();
    this.render();
    return () => {
      removeEventListener('scroll', later);
      removeEventListener('resize', later);
      resized.disconnect();
    };
  }

  #measure() {
    this.#height = parseFloat(getComputedStyle(this.body).getPropertyValue('--row_height')) || 56;
    this.body.style.height = `${this.#rows.length * this.#height}px`;
  }

  set_rows(rows) {
    this.#rows = rows;
    this.body.style.height = `${rows.length * this.#height}px`;
    set_attribute(this.table, 'aria-rowcount', String(rows.length + 1));
    this.render();
  }

  #render_later() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.render();
    });
  }

  #in_sight() {
    const top = this.body.getBoundingClientRect().top;
    const first = Math.floor(-top / this.#height) - beyond;
    const last = Math.ceil((innerHeight - top) / this.#height) + beyond;
    return [Math.max(0, first), Math.min(this.#rows.length, last)];
  }

  render() {
    if (!this.body.isConnected) return;
    const [first, last] = this.#in_sight();
    const focused = this.focused_index();
    const wanted = new Map();
    const want = (i) => wanted.set(key_of(this.#rows[i]), i);
    if (focused >= 0 && focused < first) want(focused);  // the row with the focus stays, wherever it is
    for (let i = first; i < last; ++i) want(i);
    if (focused >= last) want(focused);
    for (const [key, row] of this.#shown) {
      if (wanted.has(key)) continue;
      row.node.remove();
      this.#shown.delete(key);
    }
    this.#place(wanted);
  }

  // In the page in the order of the list, for the tab key and for readers; a node that is moved would lose the focus.
  #place(wanted) {
    const active = document.activeElement;
    let next = this.body.firstChild;
    for (const [key, i] of wanted) {
      let row = this.#shown.get(key);
      if (row === undefined) {
        row = new circuit_row();
        row.key = key;
        this.#shown.set(key, row);
      }
      row.index = i;
      row.show(this.#rows[i]);
      row.node.style.transform = `translateY(${i * this.#height}px)`;
      set_attribute(row.node, 'aria-rowindex', String(i + 2));
      if (row.node === next) next = next.nextSibling;
      else this.body.insertBefore(row.node, next);
    }
    if (active !== document.activeElement && this.body.contains(active)) active.focus({ preventScroll: true });
  }

  tick() {
    for (const row of this.#shown.values()) row.tick();
  }

  #row_of_focus() {
    const node = document.activeElement?.closest('.row');
    return [...this.#shown.values()].find((row) => row.node === node);
  }

  /** The place of the row that has the focus in the list as it is now, or -1. */
  focused_index() {
    const row = this.#row_of_focus();
    if (row === undefined) return -1;
    if (row.index < this.#rows.length && key_of(this.#rows[row.index]) === row.key) return row.index;
    return this.#rows.findIndex((r) => key_of(r) === row.key);
  }

  /** Moves the focus to a row, and the row into sight. */
  focus(index) {
    if (this.#rows.length === 0) return;
    const i = Math.max(0, Math.min(this.#rows.length - 1, index));
    const top = this.body.getBoundingClientRect().top + i * this.#height;
    const covered = parseFloat(getComputedStyle(this.body).getPropertyValue('--covered')) || 0;
    if (top < covered) scrollBy(0, top - covered - 4);
    else if (top + this.#height > innerHeight) scrollBy(0, top + this.#height - innerHeight + 4);
    this.render();
    this.#shown.get(key_of(this.#rows[i]))?.link.focus({ preventScroll: true });
  }

  focus_key(key) {
    const i = this.#rows.findIndex((row) => key_of(row) === key);
    if (i >= 0) this.focus(i);
  }

  get length() {
    return this.#rows.length;
  }
}
