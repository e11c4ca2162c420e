// What was acknowledged stays: through a restart, through SIGKILL, and under many
// hands at once.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { secrets, start } from "./support/workerd.mjs";

const PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const stateDir = mkdtempSync(join(tmpdir(), "kafkaman-durable-"));
after(() => rmSync(stateDir, { recursive: true, force: true }));

function client(server, key) {
  return async (method, path, body) => {
    const response = await server.fetch(`/scim/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/scim+json" },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null };
  };
}
const patch = (...Operations) => ({ schemas: [PATCH], Operations });
const active = (value) => patch({ op: "replace", path: "active", value });

test("acknowledged changes are there after SIGKILL and after a restart", async () => {
  const bindings = secrets();
  let server = await start({ stateDir, bindings });
  const team = await server.team("acme");
  let ask = client(server, team.key);
  const users = [];
  for (let n = 0; n < 20; n++) {
    const made = await ask("POST", "/Users", { userName: `u${n}@example.com` });
    assert.equal(made.status, 201);
    users.push(made.body.id);
  }
  const members = users.map((value) => ({ value }));
  const group = await ask("POST", "/Groups", { displayName: "All", members });
  assert.equal((await ask("PATCH", `/Users/${users[0]}`, active(false))).status, 200);
  await server.kill();

  server = await start({ stateDir, bindings });
  ask = client(server, team.key);
  assert.equal((await ask("GET", `/Users/${users[0]}`)).body.active, false);
  const found = await ask("GET", `/Groups/${group.body.id}`);
  assert.equal(found.body.members.length, 20);
  assert.equal((await ask("DELETE", `/Users/${users[1]}`)).status, 204);
  await server.stop();

  server = await start({ stateDir, bindings });
  ask = client(server, team.key);
  assert.equal((await ask("GET", `/Users/${users[1]}`)).status, 404);
  assert.equal((await ask("GET", `/Groups/${group.body.id}`)).body.members.length, 19);
  await server.stop();
});

test("many hands at once: one of 50 creates, all of 20 members, no suspension late", async () => {
  const server = await start();
  const team = await server.team("acme");
  const ask = client(server, team.key);
  const other = await server.fetch("/teams/acme/v1/scim/keys", {
    method: "POST",
    headers: { authorization: `Bearer ${team.admin}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "other" }),
  });
  const second = client(server, (await other.json()).key);

  const same = Array.from({ length: 50 }, () => ask("POST", "/Users", { userName: "one@example.com" }));
  const statuses = (await Promise.all(same)).map(({ status }) => status).sort();
  assert.deepEqual(statuses, [201, ...Array(49).fill(409)]);

  const group = await ask("POST", "/Groups", { displayName: "Crowd" });
  const people = await Promise.all(
    Array.from({ length: 20 }, (_, n) => ask("POST", "/Users", { userName: `p${n}@example.com` })),
  );
  const adding = people.map(({ body }, n) =>
    (n % 2 ? ask : second)(
      "PATCH",
      `/Groups/${group.body.id}`,
      patch({ op: "add", path: "members", value: [{ value: body.id }] }),
    ),
  );
  for (const { status } of await Promise.all(adding)) assert.equal(status, 200);
  assert.equal((await ask("GET", `/Groups/${group.body.id}`)).body.members.length, 20);

  const { id } = people[0].body;
  await ask("PATCH", `/Users/${id}`, active(false));
  assert.equal((await second("GET", `/Users/${id}`)).body.active, false);
  await second("PATCH", `/Users/${id}`, active(true));
  const back = (await ask("GET", `/Users/${id}`)).body;
  assert.deepEqual([back.active, back.groups[0].value], [true, group.body.id]);
  await server.stop();
});

test("a thousand operations in one bulk request, a circle of groups among them", async () => {
  const server = await start();
  const ask = client(server, (await server.team("acme")).key);
  const Operations = Array.from({ length: 998 }, (_, n) => ({
    method: "POST",
    path: "/Users",
    bulkId: `u${n}`,
    data: { userName: `u${n}@example.com`, title: "x".repeat(4000) },
  }));
  const everyone = Operations.map(({ bulkId }) => ({ value: `bulkId:${bulkId}` }));
  const group = (bulkId, ...members) => ({
    method: "POST",
    path: "/Groups",
    bulkId,
    data: { displayName: bulkId, members: members.map((value) => ({ value })).concat(everyone) },
  });
  Operations.push(group("a", "bulkId:b"), group("b", "bulkId:a"));
  const schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
  const { status, body } = await ask("POST", "/Bulk", { schemas, Operations });
  assert.equal(status, 200);
  assert.equal(body.Operations.filter((operation) => operation.status === "201").length, 1000);
  const id = body.Operations[998].location.split("/").pop();
  const members = (await ask("GET", `/Groups/${id}`)).body.members;
  assert.equal(members.length, 999);
  const one = { method: "DELETE", path: "/Users/x" };
  const many = await ask("POST", "/Bulk", { schemas, Operations: Array(1001).fill(one) });
  assert.equal(many.status, 413);
  await server.stop();
});
