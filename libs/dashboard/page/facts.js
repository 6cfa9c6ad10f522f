// SPDX-License-Identifier: Apache-2.0
// The lists of the detail view: figures, configuration, failures, instances.
import { element } from './dom.js';
import { count, dash, duration, not_counted, percent } from './format.js';
import { link_of, name_of, plain } from './names.js';
import { notice } from './notices.js';
import { badge } from './states.js';
import { time_of } from './times.js';

function table(heads, rows) {
  return element('div', { class: 'scrolls' }, element('table', { class: 'facts' },
    element('thead', {}, element('tr', {}, heads.map((head) => element('th', { scope: 'col' }, head)))),
    element('tbody', {}, rows)));
}

export function configuration(values) {
  if (values.length === 0) return element('p', { class: 'empty' }, 'The configuration of this circuit is not known here.');
  return table(['Key', 'Value', 'From'], values.map(({ key, value, origin }) => element('tr', {},
    element('th', { scope: 'row' }, plain(key)), element('td', {}, name_of(value)), element('td', {}, name_of(origin)))));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    notice('Copied.');
  } catch {
    notice('The browser does not let this page copy; the text can be selected.');
  }
}

export function failures(list) {
  if (list.length === 0) return element('p', { class: 'empty' }, 'No failed call has been told of yet.');
  return element('ul', { class: 'failures' }, list.map((failure) => element('li', {},
    time_of(failure.time),
    element('span', { class: 'kind' }, plain(failure.kind)),
    name_of(failure.text, { class: 'why' }),
    failure.correlation_id && element('span', { class: 'correlation' },
      element('code', { title: 'correlation id' }, plain(failure.correlation_id)),
      element('button', { type: 'button', class: 'tool', 'aria-label': `Copy correlation id ${plain(failure.correlation_id)}`,
        onclick: () => copy(failure.correlation_id) }, 'Copy')))));
}

export function instances(list, shown) {
  return element('ul', { class: 'instances' }, list.map((one) => {
    const label = one.instance === '' ? 'the one without a number' : one.instance;
    const here = one.instance === shown.instance;
    return element('li', {}, badge(one.state), element('a', { href: link_of({ name: shown.name, instance: one.instance }),
      'aria-current': here ? 'true' : null }, name_of(label)), one.source === '' ? '' : name_of(one.source, { class: 'second' }));
  }));
}

const links = new Map([['connecting', 'not connected yet'], ['shared', 'shared'], ['local', 'local: decides alone']]);

/** How each process sees a circuit that several share; on a phone each row is a block, its cells labelled. */
export function views(list) {
  const cell = (label, ...content) => element('td', { 'data-label': label }, ...content);
  const heads = ['Instance', 'State', 'For', 'Calls', 'Failures', 'Rejected', 'Fleet'];
  const row = (one) => element('tr', {},
    element('th', { scope: 'row', 'data-label': 'Instance' }, name_of(one.instance)),
    cell('State', badge(one.state)), cell('For', duration(one.time_in_state * 1000)), cell('Calls', count(one.calls)),
    cell('Failures', count(one.failures)), cell('Rejected', count(one.rejections)),
    cell('Fleet', one.link === '' ? dash : name_of(links.get(one.link) ?? one.link)));
  return element('div', { class: 'scrolls' }, element('table', { class: 'facts stacks' },
    element('thead', {}, element('tr', {}, heads.map((head) => element('th', { scope: 'col' }, head)))),
    element('tbody', {}, list.map(row))));
}

const rates = new Set(['failure_rate', 'success_rate', 'rejection_rate']);

/** The lifetime counters. */
export function lifetime(metrics) {
  if (metrics === null) return element('p', { class: 'empty' }, not_counted);
  return element('dl', { class: 'figures' }, Object.entries(metrics).map(([name, value]) => element('div', {},
    element('dt', {}, name.replaceAll('_', ' ')), element('dd', {}, rates.has(name) ? percent(value) : count(value)))));
}

/** What the window holds, which is what the rules look at, and what recovery has come to. */
export function in_force(row) {
  const pair = (label, value, title = null) => element('div', { title }, element('dt', {}, label), element('dd', {}, value));
  const of_window = (value) => (row.counted ? value : dash);
  return element('dl', { class: 'figures' },
    pair('calls in window', of_window(count(row.window.calls)), row.counted ? null : not_counted),
    pair('failed in window', of_window(`${count(row.window.failures)} (${percent(row.window.failure_rate)})`)),
    pair('slow in window', of_window(`${count(row.window.slow)} (${percent(row.window.slow_rate)})`)),
    pair('failures in a row', of_window(count(row.consecutive_failures))),
    pair('probes in flight', of_window(count(row.probes_in_flight))),
    pair('probes succeeded', of_window(count(row.half_open_successes))),
    pair('generation', count(row.generation)));
}
