// SPDX-License-Identifier: Apache-2.0
// Numbers and times as people read them.

export const dash = '–';
export const not_counted = 'Not counted: only the transitions of this circuit are told here, not its calls.';

/** Milliseconds as `850ms`, `12s`, `4m 05s`, `2h 13m`, `3d 4h`. */
export function duration(milliseconds) {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${String(seconds % 60).padStart(2, '0')}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${String(minutes % 60).padStart(2, '0')}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** Until a moment, rounded up, so that a countdown ends with `1s`. */
export function countdown(milliseconds) {
  return duration(Math.ceil(milliseconds / 1000) * 1000);
}

/** A share of 0 … 1 as `0%`, `0.4%`, `37%`. */
export function percent(share) {
  const value = share * 100;
  if (value === 0 || value >= 10 || Number.isInteger(value)) return `${Math.round(value)}%`;
  return value < 0.1 ? '<0.1%' : `${value.toFixed(1)}%`;
}

/** `0`, `0.3`, `12`, `1,250` */
export function per_second(value) {
  if (value === 0 || value >= 100) return count(Math.round(value));
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

const grouped = new Intl.NumberFormat('en');
export function count(value) {
  return grouped.format(value);
}

const pad = (value) => String(value).padStart(2, '0');

/** The local time of the reader: `14:03:07`, with the day when it is not today. */
export function moment(milliseconds, now = Date.now()) {
  const time = new Date(milliseconds);
  const clock = `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
  const same_day = time.toDateString() === new Date(now).toDateString();
  return same_day ? clock : `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} ${clock}`;
}

/** `1 circuit`, `2 circuits` */
export function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}
