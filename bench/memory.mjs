// What the largest answer takes of memory: of the wasm's, which the platform limits, and
// of the process as the system counts it.

import { readFileSync } from "node:fs";
import { ask, bearer } from "./ask.mjs";
import { GROUPS, USERS } from "./scim.mjs";
import { serveOurs } from "./workerd.mjs";

const MEBIBYTE = 2 ** 20;

/**
 * Mebibytes of a new workerd after a read, and the most that it had after it read the
 * team's largest group; the process's are null where the system does not tell.
 */
export async function memory({ team, ours }) {
  const [name, id] = Object.entries(team.groups).at(-1);
  const server = await serveOurs(ours, team.bindings, { isWatched: true });
  const headers = bearer(team.key);
  const wasm = async () =>
    Number((await ask(server, { path: "/-bench/wasm-bytes" })).text) / MEBIBYTE;
  await ask(server, { path: `${USERS}/${team.people[0].id}`, headers });
  const before = { wasm: await wasm(), process: resident(server.pid, "VmRSS") };
  const answer = await ask(server, { path: `${GROUPS}/${id}`, headers });
  const most = { wasm: await wasm(), process: resident(server.pid, "VmHWM") };
  await server.stop();
  return { members: Number(name), answer: answer.text.length / MEBIBYTE, before, most };
}

function resident(pid, what) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(status.match(new RegExp(`^${what}:\\s+(\\d+) kB`, "m"))[1]) / 1_024;
  } catch {
    return null;
  }
}
