// What is too large, encoded, or of a method nobody has; the headers that every
// answer carries; and the log: one line a request, and nothing in it that is secret
// or names a person. All as it comes out of workerd, which has a mind of its own
// about bodies, paths and methods.
//
// Not here: which body is valid (the stories under tests/exchanges).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { bearer, group, open, patch, person, send } from "./support/client.mjs";
import { start } from "./support/workerd.mjs";

const MEBIBYTE = 1 << 20;
/** How long a line may take from workerd to here. */
const LOGGED_MS = 5_000;
const CHUNKED = { "transfer-encoding": "chunked" };

let server;
let team;

before(async () => {
  server = await start();
  team = await server.team("acme");
});
after(() => server?.stop());

const ask = (method, path, body, more = {}) =>
  send(server, method, `/scim/v2${path}`, { ...bearer(team.key), ...more }, body);
const admin = (method, path, body, more = {}) =>
  send(server, method, `/teams/acme/v1${path}`, { ...bearer(team.admin), ...more }, body);
const operator = (method, path, body, more = {}) =>
  send(
    server,
    method,
    `/operator/v1${path}`,
    {
      ...bearer(server.bindings.OPERATOR_TOKEN),
      ...more,
    },
    body,
  );
const woken = async () => Number((await send(server, "GET", "/-testing/woken")).text);
const total = async () => (await ask("GET", "/Users?count=0")).json().totalResults;

/** A User's body of exactly so many bytes. */
function sized(bytes, userName) {
  const frame = JSON.stringify(person(userName, { title: "" }));
  return Buffer.from(JSON.stringify(person(userName, { title: "x".repeat(bytes - frame.length) })));
}

function assertScimError(answer, status) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers["content-type"], "application/scim+json");
  const { schemas, status: told, detail } = answer.json();
  assert.deepEqual(schemas, ["urn:ietf:params:scim:api:messages:2.0:Error"]);
  assert.equal(told, String(status));
  assert.ok(detail);
}

test("a User may have a mebibyte and no more, whether its length is announced or not", async () => {
  for (const more of [{}, CHUNKED]) {
    const name = more === CHUNKED ? "chunked" : "announced";
    const fits = await ask("POST", "/Users", sized(MEBIBYTE, `${name}@x.example`), more);
    // As large as may be is read; what is wrong with it, if anything, is something else.
    assert.notEqual(fits.status, 413, fits.text);
    const count = await total();
    const large = sized(MEBIBYTE + 1, `${name}-large@x.example`);
    assertScimError(await ask("POST", "/Users", large, more), 413);
    assert.equal(await total(), count);
  }
});

test("a Group may have eight mebibytes, and a body beyond is not read to its end", async () => {
  const spaces = (bytes) => Buffer.concat([Buffer.alloc(bytes - 2, " "), Buffer.from("{}")]);
  const fits = await ask("POST", "/Groups", spaces(8 * MEBIBYTE));
  assertScimError(fits, 400);
  assert.match(fits.text, /displayName/);
  assertScimError(await ask("POST", "/Groups", spaces(8 * MEBIBYTE + 1), CHUNKED), 413);

  // A body without an end: the answer comes all the same.
  const { request, answer } = open(server, "POST", "/scim/v2/Groups", {
    ...bearer(team.key),
    ...CHUNKED,
  });
  const chunk = Buffer.alloc(MEBIBYTE / 4, " ");
  const more = () => request.destroyed || request.write(chunk, more);
  more();
  // A client that only writes may see the connection go before it sees the answer.
  const told = await answer.catch((error) => error);
  if (told instanceof Error) assert.match(told.code, /^(EPIPE|ECONNRESET)$/);
  else assertScimError(told, 413);
  request.destroy();
  assert.equal((await ask("GET", "/Users")).status, 200);
});

