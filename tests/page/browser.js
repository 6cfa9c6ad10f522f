// SPDX-License-Identifier: Apache-2.0
// A real browser that notices everything a page should not do.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { service, token, upstream } from './service.js';

export const patience = 90_000;  // the machine may be busy; nothing waits this long when all is well
export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** Before the tests of a file: an upstream, a service (which `prepare` gets ready) and a browser; gone after them. */
export function surroundings(prepare = async () => {}) {
  const all = { up: new upstream(), served: null, browser: null };
  before(async () => {
    await all.up.revive();
    all.served = await service.start(all.up, '--token', token, '--critical', 'pay*');
    await prepare(all.served);
    all.browser = await chromium.launch({ executablePath: process.env.CHROMIUM, timeout: patience,
      args: ['--no-sandbox', '--no-proxy-server', '--disable-dev-shm-usage'] });
  });
  after(async () => {
    await all.browser?.close();
    await all.served?.stop();
    await all.up.kill();
  });
  return all;
}

/**
 * Opens the page, runs `use(page)`, then asserts that there was no error, no violation of the content security policy and no
 * request to anybody else. `expected`: console messages that belong to the test;
 * `script`: runs in the page before anything of it.
 */
export async function with_page(all, { hash = '', expected = /^$/, context = {}, script = () => {} }, use) {
  const opened = await all.browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  opened.setDefaultTimeout(patience);
  const page = await opened.newPage();
  const complaints = [];
  const complain = (text) => expected.test(text) || complaints.push(text);
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(`console: ${message.text()}`));
  page.on('pageerror', (error) => complain(`error: ${error.stack}`));
  const home = new URL(all.served.url).host;
  page.on('request', (request) => new URL(request.url()).host === home || complain(`asks ${request.url()}`));
  await page.exposeFunction('tell_violation', (text) => complain(`content security policy: ${text}`));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) => {
    globalThis.tell_violation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
  }));
  await page.addInitScript(script);
  try {
    await page.goto(all.served.url + hash);
    await page.locator('#connection[data-state="live"]').waitFor();
    await use(page);
    assert.deepEqual(complaints, []);
  } finally {
    await opened.close();
  }
}

/** The row of a circuit in the overview. */
export function row_of(page, name) {
  return page.locator('.rows .row').filter({ has: page.locator(`a.name bdi[title=${JSON.stringify(name)}]`) });
}

export function row_in(page, name, state) {
  return row_of(page, name).and(page.locator(`[data-state="${state}"]`));
}

/** Opens the view of a circuit and waits until the server has told of it. */
export async function open_circuit(page, name) {
  await row_of(page, name).locator('a.name').click();
  await page.locator('.place_configuration .facts').waitFor();
}

export async function asks_for_no_more_width(page) {
  const [wide, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= inner, `the page is ${wide} wide, the screen ${inner}`);
}

/** A picture of what is in sight, for the documentation or for whoever looks into the build folder. */
export function picture(page, name) {
  return page.screenshot({ path: `${process.env.PAGE_IMAGES}/dashboard-${name}.png`, animations: 'disabled' });
}
