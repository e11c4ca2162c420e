// A real browser: Debian's chromium, or whichever CHROMIUM names, driven by
// playwright-core. Whatever a page writes to its console as an error fails the
// test that opened it.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** A browser; `visit(options)` opens a fresh context with one page in it. */
export async function launch() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // The suite may run as root, and in a container with little shared memory.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  return {
    async visit(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      const errors = [];
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => {
        if (message.type() !== "error") return;
        // A page that is refused says so by its status, which Chromium notes.
        if (/Failed to load resource: the server responded with a status of 4\d\d/.test(message.text())) return;
        errors.push(message.text());
      });
      const close = async () => {
        await context.close();
        assert.deepEqual(errors, [], "errors on the console");
      };
      return { page, context, close };
    },
    close: () => browser.close(),
  };
}
