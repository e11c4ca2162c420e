// Operators' teams on workerd: where their objects are, what suspending and
// deleting them means, and that no team sees another.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { secrets, start } from "./support/workerd.mjs";

const TOKENS = { alice: "a".repeat(40), bob: "b".repeat(40) };

let server;
before(async () => {
  const OPERATOR_TOKEN = `alice:${TOKENS.alice},bob:${TOKENS.bob}`;
  server = await start({ bindings: { ...secrets(), OPERATOR_TOKEN } });
});
after(() => server?.stop());

const call = (...request) => server.call(...request);
const operator = (method, path, body, who = "alice") =>
  call(TOKENS[who], method, `/operator/v1${path}`, body);
const admin = { name: "Ada", email: "ada@example.com" };
const SAML = {
  issuer: "https://idp.example.com",
  signInUrl: "https://idp.example.com/sso",
  certificate: Buffer.concat([Buffer.from([0x30, 0x82]), Buffer.alloc(200)]).toString("base64"),
};

/** A team with SCIM on: its admin's token and a key. */
async function team(id, more = {}) {
  const made = await operator("POST", "/teams", { id, name: id, admin, ...more });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const path = `/teams/${made.body.id}/v1`;
  const token = made.body.adminToken;
  assert.equal((await call(token, "POST", `${path}/scim/enable`)).body.error.code, "sso_required");
  assert.equal((await call(token, "PUT", `${path}/sso/saml`, SAML)).status, 200);
  assert.equal((await call(token, "POST", `${path}/scim/enable`)).status, 200);
  const key = (await call(token, "POST", `${path}/scim/keys`, { name: "idp" })).body.key;
  return { id: made.body.id, path, token, key };
}

test("a team in a jurisdiction has it in its id, and works like any other", async () => {
  const made = await team("rhein", { jurisdiction: "eu" });
  assert.equal(made.id, "eu.rhein");
  const user = await call(made.key, "POST", "/scim/v2/Users", { userName: "r@example.com" });
  assert.equal(user.status, 201);
  assert.equal((await operator("GET", "/teams/eu.rhein")).body.jurisdiction, "eu");
  const hinted = await operator("POST", "/teams", { id: "oz", name: "Oz", admin, locationHint: "oc" });
  assert.equal(hinted.body.locationHint, "oc");
});

test("a suspended team is read-only to its admins, and SCIM goes on", async () => {
  const made = await team("paused");
  assert.equal((await operator("POST", "/teams/paused/suspend", undefined, "bob")).body.state, "suspended");
  assert.equal((await call(made.token, "GET", made.path)).body.state, "suspended");
  const refused = await call(made.token, "POST", `${made.path}/scim/disable`);
  assert.deepEqual([refused.status, refused.body.error.code], [403, "team_suspended"]);
  assert.equal((await call(made.key, "GET", "/scim/v2/Users")).status, 200);
  assert.equal((await operator("POST", "/teams/paused/resume")).body.state, "live");
  assert.equal((await call(made.token, "POST", `${made.path}/scim/disable`)).status, 200);
  const actors = (await operator("GET", "/audit")).body.records.map(({ actor, action }) => [actor, action]);
  assert.deepEqual(actors[1], ["operator:bob", "team.suspended"]);
});

test("a deleted team is gone, its keys are dead, its id is not given again", async () => {
  const made = await team("brief");
  await call(made.key, "POST", "/scim/v2/Users", { userName: "b@example.com" });
  assert.equal((await operator("DELETE", "/teams/brief")).status, 204);
  assert.equal((await call(made.key, "GET", "/scim/v2/Users")).status, 401);
  assert.equal((await call(made.token, "GET", made.path)).status, 401);
  assert.equal((await operator("GET", "/teams/brief")).status, 404);
  const again = await operator("POST", "/teams", { id: "brief", name: "Brief", admin });
  assert.deepEqual([again.status, again.body.error.code], [409, "team_exists"]);
});

test("an operator can give a team's admin a new token, which ends the last one", async () => {
  const made = await team("locked");
  const { adminToken } = (await operator("POST", "/teams/locked/admin-token")).body;
  assert.equal((await call(made.token, "GET", made.path)).status, 401);
  assert.equal((await call(adminToken, "GET", made.path)).status, 200);
});

test("a signing secret that keys still need cannot be retired", async () => {
  const refused = await operator("POST", "/signing-secrets/1/retire");
  assert.deepEqual([refused.status, refused.body.error.code], [409, "signing_secret_in_use"]);
  assert.ok(refused.body.error.teams.some(({ team }) => team === "eu.rhein"));
  assert.equal((await operator("POST", "/signing-secrets/2/retire")).status, 200);
});

test("no team sees another: every route, each one's ids with the other's key", async () => {
  const [one, other] = [await team("one"), await team("other")];
  const person = { userName: "same@example.com", externalId: "same" };
  const ids = [];
  for (const { key } of [one, other]) {
    const user = await call(key, "POST", "/scim/v2/Users", person);
    const group = await call(key, "POST", "/scim/v2/Groups", { displayName: "Same" });
    ids.push({ user: user.body.id, group: group.body.id });
  }
  const patch = {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    Operations: [{ op: "replace", path: "displayName", value: "Taken" }],
  };
  for (const path of [`/Users/${ids[1].user}`, `/Groups/${ids[1].group}`]) {
    const bodies = { GET: undefined, PUT: { ...person, displayName: "x" }, PATCH: patch, DELETE: undefined };
    for (const [method, body] of Object.entries(bodies)) {
      assert.equal((await call(one.key, method, `/scim/v2${path}`, body)).status, 404, method + path);
    }
  }
  const members = [{ value: ids[1].user }];
  const joined = await call(one.key, "POST", "/scim/v2/Groups", { displayName: "Mixed", members });
  assert.equal(joined.body.members, undefined);
  const found = await call(one.key, "GET", '/scim/v2/Users?filter=externalId%20eq%20"same"');
  assert.deepEqual(found.body.Resources.map(({ id }) => id), [ids[0].user]);
  assert.equal((await call(one.token, "GET", other.path)).status, 401);
  assert.equal((await call(other.key, "GET", `/scim/v2/Users/${ids[1].user}`)).body.displayName, undefined);
});
