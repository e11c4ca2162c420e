// What is measured: each operation's requests, what the limit does in its place, and
// how an answer is known to be right before anything is timed.
//
// An operation consists of steps. A step has a `label`, the `requests` that are sent for
// it, many alike about many people, the `status` that answers each, and `holds`, which
// says of the first one's answer whether it is what was asked for. Sent are all requests
// of the first step, then all of the next, and so on: that undoes what the first did
// long enough before it comes again, so that every change is one. With `isMixed`, sent
// is one request of each step in turn. Not here: how they are sent and timed.

import { randomBytes } from "node:crypto";
import { bearer } from "./ask.mjs";
import { FRESH, addMembers, email, externalId, patch, person, removeMember } from "./people.mjs";
import { userName } from "./people.mjs";

const USERS = "/scim/v2/Users";
const GROUPS = "/scim/v2/Groups";
/** Resources on a page. */
const COUNT = 100;
/** Pages deep in the team that are asked for in turn. */
const DEEP_PAGES = 16;
const FORGERIES = 1_024;
/** Members of a group that takes long to answer with. */
const LONG_MEMBERS = 10_000;

/** All operations that a team of this size has. */
export function operations(team) {
  const scim = scimOf(team);
  const half = Math.floor(team.people.length / 2);
  // Those who are suspended and those who are replaced are not the same people.
  const [some, others] = [team.people.slice(0, half), team.people.slice(half)];
  const groups = Object.entries(team.groups);
  return [
    ...reads(team, scim),
    ...pages(team, scim),
    ...groups.flatMap(([name, id]) => groupReads(name, id, scim)),
    unauthorised(team),
    ...changes(some, others, scim),
    ...groups.map(([name, id]) => comingAndGoing(name, id, team.outsiders, scim)),
    replay(team, others, scim),
    create(scim),
  ];
}

