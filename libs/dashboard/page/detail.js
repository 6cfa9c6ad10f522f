// SPDX-License-Identifier: Apache-2.0
// One circuit: what it is doing, what it has done, and what can be done to it.
import { actions, open_action } from './action_dialog.js';
import { get_circuit } from './api.js';
import { audit_table } from './audit.js';
import { rate_charts } from './chart.js';
import { every_second, now } from './clock.js';
import { element, set_attribute, set_text } from './dom.js';
import { configuration, failures, in_force, instances, lifetime, views } from './facts.js';
import { dash, duration, not_counted, per_second, percent } from './format.js';
import { key_of, name_of, plain } from './names.js';
import { marks_of, retry_text, until_text } from './row.js';
import { badge, label_of } from './states.js';
import { on, store, take_row } from './store.js';
import { on_theme_change } from './theme.js';
import { strip, transitions } from './timeline.js';
import { time_of } from './times.js';
import { ask_for_token, obstacle } from './token_dialog.js';

const least_pause = 2000;   // between two questions for the same circuit
const longest_pause = 10_000;

const places = ['state', 'live', 'buttons', 'strip', 'history', 'configuration', 'failures', 'instances', 'lifetime', 'window',
  'views', 'audit'];

function panel(heading, place, attributes = {}) {
  return element('section', { class: 'panel', 'aria-label': heading, ...attributes }, element('h3', {}, heading), place);
}

export class detail {
  #places = {};
  #texts = {};
  #ends = [];
  #asked = 0;
  #asking = false;
  #changed = true;
  #told = null;

