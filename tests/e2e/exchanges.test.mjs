// Replays every exchange under tests/exchanges on workerd.
// `tests/exchanges.rs` replays the same files natively. What a file may say is in tests/exchanges/README.md.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { createTeam } from "../../scripts/team.mjs";
import { differences, manners } from "./support/pattern.mjs";
import { start } from "./support/workerd.mjs";

const ROOT = new URL("../exchanges/", import.meta.url);
const WANTED = process.env.EXCHANGE ?? "";
const paths = readdirSync(ROOT, { recursive: true })
  .filter((path) => path.endsWith(".json") && path.includes(WANTED))
  .sort();

describe("exchanges", { concurrency: 8 }, () => {
  let server;
  before(async () => {
    server = await start();
  });
  after(() => server?.stop());

  assert.ok(paths.length > 0, `no exchange matches ${WANTED}`);
  paths.forEach((path, index) => {
    const story = JSON.parse(readFileSync(new URL(path, ROOT), "utf8"));
    for (const mode of story.modes ?? ["tolerant"]) {
      test(`${path} (${mode}): ${story.name}`, async () => {
        const found = await replay(server, story, `x${index}-${mode}`, mode === "strict");
        assert.ok(found.length === 0, `\n${found.join("\n")}`);
      });
    }
  });
});

/** A team of which, unless `keepAdmin`, the first admin has been deleted again: nobody is in it. */
async function team(server, id, keepAdmin, isStrict) {
  const made = await createTeam(server.url, server.bindings.OPERATOR_TOKEN, id, { seats: 1000 });
  if (isStrict) {
    const { status } = await server.fetch(`/teams/${id}/v1/settings`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${made.adminToken}`, "content-type": "application/json" },
      body: JSON.stringify({ strictMode: true }),
    });
    assert.equal(status, 200);
  }
  if (!keepAdmin) {
    const headers = { authorization: `Bearer ${made.key}` };
    const list = await (await server.fetch("/scim/v2/Users", { headers })).json();
    const { status } = await server.fetch(`/scim/v2/Users/${list.Resources[0].id}`, {
      method: "DELETE",
      headers,
    });
    assert.equal(status, 204);
  }
  return made;
}

/** What differed, step by step. */
async function replay(server, story, id, isStrict) {
  const ours = await team(server, id, story.keepAdmin, isStrict);
  const keys = { scim: ours.key, admin: ours.adminToken };
  const names = { base: ours.baseUrl, team: id, key: ours.key };
  const found = [];
  for (const [index, written] of story.steps.entries()) {
    const [first, last] = written.repeat ?? [0, 0];
    for (let n = first; n <= last; n += 1) {
      const step = rewrite(written, (text) => text.replaceAll("${n}", String(n)));
      const { method, path, as } = step.request;
      if (as === "other") keys.other ??= (await team(server, `${id}-other`)).key;
      const wrong = await play(server, step, keys, names, isStrict).catch((error) => [String(error)]);
      if (wrong.length > 0)
        found.push(`step ${index + 1}: ${method} ${path}\n    ${wrong.join("\n    ")}`);
    }
  }
  return found;
}

async function play(server, step, keys, names, isStrict) {
  const request = rewrite(step.request, (text) => expand(text, names));
  const wanted = (isStrict && step.strict) || step.response;
  const expected = rewrite(wanted, (text) => expand(text, names));
  const response = await server.fetch(request.path, init(request, keys));
  const text = await response.text();
  const body = text === "" ? undefined : JSON.parse(text);

  const found = [];
  if (expected.status !== undefined && response.status !== expected.status) {
    found.push(`status: expected ${expected.status}, got ${response.status}`);
  }
  if (expected.headers)
    differences(expected.headers, Object.fromEntries(response.headers), "", found);
  if (expected.body === null) {
    if (body !== undefined) found.push("expected no body");
  } else if (expected.body !== undefined) {
    differences(expected.body, body, "", found);
  }
  found.push(...manners(response.status, (name) => response.headers.get(name), body));
  if (found.length > 0) found.push(`answer: ${response.status} ${text.slice(0, 1000)}`);
  // What a strict team refuses is not there to be captured.
  const isRefused = isStrict && step.strict && response.status >= 400;
  const captures = isRefused ? {} : (step.capture ?? {});
  for (const [name, pointer] of Object.entries(captures)) {
    const value = pointer
      .split("/")
      .slice(1)
      .reduce((at, key) => at?.[key], body);
    if (typeof value === "string") names[name] = value;
    else found.push(`nothing to capture as ${name} at ${pointer}`);
  }
  return found;
}

function init(request, keys) {
  const headers = {};
  const key = keys[request.as ?? "scim"];
  if (key) headers.authorization = `Bearer ${key}`;
  if (request.authorization !== undefined) headers.authorization = request.authorization;
  let body;
  if (request.text !== undefined) body = Buffer.from(request.text);
  else if (request.base64 !== undefined) body = Buffer.from(request.base64, "base64");
  else if (request.body !== undefined) body = Buffer.from(JSON.stringify(request.body));
  if (body) headers["content-type"] = "application/scim+json";
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (value === null) delete headers[name];
    else headers[name] = value;
  }
  return { method: request.method, headers, body };
}

/** Puts captured names and repetitions into a text. */
function expand(text, names) {
  return text.replaceAll(/\$\{(?:(\d+)\*([^}]*)|([^}]*))\}/g, (_, count, what, name) => {
    if (count !== undefined) {
      return Array.from({ length: Number(count) }, (_, i) =>
        what.replaceAll("#", String(i + 1)),
      ).join("");
    }
    if (!Object.hasOwn(names, name)) throw new Error(`\`${name}\`: not captured`);
    return names[name];
  });
}