/** Makes requests of SCIM with the team's key. */
function scimOf(team) {
  const headers = bearer(team.key);
  return (method, path, body) => ({
    method,
    path,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const filter = (text) => `${USERS}?filter=${encodeURIComponent(text)}`;

function reads({ people }, scim) {
  const about = (path) => people.map((own) => scim("GET", path(own)));
  const found = (label, path) => ({
    label,
    requests: about(path),
    status: 200,
    holds: (body) => body.totalResults === 1 && body.Resources[0].id === people[0].id,
  });
  const get = {
    label: "get",
    requests: about(({ id }) => `${USERS}/${id}`),
    status: 200,
    holds: (body) => body.id === people[0].id && body.userName === userName(people[0].n),
  };
  const byName = found("filter", ({ n }) => filter(`userName eq "${userName(n)}"`));
  const byExternalId = found("filter", ({ n }) => filter(`externalId eq "${externalId(n)}"`));
  const byEmail = found("filter", ({ n }) => filter(`emails.value eq "${email(n)}"`));
  const point = (name, title, step) => ({ name, title, limit: ["read"], isPoint: true, steps: () => [step] });
  return [
    point("get", "Get by id", get),
    point("filter-name", "Filter by userName", byName),
    point("filter-external", "Filter by externalId", byExternalId),
    point("filter-email", "Filter by email", byEmail),
  ];
}

function pages({ size }, scim) {
  const page = (paths) => ({
    label: "page",
    requests: paths.map((path) => scim("GET", path)),
    status: 200,
    holds: (body) => body.Resources.length === COUNT && body.totalResults > size,
  });
  const middle = Math.floor(size / 2);
  const deep = Array.from(
    { length: DEEP_PAGES },
    (_, n) => `${USERS}?startIndex=${middle - n}&count=${COUNT}`,
  );
  const at = async (ask) =>
    (await walk(ask, scim, middle)).map((cursor) => `${USERS}?cursor=${cursor}&count=${COUNT}`);
  const operation = (name, title, paths) => ({
    name,
    title,
    limit: ["page"],
    isByBytes: true,
    steps: async (ask) => [page(await paths(ask))],
  });
  return [
    operation("page", "First page of 100", () => [`${USERS}?count=${COUNT}`]),
    operation("page-index", "Deep page of 100 by index", () => deep),
    operation("page-cursor", "Deep page of 100 by cursor", at),
  ];
}

/** Goes from page to page half-way into the team; the last cursors on the way. */
async function walk(ask, scim, depth) {
  const cursors = [];
  let cursor = "";
  for (let reached = 0; reached < depth; reached += COUNT) {
    const path = `${USERS}?cursor=${cursor}&count=${COUNT}`;
    cursor = (await ask(scim("GET", path))).body().nextCursor;
    cursors.push(cursor);
    if (cursors.length > DEEP_PAGES) cursors.shift();
  }
  return cursors;
}

function groupReads(name, id, scim) {
  const whole = {
    label: "read",
    requests: [scim("GET", `${GROUPS}/${id}`)],
    status: 200,
    holds: (body) => body.id === id && body.members.length >= Number(name),
  };
  const bare = {
    label: "read",
    requests: [scim("GET", `${GROUPS}/${id}?excludedAttributes=members`)],
    status: 200,
    holds: (body) => body.id === id && body.members === undefined,
  };
  return [
    {
      name: `group-read-${name}`,
      title: `Group of ${counted(name)} with members`,
      limit: ["page"],
      isByBytes: true,
      isLong: Number(name) >= LONG_MEMBERS,
      steps: () => [whole],
    },
    {
      name: `group-bare-${name}`,
      title: `Group of ${counted(name)} without members`,
      limit: ["read"],
      isPoint: true,
      steps: () => [bare],
    },
  ];
}

const counted = (name) => Number(name).toLocaleString("en");

/** Keys of the right form, for this team, whose tags nobody made. */
function unauthorised({ key, people }) {
  const prefix = key.slice(0, key.lastIndexOf("_", "kfm_scim_".length) + 1);
  const forged = () => {
    const bytes = Buffer.from(key.slice(prefix.length), "base64url");
    // All but the version in front and the team's name at the end.
    randomBytes(32).copy(bytes, 1);
    return prefix + bytes.toString("base64url");
  };
  const requests = Array.from({ length: FORGERIES }, (_, n) => ({
    method: "GET",
    path: `${USERS}/${people[n % people.length].id}`,
    headers: bearer(forged()),
  }));
  const step = { label: "get", requests, status: 401, holds: (body) => body.status === "401" };
  return {
    name: "forged",
    title: "Forged keys",
    limit: ["unauthorised"],
    isRefused: true,
    steps: () => [step],
  };
}

function changes(some, others, scim) {
  const active = (value) => patch({ op: "replace", path: "active", value });
  const patched = (label, value) => ({
    label,
    requests: some.map(({ id }) => scim("PATCH", `${USERS}/${id}`, active(value))),
    status: 200,
    holds: (body) => body.id === some[0].id && body.active === value,
  });
  return [
    {
      name: "patch",
      title: "PATCH active, off and on",
      limit: ["insert"],
      isPoint: true,
      steps: () => [patched("off", false), patched("on", true)],
    },
    {
      name: "put",
      title: "PUT with another title",
      limit: ["insert"],
      isPoint: true,
      steps: () => [put("there", others, { title: "Engineer" }, scim), put("back", others, {}, scim)],
    },
  ];
}

/** Replaces each of these people by themselves and what is `more`. */
function put(label, people, more, scim) {
  return {
    label,
    requests: people.map(({ n, id }) => scim("PUT", `${USERS}/${id}`, person(n, "person", more))),
    status: 200,
    holds: (body) => body.title === more.title && body.active === (more.active ?? true),
  };
}

function comingAndGoing(name, id, outsiders, scim) {
  const step = (label, body) => ({
    label,
    requests: outsiders.map((member) => scim("PATCH", `${GROUPS}/${id}`, body(member))),
    status: 204,
  });
  return {
    name: `group-patch-${name}`,
    title: `One into a group of ${counted(name)}, and out`,
    limit: ["insert"],
    isPoint: true,
    steps: () => [step("add", addMembers), step("remove", removeMember)],
  };
}

/** What OneLogin sends for a person, each step about the next one in line. */
function replay({ outsiders, groups }, others, scim) {
  const [group] = Object.values(groups);
  // Twice everybody: what the first time does the second undoes.
  const turns = [true, false].flatMap((isFirst) => others.map((own) => ({ ...own, isFirst })));
  const step = (label, status, make, holds) => ({ label, status, requests: turns.map(make), holds });
  const replaced = ({ n, id }, more) => scim("PUT", `${USERS}/${id}`, person(n, "person", more));
  const comesOrGoes = (_, n) => {
    const body = Math.floor(n / outsiders.length) % 2 === 0 ? addMembers : removeMember;
    return scim("PATCH", `${GROUPS}/${group}`, body(outsiders[n % outsiders.length]));
  };
  const title = ({ isFirst }) => (isFirst ? "Engineer" : "Architect");
  const steps = [
    step("probe", 200, () => scim("GET", JOINER), (body) => body.totalResults === 0),
    step("create", 201, () => scim("POST", USERS, person(FRESH, "joiner")), (body) => body.active),
    step("get", 200, ({ id }) => scim("GET", `${USERS}/${id}`), (body) => body.active),
    step("put", 200, (turn) => replaced(turn, { title: title(turn) }), (body) => body.title),
    step("suspend", 200, (turn) => replaced(turn, { active: !turn.isFirst }), (body) => !body.active),
    step("group", 204, comesOrGoes),
  ];
  return {
    name: "replay",
    title: "Sync as OneLogin's",
    limit: ["read", "insert", "read", "insert", "insert", "insert"],
    isMixed: true,
    steps: () => steps,
  };
}

const JOINER = filter(`userName eq "${userName(FRESH, "joiner")}"`).replaceAll("%23", "#");

function create(scim) {
  const step = {
    label: "create",
    requests: [scim("POST", USERS, person(FRESH, "new"))],
    status: 201,
    holds: (body) => body.userName.startsWith("new.") && body.active,
  };
  return { name: "create", title: "Create", limit: ["insert"], isPoint: true, steps: () => [step] };
}
