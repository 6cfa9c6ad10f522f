// SPDX-License-Identifier: Apache-2.0
// The parts of the page that need no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rates_of } from './page/chart.js';
import { matches, sorted, worst_of } from './page/columns.js';
import { countdown, duration, per_second, percent } from './page/format.js';
import { link_of, plain } from './page/names.js';
import { event_parser, read_events } from './page/stream.js';
import { can_be_token } from './page/token.js';

function events_of(...pieces) {
  const found = [];
  const parser = new event_parser((type, data) => found.push([type, data]));
  pieces.forEach((piece) => parser.push(piece));
  return found;
}

function row(name, state, more = {}) {
  return { name, state, instance: '', source: '', reason: '', since: '2026-01-01T00:00:00Z', retry_at: null, override: null,
    shadow: false, rates: { calls_per_second: 0, failure_rate: 0, slow_rate: 0, rejection_rate: 0 }, ...more };
}

const names = (rows) => rows.map(({ name }) => name);

test('an event comes through whatever the pieces in which it arrives', () => {
  const text = 'event: changes\ndata: {"a":1}\n\n: a comment\n\ndata: plain\r\n\r\n';
  const expected = [['changes', '{"a":1}'], ['message', 'plain']];
  assert.deepEqual(events_of(text), expected);
  assert.deepEqual(events_of(...text), expected);
});

test('data of many lines is one event, and what has not ended is none', () => {
  assert.deepEqual(events_of('data: one\ndata:two\nid: 7\n\ndata: never ended\n'), [['message', 'one\ntwo']]);
});

test('a stream that cannot be understood is let go, so that its connection ends', async () => {
  let tell_let_go;
  const let_go = new Promise((resolve) => {
    tell_let_go = resolve;
  });
  const body = new ReadableStream({
    pull: (to) => to.enqueue(new TextEncoder().encode('data: x\n\n')),
    cancel: tell_let_go,
  });
  await assert.rejects(read_events(body, () => {
    throw new Error('what is this?');
  }), /what is this/);
  await let_go;
});

test('a token is what a header can carry', () => {
  assert.ok(can_be_token('0123456789abcdef/+_-~'));
  for (const text of ['', 'a b', 'a\nb', 'ö', '…', 'x'.repeat(257)]) assert.ok(!can_be_token(text), text);
});

test('the worst circuits come first, then their names', () => {
  const rows = [row('b', 'closed'), row('a', 'closed'), row('d', 'disabled'), row('h', 'half_open'), row('o', 'open'),
    row('f', 'forced_open')];
  assert.deepEqual(names(sorted(rows, { column: 'state', down: false })), ['f', 'o', 'h', 'd', 'a', 'b']);
});

test('what is not counted comes last, whichever way the order goes', () => {
  const rows = [row('none', 'closed', { rates: null }), row('slow', 'closed', { rates: { calls_per_second: 1 } }),
    row('quick', 'closed', { rates: { calls_per_second: 9 } })];
  assert.deepEqual(names(sorted(rows, { column: 'calls', down: true })), ['quick', 'slow', 'none']);
  assert.deepEqual(names(sorted(rows, { column: 'calls', down: false })), ['slow', 'quick', 'none']);
});

test('a search is for every word, in the name, the reason, the source and the owner', () => {
  const found = row('payments', 'open', { reason: '5 consecutive failures', source: 'switchgear://till-7/12',
    override: { owner: 'Alice', reason: '', until: null } });
  const search = (...words) => matches(found, { states: new Set(), words });
  assert.ok(search('pay', 'till-7') && search('consecutive') && search('alice'));
  assert.ok(!search('pay', 'bob'));
  assert.ok(!matches(found, { states: new Set(['closed']), words: [] }));
});

test('the page looks as bad as the worst of its circuits', () => {
  const none = { open: 0, forced_open: 0, half_open: 0, disabled: 0 };
  assert.equal(worst_of(none), 'closed');
  assert.equal(worst_of({ ...none, disabled: 1 }), 'attention');
  assert.equal(worst_of({ ...none, half_open: 1, forced_open: 1 }), 'open');
});

test('times are short and never negative', () => {
  assert.deepEqual([-5, 0, 59_999, 60_000, 3_599_000, 3_600_000, 90_000_000].map(duration),
    ['0s', '0s', '59s', '1m 00s', '59m 59s', '1h 00m', '1d 1h']);
  assert.equal(countdown(1), '1s');
});

test('shares and rates are rounded, and what is small is not made nothing', () => {
  assert.deepEqual([0, 0.0004, 0.004, 0.05, 0.123, 1].map(percent), ['0%', '<0.1%', '0.4%', '5%', '12%', '100%']);
  assert.deepEqual([0, 0.3, 12.4, 1250].map(per_second), ['0', '0.3', '12', '1,250']);
});

test('hidden characters are written out, and every name makes an address of its own', () => {
  assert.equal(plain('a\u202eb'), 'a⟨U+202E⟩b');
  assert.equal(link_of({ name: 'a/b?c#d%', instance: '' }), '#/circuit/a%2Fb%3Fc%23d%25');
  assert.equal(link_of({ name: 'a', instance: 'f&0' }), '#/circuit/a?instance=f%260');
});

test('where nobody looked the chart has a gap, and no calls are no failures', () => {
  const rates = rates_of({ step_seconds: 10, end: '2026-01-01T00:00:30Z', calls: [null, 0, 20], failures: [null, 0, 5],
    slow: [null, 0, 0], rejections: [null, 0, 20] });
  assert.deepEqual(rates.calls, [null, 0, 2]);
  assert.deepEqual(rates.failed, [null, 0, 0.25]);
  assert.deepEqual(rates.rejected, [null, 0, 0.5]);
  assert.deepEqual(rates.times.map((time) => time - rates.times[2]), [-20, -10, 0]);
});
