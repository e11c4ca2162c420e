// Teams to measure, made once for a size and a set of migrations, and kept under
// `.wrangler/bench`, since a million people take minutes. They are made as a provider
// makes them, through the API, so that every row is what a real team has.
//
// A run works on a copy: it starts from the same state every time, whatever the run
// before it wrote and however it ended.

import { createHash, randomBytes } from "node:crypto";
import { constants, cpSync, existsSync, readFileSync, readdirSync } from "node:fs";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, say, step } from "../scripts/steps.mjs";
import { createTeam } from "../scripts/team.mjs";
import { ask, bearer } from "./ask.mjs";
import { addMembers, bulk, group, person } from "./people.mjs";
import { serveLimit, serveOurs } from "./workerd.mjs";

const HOME = join(ROOT, ".wrangler/bench");
/** What a seeded team depends on: other files, other teams. */
const INPUTS = ["migrations", "bench/seeding.mjs", "bench/people.mjs", "bench/limit.mjs"];

/** Operations of one bulk request, and members of one PATCH. */
const BULK_MAX = 1_000;
const MEMBERS_MAX = 10_000;
/** Rows of the limit that one request makes. */
const FILL_MAX = 10_000;
/** People beyond the team's size, who come into groups and leave them. */
const OUTSIDERS = 256;
/**
 * People whose ids are remembered: those that requests are about. Half of them are
 * changed in turn with the outsiders, who must come out even.
 */
const KNOWN_MAX = 4_096;
const KNOWN_STEP = 2 * OUTSIDERS;
/**
 * The groups, by what they are called here, and their members. A group of up to 100
 * is shown in the answer to a PATCH, and a larger one is not; the least has one more,
 * so that all of them are answered alike.
 */
export const GROUPS = { 100: 101, 10_000: 10_000, 100_000: 100_000 };
/** How often to say how far it is. */
const NEWS_MS = 10_000;