test("a body that announces more than eight mebibytes is refused unread and wakes nobody", async () => {
  const before = await woken();
  const announced = { "content-length": String(8 * MEBIBYTE + 1) };
  for (const [path, token] of [
    ["/scim/v2/Users", team.key],
    ["/scim/v2/Groups", team.key],
    ["/scim/v2/Bulk", team.key],
    ["/teams/acme/v1/scim/keys", team.admin],
    ["/operator/v1/teams", server.bindings.OPERATOR_TOKEN],
  ]) {
    // Nothing follows the head: an answer shows that nobody waits for the body.
    const { request, answer } = open(server, "POST", path, { ...bearer(token), ...announced });
    request.flushHeaders();
    const refused = await answer;
    request.destroy();
    assert.equal(refused.status, 413, `${path}: ${refused.text}`);
    if (path.startsWith("/scim")) assertScimError(refused, 413);
    else assert.equal(refused.json().error.code, "too_large");
  }
  assert.equal(await woken(), before);
});

test("a body with a Content-Encoding is 415, and is not unpacked", async () => {
  const count = await total();
  const text = JSON.stringify(person("packed@x.example"));
  for (const [encoding, body] of [
    ["gzip", gzipSync(text)],
    ["gzip", gzipSync(Buffer.alloc(64 * MEBIBYTE, " "))],
    ["gzip", Buffer.from(text)],
    ["br", Buffer.from(text)],
    ["gzip, identity", Buffer.from(text)],
  ]) {
    assertScimError(await ask("POST", "/Users", body, { "content-encoding": encoding }), 415);
  }
  assert.equal(await total(), count);
  const plain = await ask("POST", "/Users", text, { "content-encoding": "identity" });
  assert.equal(plain.status, 201, plain.text);
});

test("HEAD is GET without the body", async () => {
  const made = (await ask("POST", "/Users", person("head@x.example"))).json();
  for (const path of [
    "/Users",
    `/Users/${made.id}`,
    "/Users/nobody",
    "/ServiceProviderConfig",
    "/Us%65rs",
  ]) {
    const [get, head] = [await ask("GET", path), await ask("HEAD", path)];
    assert.equal(head.status, get.status, path);
    assert.equal(head.text, "", path);
    for (const name of [
      "content-type",
      "etag",
      "location",
      "content-location",
      "cache-control",
      "vary",
    ]) {
      assert.equal(head.headers[name], get.headers[name], `${name} of ${path}`);
    }
  }
  const open = await send(server, "HEAD", "/scim/v2/ServiceProviderConfig");
  assert.deepEqual([open.status, open.text], [200, ""]);
});

test("a method that a path does not have is 405 and names those it has", async () => {
  for (const method of ["TRACE", "OPTIONS", "PROPFIND", "PURGE"]) {
    for (const [path, allow] of [
      ["/Users", "GET, HEAD, POST"],
      ["/Users/x", "GET, HEAD, PUT, PATCH, DELETE"],
      ["/Bulk", "POST"],
      ["/.search", "POST"],
      ["/Schemas", "GET, HEAD"],
    ]) {
      const answer = await ask(method, path);
      if (method === "OPTIONS") assert.deepEqual([answer.status, answer.text], [204, ""]);
      else assertScimError(answer, 405);
      assert.equal(answer.headers.allow, `${allow}, OPTIONS`, `${method} ${path}`);
      assert.doesNotMatch(answer.text, /kfm_/, "TRACE shows no header");
    }
    assert.equal((await admin(method, "")).status, 405);
    assert.equal((await operator(method, "/teams")).status, 405);
    // Nor is a method a way past the key.
    assert.equal((await send(server, method, "/scim/v2/Users")).status, 401, method);
  }
  // workerd knows its methods, and answers others before any code of ours runs.
  assert.equal((await ask("BREW", "/Users")).status, 501);
  assert.equal((await ask("DELETE", "/Users")).status, 405);
});

