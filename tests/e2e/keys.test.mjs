// Keys at the edge: a forged one wakes no object. The testing build counts how
// often an object is called. The long table of malformed headers is native, in
// tests/credentials.rs; here are those that a runtime could change on their way.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { start } from "./support/workerd.mjs";

const ROUTES = ["/Users", "/Users/x", "/Us%65rs", "/Users/a%2Fb", "/../v2/Users", "/%2e%2e/v2/Groups"];

let server;
let team;
before(async () => {
  server = await start();
  team = await server.team("acme");
});
after(() => server?.stop());

const woken = async () => Number(await (await server.fetch("/-testing/woken")).text());
const ask = (key, path = "/Users", init = {}) =>
  server.fetch(`/scim/v2${path}`, { ...init, headers: { authorization: key, ...init.headers } });
const admin = (method, path, body) =>
  server.fetch(`/teams/acme/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${team.admin}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });

/** A credential as the deployment would make it, or with another secret. */
function mint(teamId, signing, version = 1) {
  const secret = Buffer.from(signing.split(":")[1], "base64url");
  const head = Buffer.concat([Buffer.from([version]), randomBytes(8), randomBytes(24)]);
  const name = Buffer.from(teamId);
  const tag = createHmac("sha256", secret).update("kfm_scim_").update(head).update(name).digest();
  return `kfm_scim_${Buffer.concat([head, tag.subarray(0, 12), name]).toString("base64url")}`;
}

test("a key that nobody made is 401 everywhere, always the same, and wakes nothing", async () => {
  const { key } = team;
  const flipped = key.slice(0, 40) + (key[40] === "A" ? "B" : "A") + key.slice(41);
  const forged = mint("acme", `1:${randomBytes(32).toString("base64url")}`);
  const keys = [flipped, forged, key.slice(0, -1), `${key}=`, `${key}${key}`, key.slice(9), ""];
  const headers = [...keys.map((one) => `Bearer ${one}`), key, `Basic ${key}`];
  headers.push(`Bearer ${key}, Bearer ${key}`, `Bearer ${team.admin}`, `Bearer ${mint("acme", server.bindings.SIGNING_SECRETS, 2)}`);
  const before = await woken();
  const bodies = new Set();
  for (const header of headers) {
    for (const route of ROUTES) {
      const response = await ask(header, route);
      assert.equal(response.status, 401, `${header.slice(0, 20)} ${route}`);
      assert.equal(response.headers.get("www-authenticate"), 'Bearer realm="kafkaman SCIM"');
      bodies.add(await response.text());
    }
  }
  assert.equal(bodies.size, 1);
  assert.equal(await woken(), before);
  assert.equal((await ask(`Bearer ${key}`)).status, 200);
  assert.equal(await woken(), before + 1);
});

test("a good tag for a team that nobody created is 401, and makes no team", async () => {
  const ghost = mint("ghost", server.bindings.SIGNING_SECRETS);
  for (let again = 0; again < 2; again++) assert.equal((await ask(`Bearer ${ghost}`)).status, 401);
  const made = await server.team("ghost");
  assert.equal((await ask(`Bearer ${ghost}`)).status, 401);
  assert.equal((await ask(`Bearer ${made.key}`)).status, 200);
});

test("a revoked key fails from the very next request; a replaced one when its grace ends", async () => {
  const made = await (await admin("POST", "/scim/keys", { name: "second" })).json();
  assert.equal((await ask(`Bearer ${made.key}`)).status, 200);
  const path = `/scim/keys/${made.id}`;
  const next = await (await admin("POST", `${path}/regenerate`, { graceSeconds: 3600 })).json();
  assert.equal((await ask(`Bearer ${made.key}`)).status, 200);
  assert.equal((await ask(`Bearer ${next.key}`)).status, 200);
  assert.equal((await admin("DELETE", path)).status, 204);
  assert.equal((await ask(`Bearer ${made.key}`)).status, 401);
  assert.equal((await ask(`Bearer ${next.key}`)).status, 200);
});

test("a key of a team with SCIM switched off is 403 with a sentence", async () => {
  assert.equal((await admin("POST", "/scim/disable")).status, 200);
  const refused = await ask(`Bearer ${team.key}`);
  assert.equal(refused.status, 403);
  assert.match((await refused.json()).detail, /switched off/);
  assert.equal((await admin("POST", "/scim/enable")).status, 200);
  assert.equal((await ask(`Bearer ${team.key}`)).status, 200);
});

test("nothing that a request names is in the log, and each request is one line", async () => {
  const secretive = "filter=userName%20eq%20%22somebody@example.com%22";
  const response = await ask(`Bearer ${team.key}`, `/Users?${secretive}`, {
    headers: { "x-request-id": "probe-1", "x-kafkaman-debug": server.bindings.OPERATOR_TOKEN },
  });
  assert.equal(response.headers.get("x-request-id"), "probe-1");
  assert.ok(Number(response.headers.get("x-rows-read")) > 0);
  assert.equal(response.headers.get("x-rows-written"), "0");
  const without = await ask(`Bearer ${team.key}`, "/Users", { headers: { "x-kafkaman-debug": "x" } });
  assert.equal(without.headers.get("x-rows-read"), null);
  const lines = server.log().split("\n").filter((line) => line.includes("probe-1"));
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0]);
  assert.deepEqual(
    [line.part, line.team, line.route, line.status],
    ["team", "acme", "GET /scim/v2/Users", 200],
  );
  const log = server.log();
  const secrets = [team.key, team.admin, server.bindings.OPERATOR_TOKEN, "somebody@example.com"];
  for (const secret of secrets) assert.ok(!log.includes(secret));
});
