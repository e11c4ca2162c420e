// Every way to spoil a credential that could matter, each bit of a key among them,
// on routes however they are encoded: always one and the same 401, and no object is
// woken (the testing build counts). And what becomes of credentials that were good.
//
// Not here: the layout and its tag, natively (tests/credentials.rs); the ordinary
// life of a key on workerd (keys.test.mjs).

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { bearer, mint, person, send } from "./support/client.mjs";
import { start } from "./support/workerd.mjs";

const ROUTES = [
  ["GET", "/scim/v2/Users"],
  ["POST", "/scim/v2/Users"],
  ["DELETE", "/scim/v2/Groups/x"],
  ["POST", "/scim/v2/Bulk"],
  ["POST", "/scim/v2/.search"],
  ["GET", "/scim/v2/Us%65rs"],
  ["GET", "/scim/v2/Users/a%2Fb"],
  ["GET", "/scim/v2/../scim/v2/Users"],
  ["GET", "/scim/v2/%2e%2e/%2E%2e/scim/v2/Users"],
  ["GET", "/scim\\v2\\Users"],
  ["GET", "/scim/v2/Schemas/../Users"],
  ["GET", "/scim//v2/Users"],
  ["GET", "/scim/v1/Users"],
  ["GET", "/scim"],
  ["GET", "/scim/v2/nowhere"],
  // Open to whoever brings no key, not to whoever brings a wrong one.
  ["GET", "/scim/v2/ServiceProviderConfig"],
];

const stateDir = mkdtempSync(join(tmpdir(), "kafkaman-credentials-"));
let server;
let ours;
let theirs;

before(async () => {
  server = await start({ stateDir });
  ours = await server.team("acme");
  theirs = await server.team("beta");
});
after(async () => {
  await server?.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

const woken = async () => Number((await send(server, "GET", "/-testing/woken")).text);
const made = (team, options) => mint(server.bindings.SIGNING_SECRETS, team, options);
const users = (key) => send(server, "GET", "/scim/v2/Users", bearer(key));
const admin = (team, method, path, body) =>
  send(server, method, `/teams/${team.team}/v1${path}`, bearer(team.admin), body);
const operator = (method, path) =>
  send(server, method, `/operator/v1${path}`, bearer(server.bindings.OPERATOR_TOKEN));

/** What a caller can tell one refusal from another by; its request id and its date are its own. */
function shape({ status, headers, text }) {
  const { "x-request-id": _, date: __, connection: ___, "keep-alive": ____, ...rest } = headers;
  return JSON.stringify([status, text, Object.entries(rest).sort()]);
}

/** Asks for each in turn and returns the shapes of the answers; nothing may have been woken. */
async function refusals(asks) {
  const before = await woken();
  const shapes = new Map();
  for (const [what, ask] of asks) {
    const answer = await ask();
    assert.equal(answer.status, 401, `${what}: ${answer.status} ${answer.text}`);
    shapes.set(shape(answer), what);
  }
  assert.equal(await woken(), before, "an object was woken");
  return shapes;
}

/** Keys that open nothing, by what is wrong with them. */
function spoilt() {
  const { key } = ours;
  const [prefix, body] = [key.slice(0, 9), key.slice(9)];
  assert.equal(prefix, "kfm_scim_");
  const bytes = Buffer.from(body, "base64url");
  assert.equal(bytes.length % 3, 1, "the last character has bits to spare");
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(body.at(-1));
  // Its tag is good, so that only its alphabet stands between it and an object.
  let standard;
  while (!/[-_]/.test((standard = made("acme")).slice(9)));
  const secret = randomBytes(32);
  return [
    ["empty", ""],
    ["a word", "x"],
    ["no prefix", body],
    ["another prefix", `kfm_admin_${body}`],
    ["an unknown prefix", `kfm_root_${body}`],
    ["a prefix in capitals", `KFM_SCIM_${body}`],
    ["nothing after the prefix", prefix],
    ["doubled", key + key],
    ["doubled after the prefix", prefix + body + body],
    ["padded", `${key}==`],
    ["padded once", `${key}=`],
    ["with stray bits in its last character", key.slice(0, -1) + alphabet[last ^ 1]],
    [
      "in the standard alphabet",
      prefix + standard.slice(9).replaceAll("-", "+").replaceAll("_", "/"),
    ],
    ["percent-encoded", `${key.slice(0, -1)}%${body.at(-1).charCodeAt(0).toString(16)}`],
    ["in quotes", `"${key}"`],
    ["in angle brackets", `<${key}>`],
    ["with a comma", `${key},`],
    ["of another deployment", made("acme", { secret })],
    ["of a signing secret that is not live", made("acme", { version: 2 })],
    ["of signing secret 0", made("acme", { version: 0 })],
    ["an admin token", ours.admin],
    ["the operator's token", server.bindings.OPERATOR_TOKEN],
    ["for a team whose id cannot be", made("Acme")],
    ["for a team without an id", made("")],
    ["for a team in no jurisdiction", made("mars.acme")],
    ["for a team with a path in its id", made("../acme")],
    ["for a team with a nul in its id", made("acme\0")],
    ["too long", made("a".repeat(200))],
    ["very long", prefix + "A".repeat(10_000)],
  ];
}

test("a spoilt key is 401 on every route, always the same, and wakes nothing", async () => {
  const asks = spoilt().flatMap(([what, key]) =>
    ROUTES.map(([method, path]) => [
      `${what}, ${method} ${path}`,
      () => send(server, method, path, bearer(key), method === "POST" ? "{}" : undefined),
    ]),
  );
  const shapes = await refusals(asks);
  assert.equal(shapes.size, 1, [...shapes.entries()].join("\n"));
  const [status, text, headers] = JSON.parse([...shapes.keys()][0]);
  assert.equal(status, 401);
  assert.equal(JSON.parse(text).status, "401");
  assert.equal(Object.fromEntries(headers)["www-authenticate"], 'Bearer realm="kafkaman SCIM"');
  // The same count, seen to move.
  const before = await woken();
  assert.equal((await users(ours.key)).status, 200);
  assert.equal(await woken(), before + 1);
});

test("a key with any one bit flipped, and any beginning of one, wakes nothing", async () => {
  const bytes = Buffer.from(ours.key.slice(9), "base64url");
  const flipped = Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] ^= 1 << (bit & 7);
    return [`bit ${bit}`, `kfm_scim_${copy.toString("base64url")}`];
  });
  const cut = Array.from({ length: ours.key.length }, (_, n) => [
    `cut at ${n}`,
    ours.key.slice(0, n),
  ]);
  const asks = [...flipped, ...cut].map(([what, key]) => [what, () => users(key)]);
  assert.equal((await refusals(asks)).size, 1);
});

