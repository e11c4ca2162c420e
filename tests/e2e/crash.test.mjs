// SIGKILL in the middle of work: everything that was acknowledged is there after the
// restart, whole, and nothing half; what was closed (a key, a person, a team) stays
// closed. And a suspension, which takes effect on the very next request and takes
// neither role nor groups.
//
// Not here: the quiet cases, one change and one restart (durable.test.mjs). A power
// cut: what SIGKILL leaves in the system's cache is there for the next process.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bearer, group, patch, person, send } from "./support/client.mjs";
import { secrets, start } from "./support/workerd.mjs";

/** Changes on their way at once, and after how many acknowledgements workerd dies. */
const BURST = 90;
const DIES_AFTER = 10;

const stateDir = mkdtempSync(join(tmpdir(), "kafkaman-crash-"));
const bindings = secrets();
let server;
let team;

before(async () => {
  server = await start({ stateDir, bindings });
  team = await server.team("acme");
});
after(async () => {
  await server?.stop().catch(() => {});
  rmSync(stateDir, { recursive: true, force: true });
});

async function crash() {
  await server.kill();
  server = await start({ stateDir, bindings });
}

const ask = (method, path, body, key = team.key) =>
  send(server, method, `/scim/v2${path}`, bearer(key), body);
const admin = (method, path, body, token = team.admin) =>
  send(server, method, `/teams/acme/v1${path}`, bearer(token), body);
const operator = (method, path) =>
  send(server, method, `/operator/v1${path}`, bearer(bindings.OPERATOR_TOKEN));
const setActive = (id, value, key) =>
  ask("PATCH", `/Users/${id}`, patch({ op: "replace", path: "active", value }), key);

async function create(name) {
  const made = await ask("POST", "/Users", person(name));
  assert.equal(made.status, 201, made.text);
  return made.json().id;
}

async function everyone() {
  const all = (await ask("GET", "/Users?count=200")).json();
  assert.equal(all.totalResults, all.Resources.length, "the count is that of the people");
  return all.Resources;
}

async function records() {
  const answer = await admin("GET", "/audit");
  assert.equal(answer.status, 200, answer.text);
  return answer.json().records;
}

test("SIGKILL in a burst of changes: what was acknowledged is there, the rest whole or not at all", async () => {
  const people = [];
  for (let n = 0; n < BURST / 3; n += 1) people.push(await create(`old-${n}@acme.example`));
  const crowd = (await ask("POST", "/Groups", group("Crowd"))).json().id;

  let acknowledged = 0;
  let killed;
  const outcome = new Map();
  const attempt = async (what, work) => {
    const { status } = await work().catch(() => ({ status: undefined }));
    outcome.set(what, status);
    if (status >= 200 && status < 300 && ++acknowledged === DIES_AFTER) killed = server.kill();
  };
  const work = people.flatMap((id, n) => [
    attempt(`create ${n}`, () => ask("POST", "/Users", person(`new-${n}@acme.example`))),
    attempt(`suspend ${n}`, () => setActive(id, false)),
    attempt(`join ${n}`, () =>
      ask(
        "PATCH",
        `/Groups/${crowd}`,
        patch({ op: "add", path: "members", value: [{ value: id }] }),
      ),
    ),
  ]);
  await Promise.all(work);
  await killed;
  const lost = [...outcome.values()].filter((status) => status === undefined).length;
  server = await start({ stateDir, bindings });
  assert.ok(acknowledged >= DIES_AFTER, `${acknowledged} acknowledged`);
  assert.equal(acknowledged + lost, BURST, JSON.stringify([...outcome]));

  const now = await everyone();
  const members = (await ask("GET", `/Groups/${crowd}`)).json().members ?? [];
  const audit = await records();
  const noted = (action, subject) =>
    audit.some((record) => record.action === action && record.subject === subject);
  people.forEach((id, n) => {
    const one = now.find((user) => user.id === id);
    const made = now.find((user) => user.userName === `new-${n}@acme.example`);
    if (outcome.get(`create ${n}`) === 201) assert.ok(made, `create ${n}`);
    if (outcome.get(`suspend ${n}`) === 200) assert.equal(one.active, false, `suspend ${n}`);
    const isMember = members.some((member) => member.value === id);
    if (outcome.get(`join ${n}`) === 200) assert.ok(isMember, `join ${n}`);
    // Whole or not at all, acknowledged or not: a change and its record are one.
    if (made) assert.ok(noted("member.provisioned", made.id), `record of create ${n}`);
    assert.equal(noted("member.suspended", id), one.active === false, `record of suspend ${n}`);
    const inGroup = (one.groups ?? []).some((entry) => entry.value === crowd);
    assert.equal(inGroup, isMember, `both ways to see join ${n}`);
  });
});