test("a path is matched as workerd hands it on: dots resolved, nothing else decoded", async () => {
  for (const [path, status] of [
    ["/scim/v2/./Users", 200],
    ["/scim/v2/Groups/../Users", 200],
    ["/scim/v2/%2e%2e/v2/Users", 200],
    ["/scim/v2/Schemas/%2E%2E/Users", 200],
    ["/teams/acme/../../scim/v2/Users", 200],
    ["/scim/v2/Us%65rs", 404],
    ["/%73cim/v2/Users", 404],
    ["/scim%2Fv2%2FUsers", 404],
    ["/scim/v2/Users/%2e%2e%2fUsers", 404],
    ["/SCIM/v2/Users", 404],
    ["//scim/v2/Users", 404],
    ["/scim/v2/Users/../../../-/command", 404],
  ]) {
    const allowed = await send(server, "GET", path, bearer(team.key));
    assert.equal(allowed.status, status, `${path}: ${allowed.text}`);
    const without = await send(server, "GET", path);
    assert.ok([401, 404].includes(without.status), `${path} without a key: ${without.status}`);
    if (status === 200) assert.equal(without.status, 401, path);
    assert.doesNotMatch(without.text, /Resources|userName/);
  }
});

/** Answers of every kind and from every part, by what they are. */
async function kinds() {
  const made = await ask("POST", "/Users", person("kinds@x.example"));
  const { id } = made.json();
  const joined = await ask("POST", "/Groups", group("Kinds", id));
  const etag = made.headers.etag;
  return {
    created: made,
    "group created": joined,
    read: await ask("GET", `/Users/${id}`),
    "not modified": await ask("GET", `/Users/${id}`, undefined, { "if-none-match": etag }),
    list: await ask("GET", "/Users"),
    changed: await ask(
      "PATCH",
      `/Users/${id}`,
      patch({ op: "replace", path: "title", value: "T" }),
    ),
    minimal: await ask("PUT", `/Users/${id}`, person("kinds@x.example"), {
      prefer: "return=minimal",
    }),
    "precondition failed": await ask("DELETE", `/Users/${id}`, undefined, { "if-match": 'W/"0"' }),
    "not JSON": await ask("POST", "/Users", "{"),
    conflict: await ask("POST", "/Users", person("kinds@x.example")),
    deleted: await ask("DELETE", `/Users/${id}`),
    "not found": await ask("GET", `/Users/${id}`),
    "not acceptable": await ask("GET", "/Users", undefined, { accept: "text/html" }),
    "media type": await ask("POST", "/Users", "{}", { "content-type": "text/plain" }),
    "bad method": await ask("DELETE", "/Users"),
    "too large": await ask("POST", "/Users", sized(MEBIBYTE + 1, "l@x.example")),
    "no key": await send(server, "GET", "/scim/v2/Users"),
    "no endpoint": await send(server, "GET", "/scim/v3/Users", bearer(team.key)),
    discovery: await send(server, "GET", "/scim/v2/Schemas"),
    "discovery with a key": await ask("GET", "/ResourceTypes"),
    home: await send(server, "GET", "/"),
    nowhere: await send(server, "GET", "/nowhere"),
    team: await admin("GET", ""),
    "team's key": await admin("POST", "/scim/keys", { name: "kinds" }),
    "team refused": await admin("POST", "/scim/keys", { wrong: 1 }),
    "team without token": await send(server, "GET", "/teams/acme/v1"),
    teams: await operator("GET", "/teams"),
    "team suspended": await operator("POST", "/teams/acme/suspend"),
    "team resumed": await operator("POST", "/teams/acme/resume"),
    "team not found": await operator("GET", "/teams/nobody"),
    trap: await ask("GET", "/Users", undefined, { "x-testing-trap": "1" }),
    "trap in the Worker": await send(server, "GET", "/-testing/trap"),
  };
}

