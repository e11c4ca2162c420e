// What time does to a team, on workerd: the suite puts the clock forward and has the team's alarm
// run. Each alarm is run again after it has done its work, and must then write nothing.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { secrets, start } from "./support/workerd.mjs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const bindings = secrets();
const stateDir = mkdtempSync(join(tmpdir(), "kafkaman-clock-"));

let server;
let ahead = 0;
let teams = 0;
/** The team of the test: `{ key, admin, path }`. */
let team;

before(async () => (server = await start({ stateDir, bindings })));
after(async () => {
  await server?.stop();
  rmSync(stateDir, { recursive: true });
});
beforeEach(async () => {
  const id = `team-${++teams}`;
  team = { ...(await server.team(id)), path: `/teams/${id}/v1` };
});

async function pass(milliseconds) {
  ahead += milliseconds;
  await server.fetch(`/-testing/ahead/${ahead}`);
}

/** Ends workerd as a power cut does, and starts it again at the same time of the clock. */
async function kill() {
  await server.kill();
  server = await start({ stateDir, bindings });
  await pass(0);
}

async function call(token, method, path, body, expected) {
  const answer = await server.call(token, method, path, body);
  const fits = expected ? answer.status === expected : answer.status < 300;
  assert.ok(fits, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.body;
}

const admin = (method, path, body, expected) =>
  call(team.admin, method, `${team.path}${path}`, body, expected);
const provider = (method, path, body, expected) =>
  call(team.key, method, `/scim/v2${path}`, body, expected);

/** Runs the alarm until a step writes nothing, then once more; returns how many steps wrote. */
async function alarm() {
  const step = async () => {
    const headers = { authorization: `Bearer ${team.admin}`, "x-testing-alarm": "1" };
    const [, written] = (await (await server.fetch(team.path, { headers })).text()).split(" ");
    assert.match(written, /^\d+$/);
    return Number(written);
  };
  let steps = 0;
  while ((await step()) > 0) assert.ok(++steps < 100, "an alarm that never ends");
  assert.equal(await step(), 0, "an alarm with nothing to do writes nothing");
  return steps;
}

/** A new token for the team's admin, whose old one may have ended. */
async function renew() {
  const id = team.path.split("/")[2];
  const path = `/operator/v1/teams/${id}/admin-token`;
  team.admin = (await call(bindings.OPERATOR_TOKEN, "POST", path)).adminToken;
}

async function actions(filter) {
  const { records } = await admin("GET", `/audit?${filter}`);
  return records.map(({ detail, action }) => detail.days ?? action);
}

const person = (name, active = true) => provider("POST", "/Users", { userName: name, active });

test("a key is warned of, once for each step, and refused from its end on", async () => {
  const expiresAt = new Date(Date.now() + ahead + 20 * DAY).toISOString();
  const { key } = await admin("POST", "/scim/keys", { name: "short", expiresAt });
  for (const [days, warned] of [
    [5, []],
    [2, [14]],
    [6, [7, 14]],
    [6, [1, 7, 14]],
  ]) {
    await pass(days * DAY);
    await alarm();
    assert.deepEqual(await actions("action=scim.key.expiring"), warned);
    await call(key, "GET", "/scim/v2/Users");
    await alarm();
    assert.deepEqual(await actions("action=scim.key.expiring"), warned, "and not again");
  }
  await pass(DAY);
  await call(key, "GET", "/scim/v2/Users", undefined, 401);
  await provider("GET", "/Users");
});

test("a replaced key works for its grace and no longer", async () => {
  const { id, key } = await admin("POST", "/scim/keys", { name: "old" });
  const next = await admin("POST", `/scim/keys/${id}/regenerate`, { graceSeconds: 3600 });
  await pass(HOUR - 60_000);
  for (const works of [key, next.key]) await call(works, "GET", "/scim/v2/Users");
  await pass(60_000);
  await alarm();
  await call(key, "GET", "/scim/v2/Users", undefined, 401);
  await call(next.key, "GET", "/scim/v2/Users");
});

test("sessions end when idle and at their end, and are removed", async () => {
  await person("ada");
  const { token: service } = await admin("POST", "/service-tokens", {
    name: "login",
    scopes: ["sessions"],
  });
  const ask = (path, body) => call(service, "POST", `${team.path}/sessions${path}`, body);
  const open = async () => (await ask("", { member: { userName: "ada" }, method: "saml" })).token;
  const stands = async (token) => (await ask("/introspect", { token })).active;

  const [idle, used] = [await open(), await open()];
  for (let hours = 0; hours < 8; hours += 0.25) {
    assert.equal(await stands(used), true, `after ${hours} hours`);
    await pass(HOUR / 4);
    assert.equal(await stands(used), hours < 7.75);
  }
  assert.equal(await stands(idle), false);
  assert.ok((await alarm()) > 0, "they are removed");
  const late = await open();
  await pass(HOUR / 2);
  assert.equal(await stands(late), false, "idle for 30 minutes");
});

test("an admin token ends after 90 days", async () => {
  await pass(90 * DAY - HOUR);
  await admin("GET", "/me");
  await pass(HOUR);
  await admin("GET", "/me", undefined, 401);
  await renew();
  await admin("GET", "/me");
});

test("audit records go after their days, though the process is killed meanwhile", async () => {
  await admin("PATCH", "/settings", { auditDays: 30 });
  await person("ada");
  await pass(29 * DAY);
  await person("bob");
  await alarm();
  assert.equal((await actions("action=member.provisioned")).length, 2);
  await pass(2 * DAY);
  await kill();
  await alarm();
  assert.deepEqual(await actions("action=member.provisioned"), ["member.provisioned"]);
  assert.deepEqual(await actions("action=team.created"), []);
});

test("who was deleted can be restored for 30 days and is forgotten then", async () => {
  const [ada, bob] = [await person("ada"), await person("bob")];
  for (const { id } of [ada, bob]) await provider("DELETE", `/Users/${id}`);
  await pass(30 * DAY - HOUR);
  await alarm();
  await admin("POST", `/departed/${ada.id}/restore`, {});
  await provider("GET", `/Users/${ada.id}`);
  await pass(HOUR);
  await kill();
  assert.equal((await admin("GET", "/departed")).departed.length, 0, "before the alarm, too");
  assert.ok((await alarm()) > 0);
  await admin("POST", `/departed/${bob.id}/restore`, {}, 404);
});

test("a provider's activity is stored by alarm and outlives the process", async () => {
  await person("ada");
  await provider("POST", "/Users", { userName: "ADA" }, 409);
  await provider("GET", "/Users");
  assert.ok((await alarm()) > 0);
  const before = await admin("GET", "/scim/activity");
  assert.deepEqual([before.writes, before.failures, before.hours.length], [1, 1, 1]);
  await kill();
  const { hours, ...rest } = await admin("GET", "/scim/activity");
  assert.deepEqual({ hours, ...rest }, before);
});

test("what time has to undo is undone once: links and purged data", async () => {
  const urn = "urn:example:clock:1.0:User";
  await admin("PUT", `/scim/schemas/${urn}`, {
    resourceTypes: ["User"],
    schema: { attributes: [{ name: "badge" }] },
    indexed: ["badge"],
  });
  await provider("POST", "/Users", { userName: "ada", [urn]: { badge: "b7" } });
  await alarm();
  await admin("DELETE", `/scim/schemas/${urn}?data=purge`);
  const id = team.path.split("/")[2];
  const path = `/operator/v1/teams/${id}/break-glass`;
  const body = { name: "Eve", email: "eve@kafkaman.example" };
  const { url } = await call(bindings.OPERATOR_TOKEN, "POST", path, body);
  assert.equal((await server.fetch(url)).status, 200);
  await pass(HOUR / 4);
  assert.equal((await server.fetch(url, { method: "POST" })).status, 404);
  await alarm();
  assert.deepEqual((await admin("GET", "/scim/schemas")).schemas, []);
});

test("an admin reactivates by hand while SCIM is off, and not while it is on", async () => {
  const { id } = await person("ada", false);
  const reactivate = (expected) => admin("POST", `/members/${id}/reactivate`, {}, expected);
  await reactivate(409);
  await admin("POST", "/scim/disable");
  await reactivate(200);
  assert.equal((await admin("GET", `/members/${id}`)).state, "active");
});
