// A trap takes the whole wasm instance with it. What must hold all the same: the
// caller gets a SCIM 500 within seconds, nothing half-written stays, and the next
// request works. The trap is one that only the testing build has.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./support/workerd.mjs";

const PATIENCE_MS = 5_000;

let server;
let team;
before(async () => {
  server = await start();
  team = await server.team("acme");
});
after(() => server?.stop());

const scim = (path, init = {}) =>
  server.fetch(`/scim/v2${path}`, {
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...init,
    headers: {
      authorization: `Bearer ${team.key}`,
      "content-type": "application/scim+json",
      ...init.headers,
    },
  });
const create = (userName, headers) =>
  scim("/Users", { method: "POST", body: JSON.stringify({ userName }), headers });
const total = async () => (await (await scim("/Users?count=0")).json()).totalResults;
const audit = async () => {
  const headers = { authorization: `Bearer ${team.admin}` };
  return (await (await server.fetch("/teams/acme/v1/audit", { headers })).json()).records.length;
};

async function isScim500(response) {
  assert.equal(response.status, 500);
  assert.equal(response.headers.get("content-type"), "application/scim+json");
  assert.ok(response.headers.get("x-request-id"));
  const body = await response.json();
  assert.deepEqual(body.schemas, ["urn:ietf:params:scim:api:messages:2.0:Error"]);
  assert.equal(body.status, "500");
}

test("a trap in an object: 500, nothing written, and the next request works", async () => {
  const before = [await total(), await audit()];
  await isScim500(await create("trapped@example.com", { "x-testing-trap": "1" }));
  assert.deepEqual([await total(), await audit()], before);
  assert.equal((await create("trapped@example.com")).status, 201);
});

test("a trap answers whoever else was waiting, and who comes after is served", async () => {
  const waiting = [1, 2, 3, 4].map((n) => create(`beside${n}@example.com`));
  await isScim500(await create("trapped2@example.com", { "x-testing-trap": "1" }));
  for (const response of await Promise.all(waiting)) {
    assert.ok([201, 500].includes(response.status), String(response.status));
  }
  assert.equal((await scim("/Users?count=1")).status, 200);
});

test("a trap in the Worker: 500, and the next request works", async () => {
  await isScim500(await server.fetch("/-testing/trap", { signal: AbortSignal.timeout(PATIENCE_MS) }));
  assert.equal((await scim("/Users?count=1")).status, 200);
});
