// Whether a page is fit for everybody, by axe-core, and no wider than its window.
// With SCREENSHOTS set to a folder, a picture of it is put there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails with what is wrong with the page that is open. */
export async function fit(page, name) {
  if (process.env.SCREENSHOTS) {
    const path = join(process.env.SCREENSHOTS, `${name}.png`);
    await page.screenshot({ path, fullPage: true });
  }
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(told, [], name);
  const [inner, outer] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(inner <= outer, `${name} is wider than its window: ${inner} of ${outer}`);
}
