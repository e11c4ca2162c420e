// A team moves from one workerd to another, which is killed in the middle.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { secrets, start } from "./support/workerd.mjs";

const PEOPLE = 300;
const bindings = secrets();
const stateDir = mkdtempSync(join(tmpdir(), "kafkaman-transfer-"));

let from;
let to;
before(async () => {
  from = await start();
  to = await start({ stateDir, bindings });
});
after(async () => {
  await Promise.all([from?.stop(), to?.stop()]);
  rmSync(stateDir, { recursive: true });
});

const operator = (server) => ({ authorization: `Bearer ${server.bindings.OPERATOR_TOKEN}` });

async function chunk(next) {
  const path = `/operator/v1/teams/acme/export${next ? `?after=${next}` : ""}`;
  const answer = await from.fetch(path, { headers: operator(from) });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return { text, next: JSON.parse(text.trimEnd().split("\n").at(-1)).next };
}

async function put(text) {
  const path = "/operator/v1/teams/moved/import";
  const answer = await to.fetch(path, { method: "POST", headers: operator(to), body: text });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body;
}

/** What a provider sees, without the server's address and the part of a tag that depends on it. */
async function seen(server, key) {
  const shown = [];
  for (const path of ["/Users?count=200", "/Users?count=200&startIndex=201", "/Groups"]) {
    const answer = await server.call(key, "GET", `/scim/v2${path}`);
    const text = JSON.stringify(answer.body).replaceAll(server.url, "");
    shown.push(text.replaceAll(/(W\/\\"\d+)-[0-9a-f]+/g, "$1"));
  }
  return shown;
}

test("a team of some hundreds arrives as it was, though the importing side is killed", async () => {
  const { key } = await from.team("acme");
  const members = [];
  for (let at = 0; at < PEOPLE; at++) {
    const person = { userName: `p${at}@example.com`, title: "x".repeat(10_000), active: at % 9 > 0 };
    const made = await from.call(key, "POST", "/scim/v2/Users", person);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    members.push({ value: made.body.id });
  }
  const group = { displayName: "Everyone", members };
  assert.equal((await from.call(key, "POST", "/scim/v2/Groups", group)).status, 201);

  const admin = { name: "New Admin", email: "new@kafkaman.example" };
  const wanted = { id: "moved", name: "Moved", seats: 1000, admin };
  const { OPERATOR_TOKEN } = bindings;
  const made = await to.call(OPERATOR_TOKEN, "POST", "/operator/v1/teams", wanted);
  assert.equal(made.status, 201);

  let { text, next } = await chunk();
  for (let at = 1; ; at++) {
    const progress = await put(text);
    assert.deepEqual(progress, { chunk: at, finished: next === null });
    if (at === 2) {
      await to.kill();
      to = await start({ stateDir, bindings });
      assert.deepEqual(await put(text), progress, "what was acknowledged is there");
    }
    if (next === null) {
      assert.ok(at > 3, "more chunks than the kill needs");
      break;
    }
    ({ text, next } = await chunk(next));
  }
  const path = "/operator/v1/teams/moved/admin-token";
  const { adminToken } = (await to.call(OPERATOR_TOKEN, "POST", path)).body;
  const generate = "/teams/moved/v1/scim/keys";
  const made2 = await to.call(adminToken, "POST", generate, { name: "new" });
  const [there, here] = [await seen(to, made2.body.key), await seen(from, key)];
  for (const [at, page] of here.entries()) {
    const differs = [...page].findIndex((own, index) => own !== there[at][index]);
    const excerpt = (text) => text.slice(Math.max(0, differs - 100), differs + 100);
    if (differs >= 0) assert.equal(excerpt(there[at]), excerpt(page));
    assert.equal(there[at].length, page.length);
  }
});
