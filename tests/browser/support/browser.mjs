// A real browser: Debian's chromium, or whichever CHROMIUM names, driven by
// playwright-core. Whatever a page of ours writes to its console as an error, and
// whatever it wants from another host, fails the test that opened it.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** A browser for the pages of one server; `visit(options)` opens a fresh context. */
export async function launch(server) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // The suite may run as root, and in a container with little shared memory.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  return {
    async visit(options = {}) {
      const viewport = { width: 1280, height: 860 };
      const context = await browser.newContext({ viewport, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      const errors = [];
      const note = (error) => page.url().startsWith(server.url) && errors.push(error);
      page.on("pageerror", (error) => note(String(error)));
      page.on("console", (message) => {
        // A page that is refused says so by its status, which Chromium notes, too.
        const isStatus = /the server responded with a status of 4\d\d/.test(message.text());
        if (message.type() === "error" && !isStatus) note(message.text());
      });
      // The stand-in for OneLogin has fonts elsewhere; nothing leaves this machine.
      await context.route((url) => url.hostname !== "localhost", (route) => {
        note(`a request to ${route.request().url()}`);
        return route.abort();
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
