// What keeps the service up under load and what its operator sees of it: a team's
// rate, objects that cannot be reached, refusals counted by the platform, data points,
// and health. The optional bindings are bound here, and nowhere else.
//
// Not here: how much is let through when (tests/throttle.rs), what an object that
// cannot be reached comes to (tests/unreached.rs).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { bearer, person, send } from "./support/client.mjs";
import { start } from "./support/workerd.mjs";

const REFUSALS = 20;
/** How long a data point may take from workerd to here. */
const WRITTEN_MS = 5_000;

/** A dataset that prints what is written to it. */
const DATASET = `
  import { WorkerEntrypoint } from "cloudflare:workers";
  export class Dataset extends WorkerEntrypoint {
    writeDataPoint(point) { console.log("point " + JSON.stringify(point)); }
  }
  export default { fetch: () => new Response(null, { status: 404 }) };
`;
const modules = { "dataset.mjs": { type: "esm", contents: DATASET } };
const dataset = {
  name: "dataset",
  compatibilityDate: "2026-04-01",
  manifest: { mainModule: "dataset.mjs", modulesRoot: "/", modules },
  exports: { Dataset: { type: "worker" } },
};

let server;
let team;

before(async () => {
  server = await start({
    env: {
      REFUSALS: { type: "rate-limit", namespace: "1", simple: { limit: REFUSALS, period: 60 } },
      ANALYTICS: { type: "worker", worker: "dataset", exportName: "Dataset" },
    },
    beside: [{ config: dataset }],
  });
  team = await server.team("acme");
});
after(() => server?.stop());

const ask = (method, path, body, more = {}) =>
  send(server, method, `/scim/v2${path}`, { ...bearer(team.key), ...more }, body);
const operator = (method, path, body) =>
  send(server, method, `/operator/v1${path}`, bearer(server.bindings.OPERATOR_TOKEN), body);
const woken = async () => Number((await send(server, "GET", "/-testing/woken")).text);
/** Has the next calls of objects end as if the platform had marked them so. */
const pretend = (...marks) => send(server, "GET", `/-testing/unreached/${marks.join(",")}`);

test("beyond its rate a provider waits, at no row, and is let in when it has", async () => {
  const slow = await server.team("slow", { requestsPerSecond: 1, requestBurst: 2 });
  const debug = { ...bearer(slow.key), "x-kafkaman-debug": server.bindings.OPERATOR_TOKEN };
  const list = () => send(server, "GET", "/scim/v2/Users", debug);
  const answers = await Promise.all(Array.from({ length: 6 }, list));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length >= 3, `${refused.length} of 6 were refused`);
  for (const { headers, json } of refused) {
    assert.equal(headers["retry-after"], "1");
    assert.equal(headers["content-type"], "application/scim+json");
    assert.match(json().detail, /1 a second, and 2 at once/);
    assert.deepEqual([headers["x-rows-read"], headers["x-rows-written"]], ["2", "0"]);
  }
  await delay(1_100);
  assert.equal((await list()).status, 200);
  const raised = await operator("PATCH", "/teams/slow", { requestBurst: 1_000 });
  assert.deepEqual([raised.status, raised.json().requestBurst], [200, 1_000]);
  const after = await Promise.all(Array.from({ length: 20 }, list));
  assert.deepEqual(new Set(after.map(({ status }) => status)), new Set([200]));
});

test("a read is asked once more where that may help, and a change is not", async () => {
  const before = await woken();
  await pretend("retryable");
  assert.equal((await ask("GET", "/Users?count=1")).status, 200);
  assert.equal(await woken(), before + 1);

  await pretend("retryable", "retryable");
  const lost = await ask("GET", "/Users?count=1");
  assert.deepEqual([lost.status, lost.headers["retry-after"]], [503, "1"]);
  assert.equal(lost.headers["content-type"], "application/scim+json");
  assert.equal(lost.json().status, "503");

  await pretend("retryable");
  const change = await ask("POST", "/Users", person("lost@x.example"));
  assert.deepEqual([change.status, change.headers["retry-after"]], [503, "1"]);
  assert.equal(await woken(), before + 1, "nothing was asked");
});

