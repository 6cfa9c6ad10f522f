// SPDX-License-Identifier: Apache-2.0
// Every view and dialog against the rules of axe-core, in light and in dark.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import axe from 'axe-core';
import { open_circuit, phone, row_in, row_of, surroundings, with_page } from './browser.js';
import { token } from './service.js';

async function act(served, name, action, more = {}) {
  const answer = await fetch(`${served.url}api/v1/circuits/${encodeURIComponent(name)}/${action}`, { method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ owner: 'alice', reason: 'maintenance', ttl: null, ...more }) });
  assert.equal(answer.status, 200, await answer.text());
}

const all = surroundings(async (served) => {
  await served.command('circuits 30');
  await served.command('trip 5');
  for (const name of ['forced', 'disabled', `over${'\u202e'}ride`]) await served.name(name);
  await act(served, 'forced', 'force-open', { ttl: '1h' });
  await act(served, 'disabled', 'disable');
});

async function has_no_fault(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const where = (nodes) => nodes.map((node) => `${node.target} ${node.failureSummary}`);
  assert.deepEqual(violations.map(({ id, help, nodes }) => ({ id, help, where: where(nodes) })), []);
}

for (const [what, context] of [['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark' }],
  ['on a phone', { ...phone, colorScheme: 'light' }]]) {
  const options = { hash: `#token=${token}`, context: { ...context, reducedMotion: 'reduce' } };

  test(`the overview has no fault (${what})`, () => with_page(all, options, async (page) => {
    await row_in(page, 'forced', 'forced_open').waitFor();
    await has_no_fault(page);
    await page.locator('#search').fill('no such circuit');
    await page.locator('.overview .empty').waitFor();
    await has_no_fault(page);
  }));

  test(`one circuit and the dialog of an action have no fault (${what})`, () => with_page(all, options, async (page) => {
    await open_circuit(page, 'forced');
    await page.locator('.chart .u-over').first().waitFor();
    await has_no_fault(page);
    await page.locator('[data-action="disable"]:not([aria-disabled])').click();
    await page.locator('#action_dialog').waitFor();
    await has_no_fault(page);
  }));

  test(`the audit log, the help and the dialog of the token have no fault (${what})`,
    () => with_page(all, { ...options, hash: '#/audit' }, async (page) => {
      await page.locator('tbody tr').first().waitFor();
      await has_no_fault(page);
      await page.keyboard.press('?');
      await page.locator('#help_dialog').waitFor();
      await has_no_fault(page);
      await page.keyboard.press('Escape');
      await page.locator('#token_button').click();
      await page.locator('#token_dialog').waitFor();
      await has_no_fault(page);
    }));
}

test('transitions are told politely to those who listen', () => with_page(all, {}, async (page) => {
  await row_of(page, 'disabled').waitFor();
  assert.equal(await page.locator('#announcer').getAttribute('aria-live'), 'polite');
  await act(all.served, 'disabled', 'release');
  await page.waitForFunction(() => /disabled was disabled, is closed/.test(document.getElementById('announcer').textContent));
}));