test("every answer forbids keeping and guessing, and has an id of its own", async () => {
  const answers = Object.entries(await kinds());
  const ids = new Set();
  for (const [what, { status, headers, text }] of answers) {
    assert.equal(headers["cache-control"], "no-store", `${what}, ${status}`);
    assert.match(headers["x-request-id"] ?? "", /^[\w.-]{1,64}$/, what);
    ids.add(headers["x-request-id"]);
    if (text === "") continue;
    assert.equal(headers["x-content-type-options"], "nosniff", what);
    assert.match(headers["content-type"], /^application\/(scim\+)?json$/, what);
    assert.doesNotThrow(() => JSON.parse(text), what);
  }
  assert.equal(ids.size, answers.length, "no two ids are the same");
});

test("a client's request id comes back if a log can take it, and another does else", async () => {
  for (const id of ["a", "0HN-7.x_Y", "z".repeat(64)]) {
    const answer = await ask("GET", "/Users", undefined, { "x-request-id": id });
    assert.equal(answer.headers["x-request-id"], id);
  }
  for (const id of ["", "z".repeat(65), "a b", '"}{"', "ä", team.key]) {
    const answer = await ask("GET", "/Users", undefined, { "x-request-id": id });
    assert.notEqual(answer.headers["x-request-id"], id);
    assert.match(answer.headers["x-request-id"], /^[\w.-]{1,64}$/);
  }
});

/** The lines of the log with this request id, once there is one. */
async function logged(id) {
  const deadline = performance.now() + LOGGED_MS;
  for (;;) {
    const found = lines().filter((line) => line.requestId === id);
    if (found.length > 0 || performance.now() > deadline) return found;
    await delay(10);
  }
}

