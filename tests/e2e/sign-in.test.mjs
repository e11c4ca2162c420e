// Signing in on workerd: real signatures checked in wasm, a provider reached over
// HTTP, and a session whose member was suspended on every page there is.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { CLIENT, hmac, key, paperProvider, unsigned } from "./support/provider.mjs";
import { start } from "./support/workerd.mjs";

const EC = key("es-1", "ES256");
const RSA = key("rs-1", "RS256");
const STRANGER = key("es-1", "ES256");
const ADMIN = "admin@acme.example";
const PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

let server;
let provider;
let team;
before(async () => {
  server = await start();
  [provider, team] = await Promise.all([paperProvider([EC, RSA]), server.team("acme")]);
  await admin("POST", "/scim/disable");
  await admin("DELETE", "/sso/saml");
  await admin("PUT", "/sso/oidc", { issuer: provider.issuer, clientId: CLIENT });
  await admin("POST", "/scim/enable");
});
after(async () => {
  await provider?.stop();
  await server?.stop();
});

async function admin(method, path, body) {
  const answer = await server.call(team.admin, method, `/teams/acme/v1${path}`, body);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status}`);
  return answer.body;
}

const now = () => Math.floor(Date.now() / 1000);

/** A browser without a screen: it keeps cookies. */
function visitor() {
  const jar = new Map();
  return {
    jar,
    async open(path) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const answer = await server.fetch(path, { headers: { cookie } });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
        jar.set(name, value);
      }
      return { status: answer.status, place: answer.headers.get("location"), text: await answer.text() };
    },
    async begin(query = "") {
      const { status, place, text } = await this.open(`/teams/acme/sign-in/start${query}`);
      assert.equal(status, 303, text);
      assert.ok(place.startsWith(`${provider.issuer}/auth?`), place);
      return Object.fromEntries(new URL(place).searchParams);
    },
    /** Comes back with a token: `in`, or why not. */
    async comeBack(asked, token, more = "") {
      provider.idToken = token;
      const path = `/teams/acme/sign-in/callback?code=abc&state=${asked.state}${more}`;
      const { status, text } = await this.open(path);
      return status === 303 ? "in" : (text.match(/Reason: (\w+)/)?.[1] ?? `${status} ${text}`);
    },
  };
}

const claims = (asked, more = {}) => ({
  iss: provider.issuer,
  aud: CLIENT,
  sub: "ol-admin",
  email: ADMIN,
  nonce: asked.nonce,
  iat: now(),
  exp: now() + 300,
  ...more,
});

test("tokens are believed by their signature and their claims alone", async () => {
  const table = {
    "ES256": [(c) => EC.token(c), "in"],
    "RS256": [(c) => RSA.token(c), "in"],
    "nobody's signature": [unsigned, "algorithm"],
    "HMAC with the public key": [(c) => hmac(RSA, c), "algorithm"],
    "another's key under a known name": [(c) => STRANGER.token(c), "signature"],
    "a key that is brought along": [(c) => EC.token(c, { jwk: STRANGER.jwk }), "header"],
    "an unknown key": [(c) => EC.token(c, { kid: "es-9" }), "key"],
    "another audience": [(c) => EC.token({ ...c, aud: "other" }), "audience"],
    "another issuer": [(c) => EC.token({ ...c, iss: "https://evil.example" }), "issuer"],
    "another party": [(c) => EC.token({ ...c, azp: "other" }), "authorized_party"],
    "another nonce": [(c) => EC.token({ ...c, nonce: "x" }), "nonce"],
    "expired": [(c) => EC.token({ ...c, exp: now() - 120 }), "expired"],
    "from the future": [(c) => EC.token({ ...c, iat: now() + 300 }), "not_yet_valid"],
    "another subject under the same address": [(c) => EC.token({ ...c, sub: "ol-2" }), "subject_changed"],
  };
  for (const [what, [make, expected]] of Object.entries(table)) {
    const browser = visitor();
    const asked = await browser.begin();
    assert.equal(await browser.comeBack(asked, make(claims(asked))), expected, what);
  }
});

test("a sign-in is good once, in one browser, from one provider, and ends in the team", async () => {
  const browser = visitor();
  const asked = await browser.begin("?back=https://evil.example/");
  const token = EC.token(claims(asked));
  assert.equal(await visitor().comeBack(asked, token), "state", "another browser");
  assert.equal(await browser.comeBack(asked, token), "state", "and so it is spent");
  const again = await browser.begin("?back=https://evil.example/");
  provider.idToken = EC.token(claims(again));
  const path = `/teams/acme/sign-in/callback?code=abc&state=${again.state}`;
  assert.equal((await browser.open(path)).place, "/teams/acme", "no open redirect");
  assert.equal((await browser.open(path)).status, 403, "replayed");
  const mixed = await browser.begin();
  const other = "&iss=https%3A%2F%2Fevil.example";
  assert.equal(await browser.comeBack(mixed, EC.token(claims(mixed)), other), "mix_up");
});

test("a key that came after the others were fetched is found", async () => {
  // The clock goes on by more than the minute in which keys are not asked for again.
  await server.fetch("/-testing/ahead/120000");
  try {
    const fresh = key("es-2", "ES256");
    provider.keys = [fresh, RSA];
    const browser = visitor();
    const asked = await browser.begin();
    const later = { iat: now() + 120, exp: now() + 420 };
    const rotated = fresh.token(claims(asked, later));
    assert.equal(await browser.comeBack(asked, rotated), "in");
    const fetched = provider.asked.filter((url) => url === "/certs").length;
    const old = await browser.begin();
    assert.equal(await browser.comeBack(old, EC.token(claims(old, later))), "key");
    assert.equal(provider.asked.filter((url) => url === "/certs").length, fetched, "not at once");
  } finally {
    await server.fetch("/-testing/ahead/0");
  }
});

test("a suspended member's session is dead on every page", async () => {
  const scim = (method, path, body) => server.call(team.key, method, `/scim/v2${path}`, body);
  const made = await scim("POST", "/Users", { userName: "boss@acme.example", displayName: "Boss" });
  const { id } = made.body;
  await admin("PATCH", `/members/${id}`, { role: "admin" });
  const group = await scim("POST", "/Groups", { displayName: "All", members: [{ value: id }] });
  const browser = visitor();
  const asked = await browser.begin();
  const boss = { sub: "ol-boss", email: "boss@acme.example" };
  assert.equal(await browser.comeBack(asked, RSA.token(claims(asked, boss))), "in");
  const session = browser.jar.get("__Host-kafkaman-acme");
  const pages = ["", `/members/${id}`, `/members/${id}/remove`, "/departed", "/groups"].concat(
    [`/groups/${group.body.id}`, "/authentication", "/guides/onelogin", "/provisioning"],
    ["/audit", "/audit/export", "/settings", "/me"],
  );
  for (const path of pages) {
    assert.equal((await browser.open(`/teams/acme${path}`)).status, 200, path);
  }
  const Operations = [{ op: "replace", path: "active", value: false }];
  const done = await scim("PATCH", `/Users/${id}`, { schemas: [PATCH], Operations });
  assert.equal(done.status, 200);
  for (const path of pages) {
    browser.jar.set("__Host-kafkaman-acme", session);
    const { status, place } = await browser.open(`/teams/acme${path}`);
    assert.equal(status, 303, path);
    assert.ok(place.startsWith("/teams/acme/sign-in?"), place);
  }
  const refused = await browser.begin();
  const token = RSA.token(claims(refused, boss));
  assert.equal(await browser.comeBack(refused, token), "member_suspended");
});

test("the provider ends sessions: by a logout token, and by a revocation", async () => {
  provider.keys = [EC, RSA];
  const browser = visitor();
  const signIn = async () => {
    const asked = await browser.begin();
    assert.equal(await browser.comeBack(asked, RSA.token(claims(asked))), "in");
    assert.equal((await browser.open("/teams/acme/me")).status, 200);
  };
  const post = async (path, headers, body) =>
    (await server.fetch(`/teams/acme/sign-in/${path}`, { method: "POST", headers, body })).status;
  await signIn();
  const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
  const { nonce: _, ...logout } = claims({}, { events, jti: "1" });
  const form = (token) => new URLSearchParams({ logout_token: token });
  const typ = { typ: "logout+jwt" };
  assert.equal(await post("logout", {}, form(STRANGER.token(logout, typ))), 400);
  assert.equal((await browser.open("/teams/acme/me")).status, 200);
  assert.equal(await post("logout", {}, form(RSA.token(logout, typ))), 200);
  assert.equal((await browser.open("/teams/acme/me")).status, 303);
  await signIn();
  const aud = `${server.url}/teams/acme/sign-in/revoke`;
  const bearer = (own) => ({ authorization: `Bearer ${own.token(claims({}, { aud }))}` });
  const body = JSON.stringify({ sub_id: { format: "email", email: ADMIN } });
  assert.equal(await post("revoke", bearer(STRANGER), body), 400);
  assert.equal(await post("revoke", bearer(RSA), body), 204);
  assert.equal((await browser.open("/teams/acme/me")).status, 303);
});

test("a provider that does not answer is an answer", async () => {
  const silent = await paperProvider([EC]);
  await admin("PUT", "/sso/oidc", { issuer: silent.issuer, clientId: CLIENT });
  await silent.stop();
  const { status, text } = await visitor().open("/teams/acme/sign-in/start");
  assert.equal(status, 403);
  assert.match(text, /Reason: unreachable/);
});

test("a provider that goes on for ever, or sends us on, is given up", async () => {
  const document = JSON.stringify({
    issuer: "…",
    authorization_endpoint: "…",
    token_endpoint: "…",
    jwks_uri: "…",
  });
  const ways = {
    silent: () => {},
    slow: (response) => response.write(document),
    long: (response) => response.end(document + " ".repeat(256 << 10)),
    cut: (response) => response.write(document, () => response.destroy()),
    elsewhere: (response) => response.writeHead(302, { location: "/elsewhere" }).end(),
    garbled: (response) => response.end(Buffer.from([0x22, 0xff, 0x22])),
  };
  for (const [way, answer] of Object.entries(ways)) {
    const asked = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      answer(response);
    });
    await new Promise((resolve) => server.listen(0, "localhost", resolve));
    const issuer = `http://localhost:${server.address().port}`;
    try {
      await admin("PUT", "/sso/oidc", { issuer, clientId: CLIENT });
      const { status, text } = await visitor().open("/teams/acme/sign-in/start");
      assert.equal(status, 403, way);
      assert.match(text, /Reason: unreachable/, way);
      assert.deepEqual(asked, ["/.well-known/openid-configuration"], way);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
});

// Last, since this server refuses its own address for a minute then.
test("who goes on guessing waits, and no provider does", async () => {
  const guess = () => server.call("kfm_admin_guess", "GET", "/operator/v1/teams");
  let refusals = 0;
  while ((await guess()).status === 401) refusals += 1;
  assert.equal((await guess()).status, 429);
  assert.ok(refusals >= 500 && refusals <= 1_300, `after ${refusals}`);
  const good = await server.call(server.bindings.OPERATOR_TOKEN, "GET", "/operator/v1/teams");
  assert.equal(good.status, 429, "nothing is asked whether it would open anything");
  assert.equal((await server.call("kfm_scim_guess", "GET", "/scim/v2/Users")).status, 401);
});
