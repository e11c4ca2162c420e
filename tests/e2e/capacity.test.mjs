// What documents print is what the committed figures say: nobody edits a table by hand,
// and no figure is refreshed in one place alone. Needs no server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readPart } from "../../bench/between.mjs";
import { DOCUMENT, PARTS } from "../../bench/capacity.mjs";
import { figures } from "../../bench/documented.mjs";
import * as report from "../../bench/report.mjs";

test("the capacity page has what the figures say", () => {
  for (const [name, part] of Object.entries(PARTS))
    assert.equal(readPart(DOCUMENT, name), part(), "npm run fleet -- --docs writes it");
});

test("the performance page has the figures", () => {
  const shown = readPart(report.DOCUMENT, report.PART);
  assert.equal(shown, report.part(figures()), "npm run bench -- --docs writes it");
});
