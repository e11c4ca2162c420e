// What the first request waits for: a workerd that was just started, ours and the
// limit's in turn. The isolate's start, the wasm's instantiation among it, is in the
// first request or in workerd's own start; so both are told, and the limit's beside them.

import { ask, bearer } from "./ask.mjs";
import { median } from "./measure.mjs";
import { USERS } from "./scim.mjs";
import { serveLimit, serveOurs } from "./workerd.mjs";

const LAUNCHES = 5;
const WARM_REQUESTS = 50;

/** Medians in milliseconds: `{ ours, limit }`, see `launch`. */
export async function coldStarts({ team, ours, limit }) {
  const person = `${USERS}/${team.people[0].id}`;
  const sides = {
    limit: {
      serve: () => serveLimit(limit),
      refused: { path: "/unauthorised" },
      read: { path: `/item/${"0".repeat(36)}` },
    },
    ours: {
      serve: () => serveOurs(ours, team.bindings),
      refused: { path: person, headers: bearer("forged") },
      read: { path: person, headers: bearer(team.key) },
    },
  };
  const runs = { limit: [], ours: [] };
  // The first of each is thrown away: it reads programs and data from disk, and this
  // process learns to make requests.
  for (let n = 0; n <= LAUNCHES; n += 1) {
    for (const [name, side] of Object.entries(sides)) {
      const run = await launch(side);
      if (n > 0) runs[name].push(run);
    }
  }
  const medians = (all) =>
    Object.fromEntries(
      Object.keys(all[0]).map((what) => [what, median(all.map((run) => run[what]))]),
    );
  return { ours: medians(runs.ours), limit: medians(runs.limit) };
}

/**
 * Times of one launch: until workerd listens, from then until the Worker refused the
 * first request, what the first request to an object took after that, and one of many.
 */
async function launch({ serve, refused, read }) {
  const server = await serve();
  const timed = async (request) => {
    const begin = performance.now();
    await ask(server, request);
    return performance.now() - begin;
  };
  const result = {
    listening: server.listeningAt - server.startedAt,
    firstRefusal: await timed(refused),
    firstRead: await timed(read),
  };
  const warm = { refusal: [], read: [] };
  for (let n = 0; n < WARM_REQUESTS; n += 1) {
    warm.refusal.push(await timed(refused));
    warm.read.push(await timed(read));
  }
  await server.stop();
  return { ...result, warmRefusal: median(warm.refusal), warmRead: median(warm.read) };
}
