// SPDX-License-Identifier: Apache-2.0
// What happens to real calls is what the page shows, as it happens; and it survives its server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open_circuit, patience, picture, row_in, row_of, surroundings, with_page } from './browser.js';
import { service, token } from './service.js';

const all = surroundings();
const refused = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_NETWORK/;

async function recovered(page) {
  await all.up.revive();
  await row_in(page, 'payments', 'closed').waitFor();
  await row_in(page, 'storage:save_task', 'closed').waitFor();
}

test('a circuit opens before the eyes of the reader when its upstream dies, and closes when it is back', async () => {
  await with_page(all, {}, async (page) => {
    await row_in(page, 'payments', 'closed').waitFor();
    await page.waitForFunction(() => /[1-9]/.test(document.querySelector('.rows .col_calls').textContent));
    await all.up.kill();
    const open = row_in(page, 'payments', 'open');
    await open.waitFor();
    await page.waitForFunction(() => /^\(\d open\) page tests$/.test(document.title));
    assert.match(await page.locator('#icon').getAttribute('href'), /icon_open\.svg$/);
    await page.waitForFunction(() => document.getElementById('announcer').textContent.includes('is open'));
    await recovered(page);
    await page.waitForFunction(() => document.title === 'page tests');
    assert.match(await page.locator('#icon').getAttribute('href'), /icon_closed\.svg$/);
  });
});

test('an open circuit says why it is open and when the next attempt is', async () => {
  await with_page(all, {}, async (page) => {
    await all.up.kill();
    await page.waitForFunction(() => [...document.querySelectorAll('.rows .row[data-state="open"]')]
      .some((row) => /^(\d+s|now)$/.test(row.querySelector('.col_retry').textContent)
        && row.querySelector('.reason').textContent !== ''));
    await page.waitForFunction(() => {
      const text = document.querySelector('.rows .row[data-state="open"] .col_rejected')?.textContent;
      return text !== undefined && text !== '0%' && text !== '–';
    });
    await recovered(page);
  });
});

test('the view of one circuit shows its rates, transitions, failures and configuration, and follows them', async () => {
  await with_page(all, { context: { viewport: { width: 1280, height: 1500 } } }, async (page) => {
    await open_circuit(page, 'payments');
    await page.locator('.chart .u-over').nth(1).waitFor();
    await all.up.kill();
    await page.locator('.headline .state[data-state="open"]').waitFor();
    await page.locator('.timeline li', { hasText: '3 consecutive failures (threshold 3)' }).first().waitFor();
    const id = page.locator('.failures code').first();
    await id.waitFor();
    assert.match(await id.textContent(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    const threshold = page.locator('.place_configuration tr', { hasText: 'failure_threshold' });
    assert.equal(await threshold.locator('td').first().textContent(), '3');
    await page.locator('.place_lifetime dt', { hasText: 'total calls' }).waitFor();
    await picture(page, 'detail-open');
    await all.up.revive();
    await page.locator('.headline .state[data-state="closed"]').waitFor();
    await page.goBack();
    await row_in(page, 'payments', 'closed').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'payments');
    await recovered(page);
  });
});

test('what a failed call was known by can be copied', async () => {
  await with_page(all, { context: { permissions: ['clipboard-read', 'clipboard-write'] } }, async (page) => {
    await open_circuit(page, 'payments');
    const id = await page.locator('.failures code').first().textContent();
    await page.locator('.failures button').first().click();
    await page.locator('.notice', { hasText: 'Copied.' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), id);
  });
});

test('when the server dies the page says that it is stale and how old, and recovers without being loaded again', async () => {
  await with_page(all, { expected: refused }, async (page) => {
    await page.evaluate(() => {
      globalThis.still_the_same_page = true;
    });
    await all.served.kill();
    await page.locator('#stale', { hasText: /No news from the server: what you see is \d+s old/ }).waitFor();
    assert.ok(await page.evaluate(() => document.body.classList.contains('is_stale')));
    assert.match(await page.title(), /^\(stale\)/);
    await picture(page, 'stale');
    all.served = await service.start(all.up, '--token', token, '--port', String(all.served.port));
    await all.served.name('made after the restart');
    await page.locator('#stale').waitFor({ state: 'hidden' });
    await row_of(page, 'made after the restart').waitFor();
    assert.ok(await page.evaluate(() => globalThis.still_the_same_page && !document.body.classList.contains('is_stale')));
  });
});

test('the view of one circuit goes on with the circuit of that name of a server that was started anew', async () => {
  await with_page(all, { expected: new RegExp(`${refused.source}|404`) }, async (page) => {
    await open_circuit(page, 'payments');
    const before = await page.locator('.detail').textContent();
    assert.match(before, /instance [0-9a-f]{16}/);
    const instance = /instance ([0-9a-f]{16})/.exec(before)[1];
    await all.served.kill();
    await page.locator('#stale').waitFor();
    all.served = await service.start(all.up, '--token', token, '--port', String(all.served.port));
    await page.locator('#stale').waitFor({ state: 'hidden' });
    await page.waitForFunction((old) => {
      const seen = /instance ([0-9a-f]{16})/.exec(document.querySelector('.detail').textContent);
      return seen !== null && seen[1] !== old && document.querySelector('.detail .error').textContent === '';
    }, instance);
  });
});

test('a circuit that is asked for by its address is shown, and one that does not exist is said not to', async () => {
  await with_page(all, { hash: '#/circuit/payments' }, async (page) => {
    await page.locator('.place_configuration .facts').waitFor();
    await page.locator('.tiles dd').first().waitFor();
  });
  await with_page(all, { hash: '#/circuit/nobody', expected: /404/ }, async (page) => {
    await page.locator('.detail .error', { hasText: /./ }).waitFor({ timeout: patience });
  });
});