test("a revoked key, a deleted person and a deleted team do not come back after SIGKILL", async () => {
  const unknown = (await ask("GET", "/Users", undefined, "x")).text;
  const other = await server.team("brief");
  const short = (await admin("POST", "/scim/keys", { name: "short" })).json();
  const gone = await create("gone@acme.example");
  assert.equal((await ask("GET", "/Users", undefined, short.key)).status, 200);

  // The last word before the light goes out is each of them once.
  assert.equal((await admin("DELETE", `/scim/keys/${short.id}`)).status, 204);
  await crash();
  assert.equal((await ask("GET", "/Users", undefined, short.key)).text, unknown);

  assert.equal((await ask("DELETE", `/Users/${gone}`)).status, 204);
  await crash();
  assert.equal((await ask("GET", `/Users/${gone}`)).status, 404);

  assert.equal((await operator("DELETE", "/teams/brief")).status, 204);
  await crash();
  assert.equal((await ask("GET", "/Users", undefined, other.key)).text, unknown);
  assert.equal((await operator("GET", "/teams/brief")).status, 404);
});

test("a team that was acknowledged is there after SIGKILL, with its admin's token", async () => {
  const made = await server.team("fresh");
  await crash();
  assert.equal((await ask("GET", "/Users", undefined, made.key)).status, 200);
  const own = await send(server, "GET", "/teams/fresh/v1", bearer(made.admin));
  assert.equal(own.json().scimEnabled, true, own.text);
  assert.equal((await operator("GET", "/teams/fresh")).json().state, "live");
});

test("a suspension counts from the next request and costs neither role nor groups", async () => {
  const second = (await admin("POST", "/scim/keys", { name: "second" })).json().key;
  const boss = (await everyone()).find((user) => user.userName === "admin@acme.example").id;
  const inner = (await ask("POST", "/Groups", group("Inner", boss))).json().id;
  await ask("POST", "/Groups", group("Outer", inner));
  // Without `$ref`, in which the server's port stands: each start has another.
  const groups = (user) => user.groups.map(({ display, type, value }) => [display, type, value]);
  const before = groups((await ask("GET", `/Users/${boss}`)).json());
  assert.deepEqual(before.map(([display, type]) => `${display} ${type}`).sort(), [
    "Inner direct",
    "Outer indirect",
  ]);

  for (const through of [team.key, second]) {
    assert.equal((await setActive(boss, false, through)).status, 200);
    // Through the other key, and the admin's own token, which is that of a member.
    const reader = through === second ? team.key : second;
    assert.equal((await ask("GET", `/Users/${boss}`, undefined, reader)).json().active, false);
    assert.equal((await admin("GET", "")).status, 401, "a suspended admin is none");
    await crash();
    assert.equal((await ask("GET", `/Users/${boss}`)).json().active, false);
    assert.equal((await admin("GET", "")).status, 401);

    assert.equal((await setActive(boss, true, reader)).status, 200);
    const back = (await ask("GET", `/Users/${boss}`, undefined, through)).json();
    assert.deepEqual([back.active, groups(back)], [true, before]);
    assert.equal((await admin("GET", "")).status, 200, "the role is an admin's again");
  }
  const actions = (await records()).filter((record) => record.subject === boss);
  assert.deepEqual(
    actions.map((record) => record.action).filter((action) => /suspended|reactivated/.test(action)),
    ["member.reactivated", "member.suspended", "member.reactivated", "member.suspended"],
  );
});