test("an object that is asked too much is left alone, and so is what failed otherwise", async () => {
  const before = await woken();
  await pretend("overloaded");
  const overloaded = await ask("GET", "/Users?count=1");
  assert.deepEqual([overloaded.status, overloaded.headers["retry-after"]], [503, "10"]);
  await pretend("overloaded");
  const api = await send(server, "GET", "/teams/acme/v1", bearer(team.admin));
  assert.deepEqual([api.status, api.headers["retry-after"]], [503, "10"]);
  assert.equal(api.json().error.code, "unavailable");
  await pretend("overloaded");
  assert.equal((await operator("GET", "/teams")).json().error.code, "unavailable");
  await pretend("nothing");
  assert.equal((await ask("GET", "/Users?count=1")).status, 500);
  await pretend("nothing");
  assert.equal((await operator("GET", "/health")).status, 503);
  assert.equal(await woken(), before);
  assert.equal((await ask("GET", "/Users?count=1")).status, 200);
});

test("health reads the objects that it speaks of", async () => {
  const well = await operator("GET", "/health");
  assert.equal(well.status, 200, well.text);
  assert.equal(well.json().status, "ok");
  assert.ok(well.json().registry.tables > 0);
  assert.equal(well.json().team, null);
  const both = await operator("GET", "/health?team=acme");
  assert.deepEqual([both.status, both.json().team.id], [200, "acme"]);
  assert.equal((await operator("GET", "/health?team=nobody")).status, 404);
});

/** The data points written so far, once one of them is for this route and status. */
async function points(route, status) {
  const deadline = performance.now() + WRITTEN_MS;
  for (;;) {
    const lines = server.log().split("\n");
    const found = lines
      .filter((line) => line.startsWith("point "))
      .map((line) => JSON.parse(line.slice("point ".length)))
      .filter(({ blobs, doubles }) => blobs[1] === route && doubles[0] === status);
    if (found.length > 0 || performance.now() > deadline) return found;
    await delay(10);
  }
}

test("each request is a data point of the part that answered it", async () => {
  const debug = { "x-kafkaman-debug": server.bindings.OPERATOR_TOKEN };
  const made = await ask("POST", "/Users", person("point@x.example"), debug);
  assert.equal(made.status, 201, made.text);
  const rows = [made.headers["x-rows-read"], made.headers["x-rows-written"]].map(Number);
  const [point] = await points("POST /scim/v2/Users", 201);
  assert.deepEqual(point.indexes, ["acme"]);
  assert.deepEqual(point.blobs, ["team", "POST /scim/v2/Users"]);
  const [status, milliseconds, ...counted] = point.doubles;
  assert.deepEqual([status, counted], [201, rows]);
  assert.ok(milliseconds >= 0 && milliseconds < 60_000);

  await operator("GET", "/teams");
  const [registry] = await points("GET /operator/v1/teams", 200);
  assert.deepEqual([registry.indexes, registry.blobs[0]], [["-"], "registry"]);
  await send(server, "GET", "/scim/v2/Groups");
  const [worker] = await points("GET /scim/v2/Groups", 401);
  assert.deepEqual([worker.indexes, worker.blobs[0]], [["-"], "worker"]);
});

test("an address that is refused too often waits, and no good key from there does", async () => {
  const guess = (path, key, address) =>
    send(server, "GET", path, { ...bearer(key), "cf-connecting-ip": address });
  const [ours, other] = ["192.0.2.7", "192.0.2.8"];
  for (let n = 0; n < REFUSALS; n += 1) {
    assert.equal((await guess("/scim/v2/Users", "garbage", ours)).status, 401, String(n));
  }
  const refused = await guess("/scim/v2/Users", "garbage", ours);
  assert.deepEqual([refused.status, refused.headers["retry-after"]], [429, "60"]);
  assert.equal(refused.json().status, "429");
  const api = await guess("/operator/v1/teams", "garbage", ours);
  assert.deepEqual([api.status, api.json().error.code], [429, "too_many_attempts"]);
  assert.equal((await guess("/scim/v2/Users", team.key, ours)).status, 200);
  const dead = await server.call(team.admin, "POST", "/teams/acme/v1/scim/keys", { name: "dead" });
  await server.call(team.admin, "DELETE", `/teams/acme/v1/scim/keys/${dead.body.id}`);
  const revoked = await guess("/scim/v2/Users", dead.body.key, ours);
  assert.equal(revoked.status, 401, "a good tag is told why");
  assert.equal((await guess("/scim/v2/Users", "garbage", other)).status, 401);
});
