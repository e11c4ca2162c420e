// What each operation costs in rows is what docs/rows.md says, exactly, and for whatever
// is about one resource the same in every team. `npm run rows` writes it anew.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readPart } from "../../bench/between.mjs";
import { rows as committed } from "../../bench/documented.mjs";
import { DOCUMENT, PART, SIZES, count, joined, table } from "../../bench/rows.mjs";
import { start } from "./support/workerd.mjs";

async function counted(size) {
  const server = await start();
  try {
    return [size, await count(server, server.bindings.OPERATOR_TOKEN, size)];
  } finally {
    await server.stop();
  }
}

test("operations cost the rows that are documented", async () => {
  const counts = [];
  for (const size of SIZES) counts.push(await counted(size));
  assert.deepEqual(joined(counts), committed(), "if that is meant: npm run rows");
});

test("the document has the table of what is committed", () => {
  assert.equal(readPart(DOCUMENT, PART), table(committed()), "npm run rows writes it");
});

test("what is about one resource costs the same in every team and group", () => {
  for (const { name, label, isPoint, sizes } of committed()) {
    if (!isPoint) continue;
    const [small, large] = SIZES.map((size) => sizes[size]);
    assert.deepEqual(large, small, `${name}, ${label}`);
  }
  const changes = (group) =>
    committed().filter(({ name }) => name === `group-patch-${group}`).map(({ sizes }) => sizes);
  assert.ok(changes(100).length > 0);
  assert.deepEqual(changes(1_000), changes(100));
});
