// Makes a team to measure, as a provider makes it: through the API, so that every row is
// what a real team has. `staging.mjs` keeps what is made, the smoke test throws it away.

import { say } from "../scripts/steps.mjs";
import { createTeam } from "../scripts/team.mjs";
import { bearer, expect } from "./ask.mjs";
import { person } from "./people.mjs";
import { BULK, GROUPS, USERS, addMembers, bulk, group } from "./scim.mjs";

/** The team's id. */
export const TEAM = "bench";
/** Operations of one bulk request, and members of one PATCH. */
const BULK_MAX = 1_000;
const MEMBERS_MAX = 10_000;
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
const GROUP_SIZES = { 100: 101, 10_000: 10_000, 100_000: 100_000 };
/** What a team made earlier must agree in; `layout` counts other ways to make one. */
export const SHAPE = { layout: 1, GROUP_SIZES, OUTSIDERS, KNOWN_MAX, somebody: person(0) };
/** How often to say how far it is. */
const NEWS_MS = 10_000;

/**
 * Makes a team on a server: what the requests need to know of it. `people` are some
 * of it, each with number and id, in no order; `document` is how one of them is shown.
 */
export async function seed(server, operatorToken, size, groupSizes = GROUP_SIZES) {
  const { key, adminToken } = await createTeam(server.url, operatorToken, TEAM, {
    seats: 10_000_000,
    requestsPerSecond: 1_000_000,
    requestBurst: 1_000_000,
  });
  await unhinder(server, adminToken);
  const scim = bearer(key);
  const ids = await populate(server, scim, size, "person");
  const outsiders = await populate(server, scim, OUTSIDERS, "outsider");
  const people = known(ids);
  const groups = await gatherAll(server, scim, ids, people, groupSizes);
  const request = { path: `${USERS}/${people[0].id}`, headers: scim };
  const shown = await expect([200], server, request);
  return { size, key, people, outsiders, groups, document: shown.text };
}

/**
 * What protects a team from its provider is lifted here: it is for the exception, and
 * the benchmark measures the rule.
 */
async function unhinder(server, adminToken) {
  await expect([200], server, {
    method: "PATCH",
    path: `/teams/${TEAM}/v1/settings`,
    headers: { ...bearer(adminToken), "content-type": "application/json" },
    body: JSON.stringify({ brakePercent: 100, brakeMembers: 1_000_000 }),
  });
}

async function populate(server, headers, count, prefix) {
  const ids = [];
  const begin = Date.now();
  let told = begin;
  while (ids.length < count) {
    const first = ids.length;
    const length = Math.min(BULK_MAX, count - first);
    const people = Array.from({ length }, (_, n) => person(first + n, prefix));
    const request = {
      method: "POST",
      path: BULK,
      headers,
      body: JSON.stringify(bulk(people)),
    };
    const { Operations } = (await expect([200], server, request)).body();
    for (const { location } of Operations) ids.push(location.slice(location.lastIndexOf("/") + 1));
    if (Date.now() - told < NEWS_MS) continue;
    told = Date.now();
    const rate = Math.round((1_000 * ids.length) / (told - begin));
    say(`${ids.length} of ${count} people, ${rate} a second`);
  }
  return ids;
}

/**
 * The groups that a team of this size can have, and one of everybody else. Those whom
 * requests are about are in one group each, whatever the size of the team, and so are
 * those on the pages that are read: what a read shows must not differ by the size. Into
 * several go those who came last.
 */
async function gatherAll(server, headers, ids, people, groupSizes) {
  const known = people.map(({ id }) => id);
  const isKnown = new Set(known);
  const inOrder = [...ids.filter((id) => !isKnown.has(id)).reverse(), ...known];
  const groups = {};
  let most = 0;
  for (const [name, members] of Object.entries(groupSizes)) {
    if (Number(name) > ids.length) continue;
    groups[name] = await gather(server, headers, name, inOrder.slice(0, members));
    most = members;
  }
  if (most < ids.length) await gather(server, headers, "all others", inOrder.slice(most));
  return groups;
}

/** A group with these members; its id. */
async function gather(server, headers, name, members) {
  const post = { method: "POST", path: GROUPS, headers };
  const body = JSON.stringify(group(`Group of ${name}`));
  const { id } = (await expect([201], server, { ...post, body })).body();
  const change = { method: "PATCH", path: `${GROUPS}/${id}`, headers };
  for (let first = 0; first < members.length; first += MEMBERS_MAX) {
    const some = members.slice(first, first + MEMBERS_MAX);
    const body = JSON.stringify(addMembers(...some));
    await expect([200, 204], server, { ...change, body });
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