/** The value with every string in it, keys too, rewritten. */
function rewrite(value, change) {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => rewrite(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [change(name), rewrite(item, change)]),
  );
}

describe("patterns", () => {
  const matches = (pattern, actual) => differences(pattern, actual).length === 0;

  test("what fits matches", () => {
    const actual = {
      id: "3f2c",
      n: 5,
      gone: null,
      on: true,
      when: "2026-11-23T21:05:17.000Z",
      list: [{ a: 1, more: 2 }, { a: 3 }],
    };
    for (const pattern of [
      {},
      { id: "<id>", n: 5, gone: null, on: true, other: "<absent>" },
      { when: "<datetime>", id: "<string>", gone: "<any>", list: "<any>" },
      { id: { "<contains>": "f2" }, n: { "<not>": 6 }, other: { "<not>": true } },
      { list: [{ a: 1 }, { a: 3 }] },
      { list: { "<unordered>": [{ a: 3 }, { a: "<any>" }] } },
      { list: { "<includes>": [{ a: 3 }] } },
      { list: { "<length>": 2 } },
    ])
      assert.deepEqual(differences(pattern, actual), []);
  });

  test("what does not fit fails", () => {
    const actual = { id: "x-bulkId-1", n: 5, gone: null, list: [{ a: 1 }, { a: 3 }] };
    for (const pattern of [
      { id: "<id>" },
      { id: "x" },
      { id: "<datetime>" },
      { id: "<nonsense>" },
      { n: "5" },
      { n: { "<not>": 5 } },
      { gone: "<absent>" },
      { gone: "<string>" },
      { missing: "<any>" },
      { missing: null },
      { list: [] },
      { list: [{ a: 3 }, { a: 1 }] },
      { list: [{ a: 1 }] },
      { list: { "<unordered>": [{ a: 1 }, { a: 1 }] } },
      { list: { "<unordered>": [{ a: 1 }] } },
      { list: { "<includes>": [{ a: 2 }] } },
      { list: { "<length>": 1 } },
      { id: { "<contains>": "y" } },
      { id: { "<nonsense>": "x" } },
      [],
      null,
    ])
      assert.ok(!matches(pattern, actual), `${JSON.stringify(pattern)} must not match`);
    assert.ok(!matches("<datetime>", "2026-11-23 21:05:17"));
  });

  test("a difference says where", () => {
    assert.deepEqual(differences({ a: [{ b: 1 }] }, { a: [{ b: 2 }] }), [
      "/a/0/b: expected 1, got 2",
    ]);
  });

  test("manners are minded", () => {
    const scim = (name) => (name === "content-type" ? "application/scim+json" : null);
    const none = () => null;
    const error = {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
      status: "404",
      detail: "no such user",
    };
    const user = { id: "1", meta: { location: "u", version: "v" } };
    assert.deepEqual(manners(404, scim, error), []);
    assert.deepEqual(manners(204, none, undefined), []);
    assert.equal(manners(404, none, undefined).length, 1);
    assert.equal(manners(400, scim, error).length, 1, "status differs");
    assert.equal(manners(200, none, {}).length, 1, "no content type");
    assert.equal(manners(200, scim, user).length, 3, "three headers are missing");
  });
});
