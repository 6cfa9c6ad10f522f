// SPDX-License-Identifier: Apache-2.0
// On a phone, in the dark, and without a mouse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asks_for_no_more_width, open_circuit, phone, picture, row_of, surroundings, with_page } from './browser.js';
import { token } from './service.js';

const all = surroundings(async (served) => {
  for (const name of ['geo.lookup', 'mail.smtp', 'search.index']) await served.name(name);
});

const focused = (page) => page.evaluate(() => document.activeElement.textContent);

test('on a phone nothing has to be moved sideways', async () => {
  await with_page(all, { context: phone }, async (page) => {
    await row_of(page, 'payments').waitFor();
    await asks_for_no_more_width(page);
    await picture(page, 'phone');
    await row_of(page, 'payments').locator('a.name').tap();
    await page.locator('.chart .u-over').first().waitFor();
    await page.locator('.place_configuration .facts').waitFor();
    await asks_for_no_more_width(page);
    await picture(page, 'detail-phone');
    await page.goto(`${all.served.url}#/audit`);
    await page.locator('#audit_heading').waitFor();
    await asks_for_no_more_width(page);
  });
});

test('on the smallest phones neither', async () => {
  await with_page(all, { context: { ...phone, viewport: { width: 320, height: 600 } } }, async (page) => {
    await row_of(page, 'payments').waitFor();
    await asks_for_no_more_width(page);
  });
});

test('light or dark as the system says, until the reader says otherwise, which is kept', async () => {
  const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  let light;
  await with_page(all, { context: { colorScheme: 'light' } }, async (page) => {
    light = await ground(page);
    await picture(page, 'light');
    await open_circuit(page, 'payments');
  });
  await with_page(all, { context: { colorScheme: 'dark' } }, async (page) => {
    const dark = await ground(page);
    assert.notEqual(dark, light);
    await row_of(page, 'payments').waitFor();
    await picture(page, 'dark');
    await page.getByRole('button', { name: 'Light colours' }).click();
    assert.equal(await ground(page), light);
    await page.reload();
    await row_of(page, 'payments').waitFor();
    assert.equal(await ground(page), light);
    await page.getByRole('button', { name: 'Dark colours' }).click();
    assert.equal(await ground(page), dark);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
  });
});

test('nothing moves for readers who ask for that', async () => {
  await with_page(all, { context: { reducedMotion: 'reduce' } }, async (page) => {
    await row_of(page, 'payments').waitFor();
    assert.equal(await page.locator('main').evaluate((node) => getComputedStyle(node).transitionDuration), '0s');
  });
});

test('the keyboard alone finds a circuit, opens it, acts on it, and goes back', async () => {
  await with_page(all, { hash: `#token=${token}` }, async (page) => {
    await row_of(page, 'geo.lookup').waitFor();
    await page.locator('#token_button', { hasText: '✓' }).waitFor();
    const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
    await press('j');
    assert.equal(await focused(page), 'geo.lookup');
    await press('j');
    assert.equal(await focused(page), 'mail.smtp');
    await press('ArrowDown', 'k', 'ArrowUp');
    assert.equal(await focused(page), 'geo.lookup');
    await press('/');
    await page.waitForFunction(() => document.activeElement.id === 'search');
    await page.keyboard.type('search.ind');
    await page.waitForFunction(() => document.querySelectorAll('.rows .row').length === 1);
    await press('Enter');
    assert.equal(await focused(page), 'search.index');
    await press('Enter');
    await page.locator('.place_configuration .facts').waitFor();
    assert.match(page.url(), /#\/circuit\/search\.index/);
    const action = () => page.evaluate(() => document.activeElement.dataset.action);
    for (let i = 0; i < 20 && await action() !== 'trip'; ++i) await press('Tab');
    await press('Enter');
    await page.locator('#action_dialog').waitFor();
    await page.keyboard.type('carol');
    await press('Tab');
    await page.keyboard.type('no mouse here');
    await press('Enter');
    await page.locator('.headline .state[data-state="open"]').waitFor();
    await press('Escape');
    await row_of(page, 'search.index').waitFor();
    assert.equal(await focused(page), 'search.index');
    await press('/');
    await page.waitForFunction(() => document.activeElement.id === 'search');
    await press('Escape');
    await row_of(page, 'payments').waitFor();
    await press('Escape', '?');
    await page.locator('#help_dialog').waitFor();
    await picture(page, 'help');
    await press('Escape');
    await page.locator('#help_dialog').waitFor({ state: 'detached' });
    await press('a');
    await page.locator('tr', { hasText: 'no mouse here' }).waitFor();
    await press('o');
    await row_of(page, 'payments').waitFor();
  });
});

test('single keys can be switched off', async () => {
  await with_page(all, {}, async (page) => {
    await row_of(page, 'payments').waitFor();
    await page.keyboard.press('?');
    await page.getByLabel('Single-key shortcuts').uncheck();
    await page.keyboard.press('Escape');
    await page.locator('#help_dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('a');
    await page.keyboard.press('?');
    assert.equal(await page.locator('dialog, #audit_heading').count(), 0);
  });
});

test('the row with the focus keeps it while everything around it changes', async () => {
  await with_page(all, {}, async (page) => {
    await row_of(page, 'storage:save_task').locator('a.name').focus();
    await page.locator('.head .col_state').waitFor();
    await all.up.kill();
    await page.waitForFunction(() => document.title.startsWith('('));
    assert.equal(await focused(page), 'storage:save_task');
    await all.up.revive();
    await page.waitForFunction(() => !document.title.startsWith('(2'));
    assert.equal(await focused(page), 'storage:save_task');
  });
});
