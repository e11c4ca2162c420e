// The two Workers on `workerd serve`, each a process of its own with one thread: ours
// as it is deployed, and the limit beside it.
//
// Not wrangler's server, whose proxy takes longer than what is measured here. Only one
// of the two is driven at a time, so that neither takes the other's processor.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { packaged } from "../scripts/setup.mjs";
import { Failure, ROOT, end, start } from "../scripts/steps.mjs";

/** How long workerd may take until it listens. It takes a tenth of a second. */
const LISTENING_MS = 20_000;
/** The end of what workerd said, kept for when it ends by itself. */
const SAID_CHARS = 4_000;
/** The descriptor on which workerd says where it listens. */
const CONTROL_FD = 3;

const OURS = {
  modules: {
    "src/edge/guard.mjs": "esModule",
    "build/index.js": "esModule",
    "build/index_bg.wasm": "wasm",
  },
  objects: { TEAM: "Team", REGISTRY: "Registry" },
};
/** The same with what is in `watched.mjs`. The first module is the main one. */
const WATCHED = { ...OURS, modules: { "bench/watched.mjs": "esModule", ...OURS.modules } };
const LIMIT = { modules: { "bench/limit.mjs": "esModule" }, objects: { LIMIT: "Limit" } };

/** Where ours says that it is. Fixed, so that answers have the same length in every run. */
const BASE_URL = "http://localhost:8787";

/** Starts our Worker on the state in `folder`: see `serve`. */
export const serveOurs = (folder, bindings, { isWatched = false } = {}) =>
  serve(folder, isWatched ? WATCHED : OURS, { BASE_URL, JURISDICTIONS: "none", ...bindings });

/** Starts the limit on the state in `folder`: see `serve`. */
export const serveLimit = (folder) => serve(folder, LIMIT, {});

/** Where the program is: an npm package of wrangler's. */
export function program() {
  const require = createRequire(packaged("wrangler/package.json"));
  return require("workerd").default;
}

/**
 * Starts workerd: `{ url, pid, startedAt, listeningAt, stop() }`. What the Worker logs
 * goes nowhere, since a pipe that nobody empties in time would hold it up.
 */
async function serve(folder, worker, texts) {
  const disk = join(folder, "disk");
  mkdirSync(disk, { recursive: true });
  const file = join(folder, "workerd.capnp");
  writeFileSync(file, config(folder, worker, texts, disk), { mode: 0o600 });
  const startedAt = performance.now();
  const child = start(program(), ["serve", `--control-fd=${CONTROL_FD}`, file], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said = (said + text).slice(-SAID_CHARS)));
  const port = await listening(child, () => said);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    startedAt,
    listeningAt: performance.now(),
    stop: () => end(child),
  };
}

/** The port, as soon as workerd names it. */
async function listening(child, said) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, LISTENING_MS)));
  const named = new Promise((resolve) => {
    let text = "";
    child.stdio[CONTROL_FD].setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      for (const line of text.split("\n").slice(0, -1)) {
        const { event, port } = JSON.parse(line);
        if (event === "listen") resolve(port);
      }
    });
  });
  const port = await Promise.race([named, late, child.over.then(() => undefined)]);
  clearTimeout(timer);
  if (port !== undefined) return port;
  await end(child);
  throw new Failure("workerd did not start.", "see its message above", said());
}

/** The configuration in the text form of Cap'n Proto, whose paths are relative to it. */
function config(folder, { modules, objects }, texts, disk) {
  const text = (value) => JSON.stringify(value);
  const list = (entries) => `[\n      ${entries.join(",\n      ")}\n    ]`;
  const date = readFileSync(join(ROOT, "wrangler.toml"), "utf8").match(
    /^compatibility_date = "(.*)"/m,
  )[1];
  const sources = Object.entries(modules).map(([name, kind]) => {
    const path = relative(folder, join(ROOT, name));
    return `(name = ${text(name)}, ${kind} = embed ${text(path)})`;
  });
  const bindings = [
    ...Object.entries(objects).map(
      ([name, type]) => `(name = ${text(name)}, durableObjectNamespace = ${text(type)})`,
    ),
    ...Object.entries(texts).map(
      ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
    ),
  ];
  const namespaces = Object.values(objects).map(
    (type) => `(className = ${text(type)}, uniqueKey = ${text(`bench-${type}`)}, enableSql = true)`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "disk", disk = (path = ${text(disk)}, writable = true))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")]
);

const worker :Workerd.Worker = (
    compatibilityDate = ${text(date)},
    modules = ${list(sources)},
    bindings = ${list(bindings)},
    durableObjectNamespaces = ${list(namespaces)},
    durableObjectStorage = (localDisk = "disk")
);
`;
}