test("a header that is not one bearer token wakes nothing, a good key in it or not", async () => {
  const { key } = ours;
  const good = `Bearer ${key}`;
  const values = [
    key,
    "Bearer",
    `Basic ${key}`,
    `Basic ${Buffer.from(`user:${key}`).toString("base64")}`,
    `Bearer  ${key}`,
    `Bearer\t${key}`,
    `Bearer ${key} more`,
    `Bearer ${key}, ${good}`,
    `${good};`,
    [good, good],
    [good, "Bearer x"],
    ["Bearer x", good],
    `Bearer ${key}\u00e9`,
  ];
  const asks = values.map((authorization) => [
    JSON.stringify(authorization).replaceAll(key, "KEY"),
    () => send(server, "GET", "/scim/v2/Users", { authorization }),
  ]);
  asks.push(["no header", () => send(server, "GET", "/scim/v2/Users")]);
  asks.push(["in the query", () => send(server, "GET", `/scim/v2/Users?access_token=${key}`)]);
  assert.equal((await refusals(asks)).size, 1);
  // RFC 7235 section 2.1: the scheme's case does not matter.
  const lower = await send(server, "GET", "/scim/v2/Users", { authorization: `bearer ${key}` });
  assert.equal(lower.status, 200);
});

test("a credential opens its own kind of door in its own team alone", async () => {
  const doors = [
    ["GET", "/teams/acme/v1"],
    ["POST", "/teams/acme/v1/scim/keys"],
    ["GET", "/teams/%61cme/v1"],
    ["GET", "/teams/beta/../acme/v1"],
    ["GET", "/teams"],
  ];
  const wrong = [
    ["a SCIM key", ours.key],
    ["the operator's token", server.bindings.OPERATOR_TOKEN],
    ["another team's admin", theirs.admin],
    ["an admin of another deployment", made("acme", { kind: "admin", secret: randomBytes(32) })],
  ];
  const asks = wrong.flatMap(([what, token]) =>
    doors.map(([method, path]) => [
      `${what}, ${path}`,
      () => send(server, method, path, bearer(token), method === "POST" ? "{}" : undefined),
    ]),
  );
  for (const [what, token] of [
    ["a key", ours.key],
    ["an admin", ours.admin],
    ["a guess", "x"],
  ]) {
    for (const path of ["/operator/v1/teams", "/operator/v1/teams/acme", "/operator/nothing"]) {
      asks.push([`${what}, ${path}`, () => send(server, "GET", path, bearer(token))]);
    }
  }
  assert.equal((await refusals(asks)).size, 1);
  // No way from outside to what the Registry tells objects.
  for (const path of ["/-/command", "/scim/v2/../../-/command", "/scim/../-/command"]) {
    for (const token of [ours.key, ours.admin, server.bindings.OPERATOR_TOKEN]) {
      const before = await woken();
      const answer = await send(server, "POST", path, bearer(token), "{}");
      assert.equal(answer.status, 404, path);
      assert.equal(await woken(), before);
    }
  }
});

/** The files of Team objects, and the tables in each. */
function tables() {
  const folder = join(stateDir, "do/-Team");
  const files = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  const list = (name) => {
    const database = new DatabaseSync(join(folder, name), { readOnly: true });
    const rows = database.prepare("SELECT name FROM sqlite_schema").all();
    database.close();
    return rows.map((row) => row.name);
  };
  return new Map(files.map((name) => [name, list(name)]));
}

