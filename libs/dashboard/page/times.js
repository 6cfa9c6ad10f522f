// SPDX-License-Identifier: Apache-2.0
import { now } from './clock.js';
import { element } from './dom.js';
import { moment } from './format.js';
import { plain } from './names.js';

/** A moment that the server has told, in the reader's time; the server's own words are the title. */
export function time_of(text) {
  return element('time', { datetime: plain(text), title: plain(text) }, moment(Date.parse(text), now()));
}
