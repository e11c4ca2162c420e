// A team's own schemas on workerd: the alarm fills an index and removes data, a step at a time,
// and goes on where a killed process stopped.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createTeam } from "../../scripts/team.mjs";
import { secrets, start } from "./support/workerd.mjs";

const URN = "urn:example:acme:1.0:User";
const PEOPLE = 2500;
const bindings = secrets();
const stateDir = mkdtempSync(join(tmpdir(), "kafkaman-extensions-"));

let server;
let team;
before(async () => {
  server = await start({ stateDir, bindings });
  team = await createTeam(server.url, bindings.OPERATOR_TOKEN, "acme", { seats: 10000 });
});
after(async () => {
  await server?.stop();
  rmSync(stateDir, { recursive: true });
});

async function call(token, method, path, body) {
  const answer = await server.call(token, method, path, body);
  assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.body;
}

const schema = (method, rest = "", body = undefined) =>
  call(team.adminToken, method, `/teams/acme/v1/scim/schemas${rest}`, body);
const register = (indexed) =>
  schema("PUT", `/${URN}`, {
    resourceTypes: ["User"],
    schema: { attributes: [{ name: "badge" }] },
    indexed,
  });

/** Asks until the answer is as wanted; a minute at most. */
async function until(wanted) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const { schemas } = await schema("GET");
    if (wanted(schemas)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("the alarm did not come to its end within a minute");
}

async function countBadge() {
  const filter = encodeURIComponent(`${URN}:badge eq "b7"`);
  const page = await call(team.key, "GET", `/scim/v2/Users?count=0&filter=${filter}`);
  return page.totalResults;
}

test("an index is filled by alarm, though the process is killed meanwhile", async () => {
  await register([]);
  for (let first = 0; first < PEOPLE; first += 500) {
    await call(team.key, "POST", "/scim/v2/Bulk", {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
      Operations: Array.from({ length: 500 }, (_, n) => ({
        method: "POST",
        path: "/Users",
        bulkId: `u${n}`,
        data: { userName: `u${first + n}`, [URN]: { badge: `B${(first + n) % 10}` } },
      })),
    });
  }
  assert.equal(await countBadge(), PEOPLE / 10);
  const { indexed } = await register(["badge"]);
  assert.deepEqual(indexed, { badge: "filling" });
  await server.kill();
  server = await start({ stateDir, bindings });
  await until(([own]) => own.indexed.badge === "ready");
  assert.equal(await countBadge(), PEOPLE / 10);
});

test("what is removed with its data is gone by alarm, and may be registered anew", async () => {
  await schema("DELETE", `/${URN}?data=purge`);
  await until((schemas) => schemas.length === 0);
  await register(["badge"]);
  assert.equal(await countBadge(), 0);
});
