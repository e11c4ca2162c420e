// "Configuring SCIM with OneLogin", the page that customers follow, sentence by sentence on workerd.
// A test's name is what the page says; what it does is what the customer would.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { secrets, start } from "./support/workerd.mjs";

const SAML = {
  issuer: "https://app.onelogin.com/saml/metadata/1",
  signInUrl: "https://acme.onelogin.com/trust/saml2/http-post/sso/1",
  certificate: Buffer.concat([Buffer.from([0x30, 0x82]), Buffer.alloc(200)]).toString("base64"),
};
const CORE = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

const bindings = secrets();
let server;
let admin;
let key;
let services;
before(async () => {
  server = await start({ bindings });
  const team = { id: "acme", name: "Acme", admin: { name: "Ada", email: "ada@acme.example" } };
  const made = await call(bindings.OPERATOR_TOKEN, "POST", "/operator/v1/teams", team);
  admin = made.body.adminToken;
});
after(() => server?.stop());

const call = (...request) => server.call(...request);
const team = (method, path, body, token = admin) => call(token, method, `/teams/acme/v1${path}`, body);
const scim = (method, path, body) => call(key, method, `/scim/v2${path}`, body);
const ask = (path, body) => team("POST", path, body, services);
const may = async (userName, action) =>
  (await ask("/policy/decide", { member: { userName }, action })).body;
const signIn = (userName, method) => ask("/sessions", { member: { userName }, method });
const stands = async (token) => (await ask("/sessions/introspect", { token })).body.active;

/** A person whom OneLogin adds: their id. */
async function provision(userName) {
  const body = { schemas: [CORE], userName, name: { givenName: "Grace", familyName: "Hopper" } };
  const { status, body: made } = await scim("POST", "/Users", { ...body, active: true });
  assert.equal(status, 201);
  return made.id;
}

const suspend = (id) =>
  scim("PATCH", `/Users/${id}`, {
    schemas: [PATCH],
    Operations: [{ op: "replace", path: "active", value: false }],
  });

/** What OneLogin sends of someone whose access to the app is removed. */
const unassign = (id, userName) =>
  scim("PUT", `/Users/${id}`, { schemas: [CORE], userName, active: false });

const dashboard = async () => (await team("GET", "/members")).body.members.map((one) => one.userName);

