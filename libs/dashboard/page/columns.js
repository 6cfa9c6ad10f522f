// SPDX-License-Identifier: Apache-2.0
// The columns of the overview: what each is called, how it sorts, and in what order the circuits come.
import { is_open, severity } from './states.js';

const by_text = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const moment_of = (text) => (text ? Date.parse(text) : null);

// `value` is what is sorted by; null comes last either way. `down`: the largest first, when the column is first chosen.
export const columns = [
  { id: 'state', label: 'State', value: (row) => severity(row.state) },
  { id: 'name', label: 'Circuit', value: (row) => row.name },
  { id: 'since', label: 'In state', value: (row) => -Date.parse(row.since), down: true, number: true },
  { id: 'calls', label: 'Calls/s', value: (row) => row.rates?.calls_per_second ?? null, down: true, number: true },
  { id: 'failure', label: 'Failed', value: (row) => row.rates?.failure_rate ?? null, down: true, number: true },
  { id: 'slow', label: 'Slow', value: (row) => row.rates?.slow_rate ?? null, down: true, number: true },
  { id: 'rejected', label: 'Rejected', value: (row) => row.rates?.rejection_rate ?? null, down: true, number: true },
  { id: 'retry', label: 'Retry in', value: (row) => moment_of(row.retry_at), number: true },
  { id: 'override', label: 'Override', value: (row) => row.override?.owner ?? null },
];

/** Whether the order by this column changes with every refresh. */
export function is_measured(id) {
  return ['calls', 'failure', 'slow', 'rejected'].includes(id);
}

/** The rows in order: by the column, then by severity, name and instance. */
export function sorted(rows, { column, down }) {
  const value = columns.find((c) => c.id === column).value;
  const keyed = rows.map((row) => ({ row, value: value(row), bad: severity(row.state) }));
  const sign = down ? -1 : 1;
  const compare = (a, b) => {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    return sign * by_text(a, b);
  };
  keyed.sort((a, b) => compare(a.value, b.value) || a.bad - b.bad || by_text(a.row.name, b.row.name)
    || by_text(a.row.instance, b.row.instance));
  return keyed.map((k) => k.row);
}

/** Whether a row has one of the states (none chosen: any; `shadow` counts as one) and every word of the search. */
export function matches(row, { states, words }) {
  if (states.size > 0 && !states.has(row.state) && !(row.shadow && states.has('shadow'))) return false;
  if (words.length === 0) return true;
  const text = `${row.name}\n${row.instance}\n${row.source}\n${row.reason}\n${row.override?.owner ?? ''}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** What the whole page looks like: the worst of what is there. */
export function worst_of(summary) {
  if (summary.open + summary.forced_open > 0) return 'open';
  return summary.half_open + summary.disabled > 0 ? 'attention' : 'closed';
}

export function open_rows(rows) {
  return [...rows].filter((row) => is_open(row.state));
}