/** The log's lines that are ours: JSON. A trap also has the runtime's own words. */
function lines() {
  return server
    .log()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

test("each request is one line of JSON in the log, whoever answered it", async () => {
  const answers = Object.entries(await kinds());
  for (const [what, { status, headers }] of answers) {
    const found = await logged(headers["x-request-id"]);
    assert.equal(found.length, 1, `${what}: ${JSON.stringify(found)}`);
    assert.equal(found[0].status, status, what);
    if (found[0].part === "guard") continue;
    for (const name of ["ms", "rowsRead", "rowsWritten"]) {
      assert.ok(Number.isInteger(found[0][name]), `${name} of ${what}`);
    }
    assert.equal(found[0].team, found[0].part === "team" ? "acme" : null, what);
  }
  const part = async (what) =>
    (await logged(answers.find(([name]) => name === what)[1].headers["x-request-id"]))[0].part;
  assert.equal(await part("created"), "team");
  assert.equal(await part("team"), "team");
  assert.equal(await part("teams"), "registry");
  assert.equal(await part("no key"), "worker");
  assert.equal(await part("discovery"), "worker");
  assert.equal(await part("trap"), "guard");
});

test("the log has no secret, no name, no address, no filter and no other text of a client's", async () => {
  const marks = {
    userName: "mark-user-name",
    email: "mark-mail@person.example",
    family: "Markfamily",
    filter: "mark-filter-value",
    group: "mark-group",
    attribute: "markattribute",
    path: "mark-path",
    error: "mark-in-an-error",
    header: "mark-in-a-header",
    key: "mark-key-name",
    agent: "mark-agent/1.0",
    admin: "mark-admin@person.example",
  };
  const more = {
    "user-agent": marks.agent,
    cookie: `a=${marks.header}`,
    "x-unknown": marks.header,
  };
  const body = person(marks.userName, {
    emails: [{ value: marks.email, primary: true }],
    name: { familyName: marks.family },
    [marks.attribute]: "x",
  });
  const made = (await ask("POST", "/Users", body, more)).json();
  const query = encodeURIComponent(`userName eq "${marks.filter}"`);
  const answers = [
    await ask("POST", "/Users", body, more),
    await ask("GET", `/Users?filter=${query}`, undefined, more),
    await ask(
      "GET",
      `/Users?filter=${encodeURIComponent(`${marks.error} is wrong`)}`,
      undefined,
      more,
    ),
    await ask("POST", "/Users/.search", { filter: `userName eq "${marks.filter}"` }, more),
    await ask("POST", "/Users", `{ "${marks.error}`, more),
    await ask("POST", "/Groups", group(marks.group, made.id), more),
    await ask("GET", `/Users/${marks.path}`, undefined, more),
    await ask("GET", `/${marks.path}/${marks.path}?${marks.path}`, undefined, more),
    await ask("GET", `/Users/${encodeURIComponent(marks.email)}`, undefined, more),
    await ask("GET", "/Users", undefined, { ...more, authorization: `Bearer ${marks.header}` }),
    await ask("POST", "/Users", body, { ...more, "x-testing-trap": "1" }),
    await ask("GET", "/Users", undefined, { "x-kafkaman-debug": server.bindings.OPERATOR_TOKEN }),
    await ask("GET", "/Users", undefined, { "x-request-id": team.key }),
    await send(server, "GET", `/${marks.path}?key=${team.key}`),
    await send(server, "GET", `/scim/v2/${team.key}`, bearer(team.key)),
    await admin("POST", "/scim/keys", { name: marks.key }),
    await admin("POST", "/scim/keys", { [marks.attribute]: marks.error }),
    await operator("POST", "/teams", {
      id: "marked",
      name: marks.group,
      admin: { name: marks.family, email: marks.admin },
    }),
  ];
  for (const { headers } of answers) await logged(headers["x-request-id"]);
  const log = server.log().toLowerCase();
  assert.ok(log.includes('"route":"post /scim/v2/users"'), "this is the log");
  const { OPERATOR_TOKEN, SIGNING_SECRETS } = server.bindings;
  const secrets = [OPERATOR_TOKEN, SIGNING_SECRETS.split(":")[1], team.key, team.admin];
  const minted = answers.map(({ text }) => text.match(/kfm_[a-z]+_[\w-]+/)?.[0]).filter(Boolean);
  assert.equal(minted.length, 2, "a key and an admin token were made");
  for (const secret of [...secrets, ...minted]) {
    assert.ok(!log.includes(secret.toLowerCase()), `${secret.slice(0, 10)}…`);
  }
  assert.ok(!log.includes("kfm_"), "nor a piece of one");
  for (const [what, mark] of Object.entries(marks))
    assert.ok(!log.includes(mark.toLowerCase()), what);
});

test("an operator can ask what a request cost; nobody else can", async () => {
  const cost = ({ headers }) => [headers["x-rows-read"], headers["x-rows-written"]].map(Number);
  const debug = { "x-kafkaman-debug": server.bindings.OPERATOR_TOKEN };
  const [read, none] = cost(await ask("GET", "/Users?count=1", undefined, debug));
  assert.ok(read > 0, String(read));
  assert.equal(none, 0);
  const made = await ask("POST", "/Users", person("cost@x.example"), debug);
  assert.ok(cost(made)[1] > 0);
  const line = (await logged(made.headers["x-request-id"]))[0];
  assert.deepEqual(cost(made), [line.rowsRead, line.rowsWritten]);
  const { OPERATOR_TOKEN } = server.bindings;
  for (const wrong of [
    "",
    "1",
    "true",
    team.key,
    team.admin,
    `${OPERATOR_TOKEN}x`,
    OPERATOR_TOKEN.slice(1),
  ]) {
    const { headers } = await ask("GET", "/Users", undefined, { "x-kafkaman-debug": wrong });
    assert.deepEqual([headers["x-rows-read"], headers["x-rows-written"]], [undefined, undefined]);
  }
  const refused = await send(server, "GET", "/scim/v2/Users", { ...bearer("x"), ...debug });
  assert.equal(refused.headers["x-rows-read"], undefined);
});
