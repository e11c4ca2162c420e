// The operations that read: one person, those found, pages, groups.

import { email, externalId, userName } from "./people.mjs";
import { GROUPS, USERS, client, filter } from "./scim.mjs";

/** Resources on a page. */
const COUNT = 100;
/** Pages deep in the team that are asked for in turn. */
const DEEP_PAGES = 16;
/** Members of a group that takes long to answer with; people whom it takes long to count. */
const LONG_MEMBERS = 10_000;
const LONG_SIZE = 100_000;

/** The operations of this team that read: see `operations.mjs`. */
export function reads(team) {
  const scim = client(team.key);
  const groups = Object.entries(team.groups);
  return [
    ...people(team, scim),
    ...pages(team, scim),
    ...groups.flatMap(([name, id]) => group(name, id, scim)),
  ];
}

function people({ people }, scim) {
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
  const point = (name, title, step) => ({
    name,
    title,
    limit: ["read"],
    isPoint: true,
    steps: () => [step],
  });
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
  const isLong = size >= LONG_SIZE;
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
    { ...operation("page-index", "Deep page of 100 by index", () => deep), isLong },
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

function group(name, id, scim) {
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
