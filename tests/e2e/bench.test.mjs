// Every operation of the benchmark is answered as the benchmark expects, so that a
// change which breaks one is seen here and not when somebody wants figures. Nothing
// is timed: a figure of this machine, now, says nothing of the code.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask } from "../../bench/ask.mjs";
import { check, inOrder, limitRequests } from "../../bench/measure.mjs";
import { operations } from "../../bench/operations.mjs";
import { seed } from "../../bench/seeding.mjs";
import { written } from "../../bench/wrk.mjs";
import { start } from "./support/workerd.mjs";

const SIZE = 1_000;

let server;
let team;

before(async () => {
  server = await start();
  team = await seed(server, server.bindings.OPERATOR_TOKEN, SIZE);
});
after(() => server?.stop());

test("every operation of the benchmark is answered as it expects", async () => {
  const request = (wanted) => ask(server, wanted);
  const names = new Set();
  for (const operation of operations(team)) {
    const steps = await operation.steps(request);
    const rows = await check(request, operation, steps, server.bindings.OPERATOR_TOKEN);
    assert.ok(
      rows.every(({ read }) => read > 0),
      `${operation.name} reads rows`,
    );
    for (const text of inOrder(operation, steps).map(written))
      assert.match(text, / HTTP\/1\.1\r\n/);
    assert.ok(limitRequests(operation, team).length > 0, operation.name);
    names.add(operation.name);
  }
  assert.equal(names.size, operations(team).length, "no two have one name");
});

test("what an operation changes is undone by its last step", async () => {
  const request = (wanted) => ask(server, wanted);
  const shown = async () => {
    const { id } = team.people[0];
    const body = (await request({ path: `/scim/v2/Users/${id}`, headers: auth() })).body();
    return { ...body, meta: undefined };
  };
  const auth = () => ({ authorization: `Bearer ${team.key}` });
  const before = await shown();
  for (const operation of operations(team)) {
    if (!["patch", "put"].includes(operation.name)) continue;
    await check(request, operation, await operation.steps(request), server.bindings.OPERATOR_TOKEN);
  }
  assert.deepEqual(await shown(), before);
});
