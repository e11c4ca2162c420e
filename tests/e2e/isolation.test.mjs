// Two teams with the same people never see each other, on every SCIM route and in
// every place where an id can stand; and many clients at one group lose nothing.
//
// Not here: the operator's flow (teams.test.mjs); the stories under
// tests/exchanges/isolation, which are replayed natively as well.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, group, patch, person, send } from "./support/client.mjs";
import { secrets, start } from "./support/workerd.mjs";

const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const NAMED = { ada: "a".repeat(40), bob: "b".repeat(40) };

let server;
let ours;
let theirs;

before(async () => {
  const own = secrets();
  // One token without a name is the operator's; the harness uses that.
  const named = Object.entries(NAMED).map(([name, token]) => `${name}:${token}`);
  const OPERATOR_TOKEN = [own.OPERATOR_TOKEN, ...named].join(",");
  server = await start({ bindings: { ...own, OPERATOR_TOKEN } });
  [ours, theirs] = [await side("ours"), await side("theirs")];
});
after(() => server?.stop());

const ask = (team, method, path, body, more = {}) =>
  send(server, method, `/scim/v2${path}`, { ...bearer(team.key), ...more }, body);
const audit = async (team) =>
  (await send(server, "GET", `/teams/${team.team}/v1/audit`, bearer(team.admin))).json().records;

async function made(team, path, body) {
  const answer = await ask(team, "POST", path, body);
  assert.equal(answer.status, 201, answer.text);
  return answer.json();
}

/** A team with a person, their manager and two groups, the same in each. */
async function side(id) {
  const team = await server.team(id);
  const boss = await made(
    team,
    "/Users",
    person("boss@same.example", { displayName: `Boss of ${id}` }),
  );
  const user = await made(team, "/Users", {
    ...person("same@same.example", { externalId: "same", displayName: `Same of ${id}` }),
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
    [ENTERPRISE]: { manager: { value: boss.id } },
  });
  const inner = await made(team, "/Groups", { ...group("Same", user.id), externalId: "same" });
  const outer = await made(team, "/Groups", group("Around", inner.id));
  return { ...team, boss: boss.id, user: user.id, inner: inner.id, outer: outer.id };
}

/** Everything of a team that SCIM shows, as text to look for ids and names in. */
async function seen(team) {
  const lists = ["/Users", "/Groups", "/"].map((path) => ask(team, "GET", `${path}?count=200`));
  const ones = [`/Users/${team.user}`, `/Users/${team.boss}`, `/Groups/${team.inner}`];
  const answers = await Promise.all([...lists, ...ones.map((path) => ask(team, "GET", path))]);
  for (const answer of answers) assert.equal(answer.status, 200, answer.text);
  return answers.map((answer) => answer.text).join("\n");
}

