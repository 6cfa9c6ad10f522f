// SPDX-License-Identifier: Apache-2.0
// A circuit that several processes share, as each of them sees it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import axe from 'axe-core';
import { asks_for_no_more_width, open_circuit, phone, picture, surroundings, with_page } from './browser.js';

const all = surroundings();
const bidi = '\u202e';
const hostile = '<img src=x onerror=alert(1)>';

const panel = (page) => page.locator('section[aria-label="Instances"]');
const row_of_instance = (page, title) => panel(page).locator('tbody tr').filter({
  has: page.locator(`th bdi[title=${JSON.stringify(title)}]`) });
const cells = (row) => row.locator('th, td').allTextContents();

async function open_instances(page) {
  await open_circuit(page, 'payments');
  await panel(page).locator('tbody tr').first().waitFor();
}

test('a circuit that nobody shares has no such list', () => with_page(all, {}, async (page) => {
  await open_circuit(page, 'payments');
  assert.equal(await panel(page).count(), 1);
  assert.equal(await panel(page).isVisible(), false);
}));

test('each instance has a row with its state in words and shape, its counts and its link', async () => {
  await all.served.view('web-1/17/a', 'open', 'shared');
  await all.served.view('web-2/4/b', 'half_open', 'local');
  await all.served.view('web-3/9/c', 'closed', 'connecting');
  await with_page(all, {}, async (page) => {
    await open_instances(page);
    assert.deepEqual(await panel(page).locator('thead th').allTextContents(),
      ['Instance', 'State', 'For', 'Calls', 'Failures', 'Rejected', 'Fleet']);
    assert.deepEqual(await cells(row_of_instance(page, 'web-1/17/a')),
      ['web-1/17/a', 'open', '2m 05s', '12,345', '67', '8', 'shared']);
    assert.deepEqual(await cells(row_of_instance(page, 'web-2/4/b')),
      ['web-2/4/b', 'half-open', '2m 05s', '12,345', '67', '8', 'local: decides alone']);
    assert.equal((await cells(row_of_instance(page, 'web-3/9/c'))).at(-1), 'not connected yet');
    assert.equal(await panel(page).locator('tbody .state svg').count(), 3);
    const shapes = await panel(page).locator('tbody .state svg').evaluateAll((drawn) => drawn.map((svg) => svg.innerHTML));
    assert.equal(new Set(shapes).size, 3);
    await picture(page, 'instances');
  });
});

test('an instance that appears while the page is open appears on it', () => with_page(all, {}, async (page) => {
  await open_instances(page);
  await all.served.view('late', 'disabled', 'shared');
  await row_of_instance(page, 'late').waitFor();
  assert.equal((await cells(row_of_instance(page, 'late')))[1], 'disabled');
}));

test('names and links from outside are text', async () => {
  await all.served.view(hostile, 'forced_open', '<b>x</b>');
  await all.served.view(`web${bidi}1`, 'open', 'constructor');
  await with_page(all, {}, async (page) => {
    await open_instances(page);
    const row = row_of_instance(page, hostile);
    await row.waitFor();
    assert.equal(await row.locator('img, script, b').count(), 0);
    assert.deepEqual((await cells(row)).filter((_, i) => [0, 1, 6].includes(i)), [hostile, 'forced open', '<b>x</b>']);
    const turned = row_of_instance(page, 'web⟨U+202E⟩1');
    assert.equal((await cells(turned)).at(-1), 'constructor');
    assert.equal(await turned.locator('th .code_point').textContent(), 'U+202E');
  });
});

test('on a phone each instance is a block whose values are labelled, and nothing has to be moved sideways', async () => {
  await all.served.view('x'.repeat(100), 'closed', 'shared');
  await with_page(all, { context: phone }, async (page) => {
    await open_instances(page);
    await row_of_instance(page, 'x'.repeat(100)).waitFor();
    await asks_for_no_more_width(page);
    const value = row_of_instance(page, 'web-1/17/a').locator('td[data-label="Failures"]');
    assert.equal(await value.evaluate((node) => getComputedStyle(node, '::before').content), '"Failures"');
    await panel(page).scrollIntoViewIfNeeded();
    await picture(page, 'instances-phone');
  });
});

for (const [what, context] of [['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark' }],
  ['on a phone', { ...phone, colorScheme: 'light' }]]) {
  test(`the list has no fault (${what})`, () => with_page(all, { context: { ...context, reducedMotion: 'reduce' } },
    async (page) => {
      await open_instances(page);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => globalThis.axe.run('section[aria-label="Instances"]',
        { resultTypes: ['violations'] }));
      assert.deepEqual(violations.map(({ id, nodes }) => ({ id, where: nodes.map((node) => `${node.target}`) })), []);
    }));
}
