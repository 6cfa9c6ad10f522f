// SPDX-License-Identifier: Apache-2.0
// Names come from anywhere. They are shown as text, and none disguises itself as another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asks_for_no_more_width, phone, picture, row_of, surroundings, with_page } from './browser.js';

const all = surroundings();
const override = '\u202e';

const names = {
  'markup': ['<script>alert(1)</script>'],
  'an image with a handler': ['<img src=x onerror=alert(1)>'],
  'a right-to-left override': [`report${override}gpj.exe`, 'report⟨U+202E⟩gpj.exe', 'reportU+202Egpj.exe'],
  'Arabic': ['خدمة الطلبات'],
  'emoji': ['🔥 fire 👩‍💻'],
  '200 characters': ['x'.repeat(200)],
  'slashes and signs of addresses': ['a/b?c=d&e#f%2F%g'],
  'quotes': ['"quoted" \'twice\' & `more`'],
  'spaces': ['  two  spaces  '],
};

for (const [what, [name, title = name, text = name]] of Object.entries(names)) {
  test(`a name with ${what} is text, and opens its own circuit`, async () => {
    await all.served.name(name);
    await with_page(all, {}, async (page) => {
      const row = row_of(page, title);
      await row.waitFor();
      assert.equal(await row.locator('a.name').textContent(), text);
      assert.equal(await row.locator('script, img').count(), 0);
      await row.locator('a.name').click();
      await page.locator('.place_configuration .facts').waitFor();
      assert.equal(await page.locator('#circuit_name').textContent(), text);
      assert.equal(await page.locator('.detail > .error').textContent(), '');
      assert.equal(await page.locator('bdi[dir="auto"]').count() > 0, true);
    });
  });
}

test('the direction of a name does not reach what stands beside it', async () => {
  await all.served.name('שירות');
  await with_page(all, {}, async (page) => {
    const row = row_of(page, 'שירות');
    await row.waitFor();
    assert.equal(await row.locator('.col_name bdi').first().evaluate((node) => getComputedStyle(node).unicodeBidi), 'isolate');
    assert.equal(await row.evaluate((node) => getComputedStyle(node).direction), 'ltr');
  });
});

test('no name makes the page wider than a phone, neither in the list nor alone', async () => {
  for (const [name] of Object.values(names)) await all.served.name(name);
  await with_page(all, { context: phone }, async (page) => {
    await row_of(page, 'x'.repeat(200)).waitFor();
    await asks_for_no_more_width(page);
    await picture(page, 'names-phone');
    await row_of(page, 'x'.repeat(200)).locator('a.name').click();
    await page.locator('.place_configuration .facts').waitFor();
    await asks_for_no_more_width(page);
  });
});