describe("the page", { concurrency: 1 }, () => {
  test("You must be an administrator in kafkaman to enable SCIM for your team", async () => {
    const made = await team("POST", "/service-tokens", { name: "all", scopes: ["sessions", "policy"] });
    services = made.body.token;
    const added = { name: "Dev", email: "dev@acme.example" };
    assert.equal((await team("POST", "/members", added)).status, 201);
    const { body } = await signIn("dev@acme.example", "password");
    const refused = await team("POST", "/scim/enable", undefined, body.token);
    assert.deepEqual([refused.status, refused.body.error.code], [403, "admin_required"]);
    assert.equal((await team("POST", "/scim/enable", undefined, services)).status, 403);
    assert.equal((await team("POST", "/scim/enable", undefined, "nonsense")).status, 401);
  });

  test("Before enabling SCIM, you must configure SSO with OneLogin", async () => {
    const refused = await team("POST", "/scim/enable");
    assert.deepEqual([refused.status, refused.body.error.code], [409, "sso_required"]);
    assert.equal((await team("PUT", "/sso/saml", SAML)).status, 200);
  });

  test("Enable SCIM in kafkaman and generate a SCIM API key", async () => {
    assert.equal((await team("POST", "/scim/enable")).status, 200);
    const made = await team("POST", "/scim/keys", { name: "OneLogin" });
    assert.equal(made.status, 201);
    key = made.body.key;
  });

  test("Paste the key under API Connection and select Enable: OneLogin looks for a user that is not there", async () => {
    const filter = encodeURIComponent('userName eq "onelogin-probe@example.com"');
    const probe = await scim("GET", `/Users?filter=${filter}`);
    assert.deepEqual([probe.status, probe.body.totalResults], [200, 0]);
    const { body } = await team("GET", "/scim");
    assert.ok(body.firstProbeAt, "the team sees that OneLogin has come");
  });

  test("automate user provisioning and de-provisioning for your team", async () => {
    const id = await provision("first@acme.example");
    assert.ok((await dashboard()).includes("first@acme.example"));
    assert.equal((await scim("DELETE", `/Users/${id}`)).status, 204);
    assert.ok(!(await dashboard()).includes("first@acme.example"));
  });

  test("With SCIM enabled, users won't have the option to leave your team on their own", async () => {
    await provision("stays@acme.example");
    const { body } = await signIn("stays@acme.example", "saml");
    const refused = await team("POST", "/me/leave", undefined, body.token);
    assert.deepEqual([refused.status, refused.body.error.code], [403, "managed_by_identity_provider"]);
    assert.ok((await dashboard()).includes("stays@acme.example"));
  });

  test("and won't be able to change their account email or password", async () => {
    for (const action of ["change_email", "change_password"]) {
      const decided = await may("stays@acme.example", action);
      assert.deepEqual([decided.allowed, decided.code], [false, "managed_by_identity_provider"]);
    }
    const { body } = await signIn("stays@acme.example", "saml");
    const refused = await team("PATCH", "/me", { email: "mine@acme.example" }, body.token);
    assert.deepEqual([refused.status, refused.body.error.code], [403, "managed_by_identity_provider"]);
    // There is no password here to change: what a provider sends as one is dropped.
    const password = await team("PATCH", "/me", { password: "mine" }, body.token);
    assert.equal(password.status, 400);
    assert.ok((await dashboard()).includes("stays@acme.example"));
  });

  test("Only team admins will have the right to remove team members", async () => {
    const id = await provision("removed@acme.example");
    const { body } = await signIn("stays@acme.example", "saml");
    assert.equal((await team("DELETE", `/members/${id}`, undefined, body.token)).status, 403);
    assert.equal((await may("stays@acme.example", "remove_member")).code, "admin_required");
    assert.equal((await team("DELETE", `/members/${id}`)).status, 204);
    assert.ok(!(await dashboard()).includes("removed@acme.example"));
  });

  test("Suspend: the affected accounts will no longer appear in your team dashboard", async () => {
    const id = await provision("suspended@acme.example");
    assert.equal((await suspend(id)).status, 200);
    assert.ok(!(await dashboard()).includes("suspended@acme.example"));
    const kept = (await team("GET", "/members?state=suspended")).body.members;
    assert.deepEqual(kept.map((one) => one.userName), ["suspended@acme.example"]);
  });

  test("users who are deleted, suspended, or have their app access removed can no longer log in", async () => {
    for (const [how, end] of [
      ["suspended", suspend],
      ["deleted", (id) => scim("DELETE", `/Users/${id}`)],
      ["unassigned", unassign],
    ]) {
      const userName = `${how}-now@acme.example`;
      const id = await provision(userName);
      const { body } = await signIn(userName, "saml");
      assert.ok(await stands(body.token));
      const ended = await end(id, userName);
      assert.ok([200, 204].includes(ended.status), how);
      assert.equal(await stands(body.token), false, `${how}: out now, not at the next sign-in`);
      const again = await signIn(userName, "saml");
      assert.ok([403, 404].includes(again.status), how);
    }
  });

  test("Regardless of your choice: with Do Nothing, nobody gets in but through OneLogin", async () => {
    await provision("nothing@acme.example");
    for (const method of ["password", "google", "oidc"]) {
      const refused = await signIn("nothing@acme.example", method);
      assert.equal(refused.status, 403, method);
    }
    assert.equal((await may("nothing@acme.example", "sign_in_by_password")).code, "sso_required");
    // And who is signed in already is so for a while only.
    const { body } = await signIn("nothing@acme.example", "saml");
    const lasts = Date.parse(body.expiresAt) - Date.parse(body.createdAt);
    assert.equal(lasts, 8 * 60 * 60 * 1000);
  });

  test("de-select to turn them off: SCIM off, keys are refused and people have their rights again", async () => {
    assert.equal((await team("POST", "/scim/disable")).status, 200);
    const refused = await scim("GET", "/Users");
    assert.equal(refused.status, 403);
    assert.match(refused.body.detail, /switched off/);
    assert.deepEqual(await may("stays@acme.example", "change_email"), { allowed: true });
    const [{ id }] = (await team("GET", "/members?state=suspended")).body.members;
    assert.equal((await team("POST", `/members/${id}/reactivate`)).status, 200);
  });
});