test("each team's ids are 404 with the other's key, by every method, and nothing moves", async () => {
  const before = await seen(theirs);
  const rename = patch({ op: "replace", path: "displayName", value: "Taken" });
  const join = patch({ op: "add", path: "members", value: [{ value: ours.user }] });
  for (const [path, change, whole] of [
    [`/Users/${theirs.user}`, rename, person("same@same.example")],
    [`/Groups/${theirs.inner}`, rename, group("Same")],
    [`/Groups/${theirs.inner}`, join, group("Same", ours.user)],
  ]) {
    for (const [method, body] of [
      ["GET"],
      ["HEAD"],
      ["PUT", whole],
      ["PATCH", change],
      ["DELETE"],
    ]) {
      const answer = await ask(ours, method, path, body);
      assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`);
    }
    const conditional = await ask(ours, "DELETE", path, undefined, { "if-match": "*" });
    assert.equal(conditional.status, 404, "a condition is no way to tell that it is there");
    const bulk = await ask(ours, "POST", "/Bulk", {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
      Operations: [
        { method: "DELETE", path },
        { method: "PATCH", path, data: change },
        { method: "PUT", path, data: whole },
      ],
    });
    const statuses = bulk.json().Operations.map((operation) => operation.status);
    assert.deepEqual(statuses, ["404", "404", "404"], bulk.text);
  }
  assert.equal(await seen(theirs), before);
});

test("no search of one team finds anything of the other", async () => {
  const filters = [
    'userName eq "same@same.example"',
    'externalId eq "same"',
    `id eq "${theirs.user}"`,
    `displayName co "of theirs"`,
    `groups.value eq "${theirs.inner}"`,
    `members.value eq "${theirs.user}"`,
    `${ENTERPRISE}:manager.value eq "${theirs.boss}"`,
    'meta.created gt "2000-01-01T00:00:00Z"',
  ];
  const schemas = ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"];
  let found = 0;
  for (const filter of filters) {
    for (const path of ["/Users", "/Groups", ""]) {
      const get = await ask(ours, "GET", `${path || "/"}?filter=${encodeURIComponent(filter)}`);
      const post = await ask(ours, "POST", `${path}/.search`, { schemas, filter });
      for (const answer of [get, post]) {
        // An attribute that the type does not have is the client's mistake.
        if (answer.status === 400) continue;
        assert.equal(answer.status, 200, answer.text);
        assert.doesNotMatch(answer.text.replaceAll(filter, ""), /theirs/);
        for (const id of [theirs.user, theirs.boss, theirs.inner, theirs.outer]) {
          assert.ok(!answer.text.includes(id), `${filter} at ${path} found ${id}`);
        }
        found += answer.json().totalResults;
      }
    }
  }
  assert.ok(found > 0, "some of these find what is ours");
});

test("the other team's ids as members or manager name nobody", async () => {
  const before = await seen(theirs);
  const mixed = await made(ours, "/Groups", group("Mixed", theirs.user, ours.user, theirs.inner));
  assert.deepEqual(
    mixed.members.map((member) => member.value),
    [ours.user],
  );
  for (const op of ["add", "replace"]) {
    const value = [{ value: theirs.boss }, { value: theirs.outer }, { value: ours.boss }];
    const answer = await ask(
      ours,
      "PATCH",
      `/Groups/${mixed.id}`,
      patch({ op, path: "members", value }),
    );
    assert.equal(answer.status, 200, answer.text);
    const values = answer
      .json()
      .members.map((member) => member.value)
      .sort();
    const wanted = op === "add" ? [ours.user, ours.boss] : [ours.boss];
    assert.deepEqual(values, wanted.sort());
  }
  const led = await ask(
    ours,
    "PATCH",
    `/Users/${ours.boss}`,
    patch({ op: "add", path: `${ENTERPRISE}:manager`, value: { value: theirs.boss } }),
  );
  assert.equal(led.status, 200, led.text);
  // The id is the client's own word and stays; a name for it would be theirs.
  assert.doesNotMatch(led.text, /theirs/);
  assert.equal(led.json()[ENTERPRISE].manager.displayName, undefined);
  const own = (await ask(ours, "GET", `/Users/${ours.user}`)).json();
  assert.equal(own[ENTERPRISE].manager.value, ours.boss);
  assert.equal(await seen(theirs), before);
  // Nor does anyone else's audit hear of it.
  const heard = JSON.stringify(await audit(theirs));
  for (const id of [ours.user, ours.boss, ours.inner, mixed.id]) assert.ok(!heard.includes(id));
});

test("every operator is named in the audit of operators and in the team's", async () => {
  const operator = (token, method, path, body) =>
    send(server, method, `/operator/v1${path}`, bearer(token), body);
  const admin = { name: "Grace", email: "grace@named.example" };
  const asked = { id: "named", name: "Named", admin, locationHint: "weur" };
  const created = await operator(NAMED.ada, "POST", "/teams", asked);
  assert.equal(created.status, 201, created.text);
  assert.equal(created.json().locationHint, "weur");
  assert.equal((await operator(NAMED.bob, "POST", "/teams/named/suspend")).status, 200);
  assert.equal((await operator(NAMED.ada, "POST", "/teams/named/resume")).status, 200);
  const reissued = await operator(NAMED.bob, "POST", "/teams/named/admin-token");
  const token = reissued.json().adminToken;
  const wanted = [
    ["operator:bob", "admin_token.issued"],
    ["operator:ada", "team.resumed"],
    ["operator:bob", "team.suspended"],
    ["operator:ada", "team.created"],
  ];
  const pairs = (records) => records.map(({ actor, action }) => [actor, action]);
  const all = (await operator(NAMED.ada, "GET", "/audit")).json().records;
  assert.deepEqual(pairs(all.filter((record) => record.subject === "named")), wanted);
  const own = (await send(server, "GET", "/teams/named/v1/audit", bearer(token))).json().records;
  assert.deepEqual(
    pairs(own).filter(([, action]) => action !== "admin_token.issued"),
    wanted.slice(1),
  );
  for (const guess of ["bob", `bob:${NAMED.bob}`, `${NAMED.bob},`, NAMED.bob.slice(1)]) {
    assert.equal((await operator(guess, "GET", "/audit")).status, 401, guess);
  }
});

test("four clients that fill one group at once lose nobody", async () => {
  const keys = [ours.key];
  for (const name of ["two", "three", "four"]) {
    const path = `/teams/${ours.team}/v1/scim/keys`;
    keys.push((await send(server, "POST", path, bearer(ours.admin), { name })).json().key);
  }
  const people = await Promise.all(
    Array.from({ length: 20 }, (_, n) => made(ours, "/Users", person(`crowd-${n}@same.example`))),
  );
  const crowd = (await made(ours, "/Groups", group("Crowd"))).id;
  const added = people.map(({ id }, n) => {
    const body = patch({ op: "add", path: "members", value: [{ value: id }] });
    return ask({ key: keys[n % keys.length] }, "PATCH", `/Groups/${crowd}`, body);
  });
  for (const { status, text } of await Promise.all(added)) assert.equal(status, 200, text);
  const now = (await ask(ours, "GET", `/Groups/${crowd}`)).json();
  const ids = (list, name) => list.map((entry) => entry[name]).sort();
  assert.deepEqual(ids(now.members, "value"), ids(people, "id"));
});