  constructor({ name, instance }) {
    this.name = name;
    this.instance = instance;
    for (const id of places) this.#places[id] = element('div', { class: `place_${id}` });
    this.charts = new rate_charts();
    this.error = element('p', { class: 'error', role: 'alert' });
    this.instances_panel = panel('Instances of this name', this.#places.instances, { hidden: true });
    this.views_panel = panel('Instances', this.#places.views, { hidden: true });
    this.node = element('article', { class: 'detail', 'aria-labelledby': 'circuit_name' },
      element('p', {}, element('a', { href: '#/', class: 'back' }, '← All circuits')),
      element('h2', { id: 'circuit_name', tabindex: '-1' }, name_of(name)),
      this.error, this.#places.state, this.#places.live, this.#places.buttons,
      panel('The last hour', [this.#places.strip, this.charts.node]),
      this.views_panel,
      element('div', { class: 'columns' },
        panel('Transitions', this.#places.history), panel('Recent failures', this.#places.failures)),
      panel('What the rules look at', this.#places.window),
      element('div', { class: 'columns' },
        panel('Configuration in force', this.#places.configuration), panel('Since it was made', this.#places.lifetime)),
      this.instances_panel, panel('Audit log of this circuit', this.#places.audit));
  }

  shown() {
    this.#ends = [
      on('circuits', ({ changed }) => this.#hear(changed)),
      on('audit', () => {
        this.#changed = true;
      }),
      on('session', () => this.#show_buttons()),
      every_second(() => this.#tick()),
      on_theme_change(() => this.charts.redraw()),
    ];
    this.#show_row();
    this.#ask();
  }

  left() {
    this.#ends.forEach((end) => end());
    this.charts.forget();
  }

  /** The row as the stream tells it; before that, and when it tells of none, as the server has answered. */
  get row() {
    return store.circuits.get(key_of(this)) ?? this.#told?.circuit ?? null;
  }

  #hear(changed) {
    if (changed !== null && !changed.has(key_of(this))) return;
    this.#changed = true;
    this.#show_row();
  }

  #tick() {
    this.#show_times();
    const waited = performance.now() - this.#asked;
    if (waited > longest_pause || (this.#changed && waited > least_pause)) this.#ask();
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    this.#changed = false;
    try {
      const told = await this.#circuit();
      this.#told = told;
      this.instance = told.circuit.instance;
      set_text(this.error, '');
      this.#show_row();
      this.#show_told(told);
    } catch (failed) {
      set_text(this.error, failed.message);
    } finally {
      this.#asking = false;
      this.#asked = performance.now();
    }
  }

  async #circuit() {
    try {
      return await get_circuit(this.name, this.instance);
    } catch (failed) {
      // When the process was started anew its circuit of that name is another one, and the one to show.
      if (failed.status !== 404 || this.instance === '') throw failed;
      return get_circuit(this.name, '');
    }
  }

  /** Makes a place anew only when what it shows has changed: what is selected or has the focus stays. */
  #fill(id, what, make) {
    const text = JSON.stringify(what);
    if (this.#texts[id] === text) return;
    this.#texts[id] = text;
    this.#places[id].replaceChildren(...[make()].flat());
  }

  #show_told(told) {
    this.#fill('strip', [told.history, Math.floor(now() / longest_pause)], () => strip(told.history, told.circuit.state));
    this.#fill('history', told.history, () => transitions(told.history));
    this.#fill('configuration', told.configuration, () => configuration(told.configuration));
    this.#fill('failures', told.recent_failures, () => failures(told.recent_failures));
    this.#fill('instances', [told.instances, this.instance], () => instances(told.instances, this));
    this.instances_panel.hidden = told.instances.length < 2;
    this.#fill('views', told.views, () => views(told.views));
    this.views_panel.hidden = told.views.length === 0;
    this.#fill('audit', told.audit, () => audit_table(told.audit, false));
    this.charts.show(told.series);
  }

  #show_row() {
    const row = this.row;
    if (row === null) return;
    this.#fill('state', [row.state, row.since, row.reason, row.override, row.critical, row.shadow, row.enabled, row.source,
      row.instance, row.last_failure], () => this.#state(row));
    this.#fill('live', [row.rates], () => this.#live(row));
    this.#fill('window', [row.counted, row.window, row.consecutive_failures, row.probes_in_flight, row.half_open_successes,
      row.generation], () => in_force(row));
    this.#fill('lifetime', [row.metrics], () => lifetime(row.metrics));
    this.#show_buttons();
    this.#show_times();
  }

  #state(row) {
    this.since = element('strong', { class: 'ticking' });
    this.retry = element('strong', { class: 'ticking' });
    this.until = element('strong', { class: 'ticking' });
    const facts = [element('p', { class: 'headline' }, badge(row.state), ' for ', this.since, row.retry_at === null ? '' : [
      ', next attempt ', this.retry], ' ', marks_of(row))].flat();
    if (row.reason !== '' && row.reason !== row.override?.reason) facts.push(element('p', {}, name_of(row.reason)));
    if (row.override !== null) {
      const { owner, reason } = row.override;
      facts.push(element('p', {}, 'Override of ', name_of(owner), ': ', name_of(reason), ' (', this.until, ')'));
    }
    if (row.last_failure !== null) {
      facts.push(element('p', { class: 'second' }, 'Last failure ', time_of(row.last_failure.time), ': ',
        name_of(row.last_failure.text)));
    }
    const where = [row.source !== '' && name_of(row.source), row.instance !== '' && `instance ${plain(row.instance)}`];
    facts.push(element('p', { class: 'second' }, where.filter(Boolean).flatMap((part, i) => (i === 0 ? [part] : [' · ', part]))));
    return facts;
  }

  #live(row) {
    const tile = (label, value) => element('div', { title: row.rates === null ? not_counted : null },
      element('dt', {}, label), element('dd', {}, row.rates === null ? dash : value()));
    return element('dl', { class: 'tiles' },
      tile('calls/s', () => per_second(row.rates.calls_per_second)), tile('failed', () => percent(row.rates.failure_rate)),
      tile('slow', () => percent(row.rates.slow_rate)), tile('rejected', () => percent(row.rates.rejection_rate)));
  }

  #show_times() {
    const row = this.row;
    if (row === null || this.since === undefined) return;
    set_text(this.since, duration(now() - Date.parse(row.since)));
    if (row.retry_at !== null) set_text(this.retry, retry_text(row).replace(/^(?!now)/, 'in '));
    if (row.override !== null) set_text(this.until, until_text(row));
  }

  #show_buttons() {
    const row = this.row;
    if (row === null) return;
    const hindered = obstacle(row);
    this.#fill('buttons', [hindered, row.state], () => [
      element('div', { class: 'buttons', role: 'group', 'aria-label': 'Actions' },
        actions.map((action) => this.#button(action, row, hindered))),
      hindered === null ? null : element('p', { class: 'hindered', id: 'hindered' }, hindered.why, ' ', hindered.token
        && element('button', { type: 'button', class: 'button', onclick: () => ask_for_token() }, 'Enter the token')),
    ].filter(Boolean));
  }

  // A button that does nothing stays reachable, so that readers and the keyboard find out why.
  #button(action, row, hindered) {
    const idle = !action.when.includes(row.state);
    const why = hindered?.why ?? (idle ? `Does nothing while the circuit is ${label_of(row.state)}.` : null);
    const ask = () => why === null && open_action(action, this.row, (after) => this.#acted(after));
    const button = element('button', { type: 'button', class: `button${action.danger ? ' danger' : ''}`, 'data-action': action.id,
      title: why ?? action.what, onclick: ask }, action.label);
    set_attribute(button, 'aria-disabled', why === null ? null : 'true');
    set_attribute(button, 'aria-describedby', hindered === null ? null : 'hindered');
    return button;
  }

  #acted(after) {
    take_row(after);
    this.#changed = true;
    this.node.querySelector('#circuit_name').focus({ preventScroll: true });
    this.#ask();
  }
}
