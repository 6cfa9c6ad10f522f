// SPDX-License-Identifier: Apache-2.0
// Operators: what they can do, and what the page says when they cannot.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open_circuit, picture, row_in, row_of, surroundings, with_page } from './browser.js';
import { service, token, upstream } from './service.js';

const all = surroundings();
const with_token = { hash: `#token=${token}` };
const button = (page, action) => page.locator(`[data-action="${action}"]`);
const headline = (page, state) => page.locator(`.headline .state[data-state="${state}"]`);

async function act(page, action, state, { ttl } = {}) {
  await page.locator(`[data-action="${action}"]:not([aria-disabled])`).click();
  const dialog = page.locator('#action_dialog');
  await dialog.getByLabel('Who you are').fill('alice');
  await dialog.getByLabel('Why').fill(`because of ${action}`);
  if (ttl !== undefined) await dialog.getByLabel('Ends by itself after').selectOption(ttl);
  await dialog.locator('button[type="submit"]').click();
  await dialog.waitFor({ state: 'detached' });
  await headline(page, state).waitFor();
}

async function on_circuit(name, use) {
  await all.served.name(name);
  await with_page(all, with_token, async (page) => {
    await open_circuit(page, name);
    await use(page);
  });
}

test('trip opens a circuit, and reset closes it', () => on_circuit('acted.trip', async (page) => {
  await act(page, 'trip', 'open');
  await act(page, 'reset', 'closed');
}));

test('force open with a time rejects everything and says who, why and how long; release ends it', () => on_circuit('acted.forced',
  async (page) => {
    await act(page, 'force-open', 'forced_open', { ttl: '15m' });
    const words = /Override of alice: because of force-open \((14m \d\ds|15m 00s) left\)/;
    await page.locator('.place_state', { hasText: words }).waitFor();
    await act(page, 'release', 'closed');
  }));

test('disable without a time lasts until it is released', () => on_circuit('acted.disabled', async (page) => {
  await act(page, 'disable', 'disabled', { ttl: '' });
  await page.locator('.place_state', { hasText: 'until released' }).waitFor();
  await page.goBack();
  await row_in(page, 'acted.disabled', 'disabled').locator('.col_override', { hasText: 'alice' }).waitFor();
}));

test('the audit log says who did what, in the view of the circuit and in that of all, without a token too', async () => {
  await on_circuit('acted.audited', async (page) => {
    await act(page, 'trip', 'open');
    await page.locator('.place_audit tr', { hasText: 'because of trip' }).waitFor();
  });
  await with_page(all, { hash: '#/audit' }, async (page) => {
    const line = page.locator('tr', { hasText: 'acted.audited' });
    await line.filter({ hasText: 'alice' }).filter({ hasText: 'trip' }).filter({ hasText: 'done' }).waitFor();
    await picture(page, 'audit');
  });
});

test('whoever acts has to say who and why, and the owner is remembered', () => on_circuit('acted.words', async (page) => {
  await act(page, 'trip', 'open');
  await page.locator('[data-action="reset"]:not([aria-disabled])').click();
  const dialog = page.locator('#action_dialog');
  assert.equal(await dialog.getByLabel('Who you are').inputValue(), 'alice');
  await dialog.locator('button[type="submit"]').click();  // no reason: the browser itself refuses
  assert.ok(await dialog.getByLabel('Why').evaluate((field) => !field.validity.valid));
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await headline(page, 'open').waitFor();
}));

test('what the server refuses is said in its own words', async () => {
  await all.served.name('acted.refused');
  await with_page(all, { ...with_token, expected: /status of 400/ }, async (page) => {
    await open_circuit(page, 'acted.refused');
    await page.locator('[data-action="force-open"]:not([aria-disabled])').click();
    const dialog = page.locator('#action_dialog');
    await dialog.getByLabel('Who you are').fill('alice');
    await dialog.getByLabel('Why').fill('to see the error');
    await dialog.getByLabel('Ends by itself after').selectOption('other');
    await dialog.getByLabel('Time').fill('a while');
    await dialog.locator('button[type="submit"]').click();
    await dialog.locator('.error', { hasText: 'ttl' }).waitFor();
    await picture(page, 'action-refused');
    await page.keyboard.press('Escape');
    await headline(page, 'closed').waitFor();
  });
});

test('without the token every action explains itself and does nothing', async () => {
  await with_page(all, {}, async (page) => {
    await open_circuit(page, 'payments');
    await page.locator('#hindered', { hasText: 'To act you need the token' }).waitFor();
    for (const action of ['trip', 'force-open', 'disable', 'release', 'reset']) {
      assert.equal(await button(page, action).getAttribute('aria-disabled'), 'true', action);
      await button(page, action).click({ force: true });
      assert.equal(await page.locator('dialog').count(), 0, action);
    }
  });
});

test('the token is taken out of the address and kept in this tab alone', async () => {
  await with_page(all, with_token, async (page) => {
    assert.ok(!page.url().includes(token), page.url());
    await page.locator('#token_button', { hasText: '✓' }).waitFor();
    assert.ok(await page.evaluate((secret) => !JSON.stringify({ ...localStorage }).includes(secret), token));
    assert.ok(await page.evaluate((secret) => JSON.stringify({ ...sessionStorage }).includes(secret), token));
    assert.equal(await page.evaluate(() => document.cookie), '');
  });
});

test('a wrong token is said to be wrong, the right one enables the actions, and it can be forgotten', async () => {
  await with_page(all, {}, async (page) => {
    await open_circuit(page, 'payments');
    await page.getByRole('button', { name: 'Enter the token' }).click();
    const dialog = page.locator('#token_dialog');
    await dialog.getByLabel('Token', { exact: true }).fill('not-the-token-at-all');
    await dialog.getByRole('button', { name: 'Use it' }).click();
    await dialog.locator('.error', { hasText: 'does not know this token' }).waitFor();
    await dialog.getByLabel('Token', { exact: true }).fill(token);
    await dialog.getByRole('button', { name: 'Use it' }).click();
    await page.locator('[data-action="trip"]:not([aria-disabled])').waitFor();
    await page.locator('#token_button').click();
    await page.getByRole('button', { name: 'Forget it' }).click();
    await page.locator('[data-action="trip"][aria-disabled]').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });
});

test('a read-only dashboard and one without a token say so', async () => {
  const up = new upstream();
  await up.revive();
  for (const [options, words] of [[['--token', token, '--read-only'], 'read-only'], [[], 'has no token']]) {
    const served = await service.start(up, ...options);
    try {
      await with_page({ ...all, served }, { hash: '#/circuit/payments' }, async (page) => {
        await page.locator('#hindered', { hasText: words }).waitFor();
        assert.equal(await button(page, 'trip').getAttribute('aria-disabled'), 'true');
      });
    } finally {
      await served.stop();
    }
  }
  await up.kill();
});

test('an action of somebody else appears by itself', async () => {
  await all.served.name('acted.elsewhere');
  await with_page(all, {}, async (page) => {
    await row_of(page, 'acted.elsewhere').waitFor();
    const answer = await fetch(`${all.served.url}api/v1/circuits/acted.elsewhere/trip`, { method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ owner: 'bob', reason: 'from a script', ttl: null }) });
    assert.equal(answer.status, 200);
    await row_in(page, 'acted.elsewhere', 'open').waitFor();
  });
});
