// What a trap does to others, on workerd: whoever waits in the same wasm instance is
// answered soon, every kind of change is undone, and many traps are no worse than
// one. And a body that never ends, the other way in which one caller could stop others.
//
// Not here: that a trap is a SCIM 500 at all, in an object and in the Worker
// (trap.test.mjs); what makes a trap impossible in the first place (the lints).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, open, patch, person, send } from "./support/client.mjs";
import { start } from "./support/workerd.mjs";

/** How soon a caller must hear of a trap: workerd needs some ten milliseconds. */
const SOON_MS = 3_000;
const TRAP = { "x-testing-trap": "yes" };
const AROUND = 20;

let server;
let ours;
let theirs;

before(async () => {
  server = await start();
  ours = await server.team("acme");
  theirs = await server.team("other");
});
after(() => server?.stop());

const scim = (team, method, path, body, headers = {}) =>
  send(server, method, `/scim/v2${path}`, { ...bearer(team.key), ...headers }, body);

/** What the work takes at most; what it comes to. */
async function soon(work) {
  const started = performance.now();
  const result = await work;
  const ms = Math.round(performance.now() - started);
  assert.ok(ms < SOON_MS, `it took ${ms} ms`);
  return result;
}

/** The guard's answer: SCIM's error, with an id, and telling nothing of the inside. */
function assertTrapped(answer) {
  assert.equal(answer.status, 500, answer.text);
  assert.equal(answer.headers["content-type"], "application/scim+json");
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
  assert.match(answer.headers["x-request-id"], /^[\w.-]{1,64}$/);
  const { schemas, status, detail, ...rest } = answer.json();
  assert.deepEqual(schemas, ["urn:ietf:params:scim:api:messages:2.0:Error"]);
  assert.equal(status, "500");
  assert.doesNotMatch(detail, /unreachable|wasm|trap/i);
  assert.deepEqual(rest, {});
}

/** All that a client and an admin can see of a team. */
async function everything(team) {
  const users = await scim(team, "GET", "/Users?count=200");
  const groups = await scim(team, "GET", "/Groups?count=200");
  const audit = await send(server, "GET", `/teams/${team.team}/v1/audit`, bearer(team.admin));
  for (const answer of [users, groups, audit]) assert.equal(answer.status, 200, answer.text);
  return { users: users.json(), groups: groups.json(), audit: audit.json() };
}

test("whatever a transaction was about to change stays as it was after a trap in it", async () => {
  const made = await scim(ours, "POST", "/Users", person("kept@acme.example"));
  assert.equal(made.status, 201, made.text);
  const kept = `/Users/${made.json().id}`;
  const before = await everything(ours);
  const changes = [
    ["POST", "/Users", person("lost@acme.example")],
    ["PUT", kept, person("renamed@acme.example")],
    ["PATCH", kept, patch({ op: "replace", path: "active", value: false })],
    ["DELETE", kept],
    ["POST", "/Groups", { displayName: "Lost", members: [{ value: made.json().id }] }],
  ];
  for (const [method, path, body] of changes) {
    assertTrapped(await soon(scim(ours, method, path, body, TRAP)));
    assert.deepEqual(await soon(everything(ours)), before, `after ${method} ${path}`);
  }
  // The very same change goes through once it is let.
  const again = await scim(ours, "POST", "/Users", person("lost@acme.example"));
  assert.equal(again.status, 201, again.text);
});

test("a request id that the client chose comes back with a trap, too", async () => {
  const headers = { ...TRAP, "x-request-id": "chosen-1" };
  const answer = await scim(ours, "POST", "/Users", person("id@acme.example"), headers);
  assertTrapped(answer);
  assert.equal(answer.headers["x-request-id"], "chosen-1");
});

test("whoever else waits while an instance is lost is answered, too", async () => {
  const names = ["slow-1@x.example", "slow-2@x.example", "slow-3@x.example"];
  const slow = names.map((name, i) => {
    const text = JSON.stringify(person(name));
    const team = i === 1 ? theirs : ours;
    const headers = { ...bearer(team.key), "content-length": Buffer.byteLength(text) };
    const { request, answer } = open(server, "POST", "/scim/v2/Users", headers);
    request.write(text.slice(0, 20));
    return { team, name, request, answer, rest: text.slice(20) };
  });
  // Answers to requests that came later: the slow ones' heads are in their objects by now.
  for (const team of [ours, theirs]) {
    assert.equal((await scim(team, "GET", "/Users")).status, 200);
  }
  const read = (_, i) => scim(i % 2 ? ours : theirs, "GET", "/Users");
  const before = Array.from({ length: AROUND }, read);
  const trapped = scim(ours, "POST", "/Users", person("never@acme.example"), TRAP);
  const after = Array.from({ length: AROUND }, read);
  assertTrapped(await soon(trapped));
  for (const answer of await soon(Promise.all([...before, ...after]))) {
    if (answer.status !== 200) assertTrapped(answer);
  }
  // Nothing of those whose bodies are not there yet was in the instance that is lost.
  for (const { request, rest } of slow) request.end(rest);
  for (const { team, name, answer } of slow) {
    const made = await soon(answer);
    assert.equal(made.status, 201, made.text);
    const found = await soon(scim(team, "GET", `/Users?filter=userName%20eq%20%22${name}%22`));
    assert.equal(found.json().totalResults, 1, name);
  }
});

test("many traps at once leave a team that works", async () => {
  const before = await everything(ours);
  const trap = (_, i) => scim(ours, "POST", "/Users", person(`t${i}@acme.example`), TRAP);
  for (const answer of await soon(Promise.all(Array.from({ length: AROUND }, trap)))) {
    assertTrapped(answer);
  }
  assert.deepEqual(await soon(everything(ours)), before);
});

test("a body that does not end stops nobody, in the same team or another", async () => {
  const text = JSON.stringify(person("patient@acme.example"));
  const headers = { ...bearer(ours.key), "content-length": Buffer.byteLength(text) };
  const waiting = open(server, "POST", "/scim/v2/Users", headers);
  const leaving = open(server, "POST", "/scim/v2/Users", headers);
  for (const { request } of [waiting, leaving]) request.write(text.slice(0, 20));
  for (const [i, team] of [ours, theirs, ours].entries()) {
    const made = await soon(scim(team, "POST", "/Users", person(`quick-${i}@x.example`)));
    assert.equal(made.status, 201, made.text);
    assert.equal((await soon(scim(team, "GET", "/Users"))).status, 200);
  }
  // One goes away in the middle; the other comes to its end and is served.
  leaving.request.destroy();
  assert.equal((await soon(scim(ours, "GET", "/Users"))).status, 200);
  waiting.request.end(text.slice(20));
  const made = await soon(waiting.answer);
  assert.equal(made.status, 201, made.text);
});