/** A copy of the team of this size: `{ team, ours, limit }`, the last two being folders. */
export async function stage(size) {
  const kept = join(HOME, digest(), String(size));
  if (!existsSync(kept)) {
    const unfinished = `${kept}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    await step(`A team of ${size}`, "making it once", () => make(unfinished, size));
    renameSync(unfinished, kept);
  }
  const run = join(HOME, "run");
  rmSync(run, { recursive: true, force: true });
  cpSync(kept, run, { recursive: true, mode: constants.COPYFILE_FICLONE });
  const team = JSON.parse(readFileSync(join(run, "team.json"), "utf8"));
  return { team, ours: join(run, "ours"), limit: join(run, "limit") };
}

function digest() {
  const hash = createHash("sha256");
  const add = (path) => hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  for (const input of INPUTS) {
    if (input.endsWith(".mjs")) add(input);
    else {
      const entries = readdirSync(join(ROOT, input), { recursive: true }).map(String).sort();
      entries.filter((name) => name.endsWith(".sql")).forEach((name) => add(join(input, name)));
    }
  }
  return hash.digest("hex").slice(0, 12);
}

async function make(folder, size) {
  const bindings = {
    OPERATOR_TOKEN: randomBytes(32).toString("base64url"),
    SIGNING_SECRETS: `1:${randomBytes(32).toString("base64url")}`,
  };
  const ours = await serveOurs(join(folder, "ours"), bindings);
  const team = { bindings, ...(await seed(ours, bindings.OPERATOR_TOKEN, size)) };
  await ours.stop();
  const limit = await serveLimit(join(folder, "limit"));
  for (let from = 0; from < size; from += FILL_MAX) {
    const to = Math.min(from + FILL_MAX, size) - 1;
    await expect(200, limit, {
      method: "POST",
      path: `/fill?from=${from}&to=${to}`,
      body: team.document,
    });
  }
  await limit.stop();
  writeFileSync(join(folder, "team.json"), JSON.stringify(team), { mode: 0o600 });
}

/**
 * Makes a team on a server: what the requests need to know of it. `people` are some
 * of it, each with number and id, in no order; `document` is how one of them is shown.
 */
export async function seed(server, operatorToken, size) {
  const { key, adminToken } = await createTeam(server.url, operatorToken, "bench", {
    seats: 10_000_000,
  });
  await unhinder(server, adminToken);
  const scim = bearer(key);
  const ids = await fill(server, scim, size, "person");
  const outsiders = await fill(server, scim, OUTSIDERS, "outsider");
  const people = known(ids);
  const groups = await gatherAll(server, scim, ids, people);
  const shown = await expect(200, server, { path: `/scim/v2/Users/${people[0].id}`, headers: scim });
  return { size, key, people, outsiders, groups, document: shown.text };
}

/**
 * What protects a team from its provider is lifted here: it is for the exception, and
 * the benchmark measures the rule.
 */
async function unhinder(server, adminToken) {
  await expect(200, server, {
    method: "PATCH",
    path: "/teams/bench/v1/settings",
    headers: { ...bearer(adminToken), "content-type": "application/json" },
    body: JSON.stringify({ brakePercent: 100, brakeMembers: 1_000_000 }),
  });
}

async function fill(server, headers, count, prefix) {
  const ids = [];
  const begin = Date.now();
  let told = begin;
  while (ids.length < count) {
    const first = ids.length;
    const length = Math.min(BULK_MAX, count - first);
    const people = Array.from({ length }, (_, n) => person(first + n, prefix));
    const request = { method: "POST", path: "/scim/v2/Bulk", headers, body: JSON.stringify(bulk(people)) };
    const { Operations } = (await expect(200, server, request)).body();
    for (const { location } of Operations) ids.push(location.slice(location.lastIndexOf("/") + 1));
    if (Date.now() - told < NEWS_MS) continue;
    told = Date.now();
    const rate = Math.round((1_000 * ids.length) / (told - begin));
    say(`${ids.length} of ${count} people, ${rate} a second`);
  }
  return ids;
}

/**
 * The groups that a team of this size can have. The people whom requests are about are
 * in one group each, whatever the size of the team: what a read shows must not differ.
 */
async function gatherAll(server, headers, ids, people) {
  const known = people.map(({ id }) => id);
  const isKnown = new Set(known);
  const inOrder = [...ids.filter((id) => !isKnown.has(id)), ...known];
  const groups = {};
  let most = 0;
  for (const [name, members] of Object.entries(GROUPS)) {
    if (Number(name) > ids.length) continue;
    groups[name] = await gather(server, headers, name, inOrder.slice(0, members));
    most = members;
  }
  const left = known.slice(Math.max(0, most - (inOrder.length - known.length)));
  if (left.length > 0) await gather(server, headers, "those left", left);
  return groups;
}

/** A group with these members; its id. */
async function gather(server, headers, name, members) {
  const body = JSON.stringify(group(`Group of ${name}`));
  const made = await expect(201, server, { method: "POST", path: "/scim/v2/Groups", headers, body });
  const { id } = made.body();
  for (let first = 0; first < members.length; first += MEMBERS_MAX) {
    const some = members.slice(first, first + MEMBERS_MAX);
    const request = { method: "PATCH", path: `/scim/v2/Groups/${id}`, headers };
    const { status, text } = await ask(server, { ...request, body: JSON.stringify(addMembers(...some)) });
    if (status !== 200 && status !== 204) throw new Error(`members: ${status} ${text}`);
  }
  return id;
}

/** Some people, evenly from the whole team and in no order. */
function known(ids) {
  const length = Math.min(KNOWN_MAX, ids.length - (ids.length % KNOWN_STEP));
  const even = Array.from({ length }, (_, n) => Math.floor((n * ids.length) / length));
  // A prime that shares no factor with any length here takes each once.
  return even.map((_, n) => even[(n * 1_663) % length]).map((n) => ({ n, id: ids[n] }));
}

async function expect(status, server, request) {
  const answer = await ask(server, request);
  if (answer.status === status) return answer;
  const { method = "GET", path } = request;
  throw new Error(`${method} ${path} was answered ${answer.status}: ${answer.text.slice(0, 500)}`);
}