test("an object that was addressed for a team nobody created writes nothing", async () => {
  const unknown = shape(await users("x"));
  const before = tables();
  const ghost = made("ghost");
  const asks = [
    ["GET", "/scim/v2/Users"],
    ["POST", "/scim/v2/Users"],
    ["PATCH", "/scim/v2/Groups/x"],
    ["POST", "/scim/v2/Bulk"],
  ];
  for (const [method, path] of asks) {
    const count = await woken();
    const answer = await send(server, method, path, bearer(ghost), person("ghost@x.example"));
    assert.equal(shape(answer), unknown, `${method} ${path}`);
    assert.equal(await woken(), count + 1, "its tag is good, so its object was asked");
  }
  const token = made("ghost", { kind: "admin" });
  for (const path of ["", "/scim/keys", "/audit"]) {
    assert.equal((await send(server, "GET", `/teams/ghost/v1${path}`, bearer(token))).status, 401);
  }
  const after = tables();
  assert.ok(
    [...before.values()].some((names) => names.includes("credential")),
    "ours has tables",
  );
  const added = [...after.keys()].filter((name) => !before.has(name));
  assert.equal(added.length, 1, "workerd keeps a file for the object");
  assert.deepEqual(after.get(added[0]), [], "and nothing is in it");
});

test("a key of a good tag that the team does not have, or with another secret, is 401", async () => {
  const unknown = shape(await users("x"));
  assert.equal(shape(await users(made("acme"))), unknown);
  // The id of a live key, the tag of the deployment, and a guessed secret.
  const id = Buffer.from(ours.key.slice(9), "base64url").subarray(1, 9).toString("hex");
  const before = (await admin(ours, "GET", "/scim/keys")).json();
  assert.equal(shape(await users(made("acme", { id }))), unknown);
  assert.ok(before.keys.some((key) => key.id === id));
  assert.deepEqual(
    (await admin(ours, "GET", "/scim/keys")).json(),
    before,
    "a refusal writes nothing",
  );
});

test("a revoked key is refused as one that never was; so is one replaced without grace", async () => {
  const unknown = shape(await users("x"));
  const make = async () => (await admin(ours, "POST", "/scim/keys", { name: "short" })).json();
  const revoked = await make();
  assert.equal((await users(revoked.key)).status, 200);
  assert.equal((await admin(ours, "DELETE", `/scim/keys/${revoked.id}`)).status, 204);
  for (let again = 0; again < 3; again += 1) assert.equal(shape(await users(revoked.key)), unknown);

  const old = await make();
  const path = `/scim/keys/${old.id}/regenerate`;
  const odd = await admin(ours, "POST", path, { graceSeconds: 5 });
  assert.equal(odd.status, 400, odd.text);
  const graceful = await admin(ours, "POST", path, { graceSeconds: 3600 });
  assert.equal(graceful.status, 201, graceful.text);
  for (const { key } of [old, graceful.json()]) assert.equal((await users(key)).status, 200);
  const states = (await admin(ours, "GET", "/scim/keys")).json().keys;
  const state = (id) => states.find((key) => key.id === id).state;
  assert.deepEqual([state(old.id), state(graceful.json().id)], ["in_grace", "active"]);
  const next = graceful.json();
  const at = `/scim/keys/${next.id}/regenerate`;
  const abrupt = await admin(ours, "POST", at, { graceSeconds: 0 });
  assert.equal(abrupt.status, 201, abrupt.text);
  assert.equal(shape(await users(next.key)), unknown);
  assert.equal((await users(abrupt.json().key)).status, 200);
});

test("with SCIM off a good key is 403, a bad one 401 still, and nothing was lost", async () => {
  assert.equal((await admin(theirs, "POST", "/scim/disable")).status, 200);
  const off = await users(theirs.key);
  assert.equal(off.status, 403);
  assert.equal(off.headers["content-type"], "application/scim+json");
  assert.equal(off.json().status, "403");
  assert.equal((await users(made("beta"))).status, 401);
  const written = await send(
    server,
    "POST",
    "/scim/v2/Users",
    bearer(theirs.key),
    person("off@x.example"),
  );
  assert.equal(written.status, 403);
  assert.equal((await admin(theirs, "POST", "/scim/enable")).status, 200);
  assert.equal((await users(theirs.key)).json().totalResults, 1);
});

test("a deleted team's credentials are refused like any other, and its tables are gone", async () => {
  const unknown = shape(await users("x"));
  const before = tables();
  const team = await server.team("brief");
  await send(server, "POST", "/scim/v2/Users", bearer(team.key), person("b@x.example"));
  const [file] = [...tables().keys()].filter((name) => !before.has(name));
  assert.ok(tables().get(file).includes("resource"));
  assert.equal((await operator("DELETE", "/teams/brief")).status, 204);
  for (let again = 0; again < 2; again += 1) {
    assert.equal(shape(await users(team.key)), unknown);
    assert.equal((await admin(team, "GET", "")).status, 401);
  }
  assert.ok(!(tables().get(file) ?? []).includes("resource"), String(tables().get(file)));
});
