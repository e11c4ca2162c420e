// The operations that change something: people, memberships, and both as a provider's
// sync mixes them with reads.

import { FRESH, person, userName } from "./people.mjs";
import { GROUPS, USERS, addMembers, client, filter, patch, removeMember } from "./scim.mjs";

/** The operations of this team that change something: see `operations.mjs`. */
export function changes(team) {
  const scim = client(team.key);
  const half = Math.floor(team.people.length / 2);
  // Those who are suspended and those who are replaced are not the same people.
  const [some, others] = [team.people.slice(0, half), team.people.slice(half)];
  const groups = Object.entries(team.groups);
  return [
    suspend(some, scim),
    replace(others, scim),
    ...groups.map(([name, id]) => comingAndGoing(name, id, team.outsiders, scim)),
    replay(team, others, scim),
    create(scim),
  ];
}

/** A change of one resource, as the limit's insert is. */
const change = (name, title, ...steps) => ({
  name,
  title,
  limit: ["insert"],
  isPoint: true,
  steps: () => steps,
});

function suspend(people, scim) {
  const active = (value) => patch({ op: "replace", path: "active", value });
  const step = (label, value) => ({
    label,
    requests: people.map(({ id }) => scim("PATCH", `${USERS}/${id}`, active(value))),
    status: 200,
    holds: (body) => body.id === people[0].id && body.active === value,
  });
  return change("patch", "PATCH active, off and on", step("off", false), step("on", true));
}

/** A request that replaces somebody by themselves and what is `more`. */
const replaced = (scim, { n, id }, more) =>
  scim("PUT", `${USERS}/${id}`, person(n, "person", more));

function replace(people, scim) {
  const step = (label, more) => ({
    label,
    requests: people.map((own) => replaced(scim, own, more)),
    status: 200,
    holds: (body) => body.id === people[0].id && body.title === more.title,
  });
  const [there, back] = [step("there", { title: "Engineer" }), step("back", {})];
  return change("put", "PUT with another title", there, back);
}

function comingAndGoing(name, id, outsiders, scim) {
  const step = (label, body) => ({
    label,
    requests: outsiders.map((member) => scim("PATCH", `${GROUPS}/${id}`, body(member))),
    status: 204,
  });
  const title = `One into a group of ${Number(name).toLocaleString("en")}, and out`;
  return change(
    `group-patch-${name}`,
    title,
    step("add", addMembers),
    step("remove", removeMember),
  );
}

/** What OneLogin sends for a person, each step about the next one in line. */
function replay({ outsiders, groups }, people, scim) {
  const [group] = Object.values(groups);
  // Twice everybody: what the first time does the second undoes.
  const turns = [true, false].flatMap((isFirst) => people.map((own) => ({ ...own, isFirst })));
  const put = (turn, more) => replaced(scim, turn, more);
  const comesOrGoes = (_, n) => {
    const body = Math.floor(n / outsiders.length) % 2 === 0 ? addMembers : removeMember;
    return scim("PATCH", `${GROUPS}/${group}`, body(outsiders[n % outsiders.length]));
  };
  const made = {
    probe: () => scim("GET", JOINER),
    create: () => scim("POST", USERS, person(FRESH, "joiner")),
    get: ({ id }) => scim("GET", `${USERS}/${id}`),
    put: (turn) => put(turn, { title: turn.isFirst ? "Engineer" : "Architect" }),
    suspend: (turn) => put(turn, { active: !turn.isFirst }),
    group: comesOrGoes,
  };
  const step = (label, status, holds) => ({
    label,
    status,
    requests: turns.map(made[label]),
    holds,
  });
  const steps = [
    step("probe", 200, (body) => body.totalResults === 0),
    step("create", 201, (body) => body.active),
    step("get", 200, (body) => body.active),
    step("put", 200, (body) => body.title === "Engineer" && body.active),
    step("suspend", 200, (body) => !body.active),
    step("group", 204),
  ];
  return {
    name: "replay",
    title: "Sync as OneLogin's, per request",
    limit: ["read", "insert", "read", "insert", "insert", "insert"],
    isMixed: true,
    steps: () => steps,
  };
}

/** The search for somebody who is not there yet. */
const JOINER = filter(`userName eq "${userName(FRESH, "joiner")}"`).replaceAll("%23", "#");

const create = (scim) =>
  change("create", "Create", {
    label: "create",
    requests: [scim("POST", USERS, person(FRESH, "new"))],
    status: 201,
    holds: (body) => body.userName.startsWith("new.") && body.active,
  });
