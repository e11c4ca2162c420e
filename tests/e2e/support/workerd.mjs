// The testing Worker on workerd, as the end-to-end suites use it.
//
//   const server = await start({ stateDir, bindings });
//   const response = await server.fetch("/scim/v2/Users", { headers });
//   await server.stop();
//
// It is the Worker that is deployed, `guard.mjs` around `build/`, except that the
// wasm is the one with the cargo feature `testing`: Miniflare is given the files
// of `target/worker-testing/` under the names of `build/`.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTeam } from "../../../scripts/team.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const COMPATIBILITY_DATE = readFileSync(join(ROOT, "wrangler.toml"), "utf8") //
  .match(/^compatibility_date = "(.*)"/m)[1];

// Miniflare is wrangler's, of wrangler's version.
const require = createRequire(join(ROOT, "node_modules/wrangler/package.json"));
const { Miniflare, Log, LogLevel } = require("miniflare");

/** A port nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Secrets as `npm start` makes them, others each time. */
export function secrets() {
  return {
    OPERATOR_TOKEN: randomBytes(32).toString("base64url"),
    SIGNING_SECRETS: `1:${randomBytes(32).toString("base64url")}`,
  };
}

/** The Worker as Miniflare wants it: its modules by name, its bindings, its objects. */
function worker(built, bindings, env) {
  const file = (path) => readFileSync(join(ROOT, path));
  const object = (exportName) => ({ type: "durable-object", worker: "", exportName });
  const text = ([name, value]) => [name, { type: "text", value }];
  return {
    name: "",
    compatibilityDate: COMPATIBILITY_DATE,
    manifest: {
      mainModule: "src/edge/guard.mjs",
      modulesRoot: ROOT,
      modules: {
        "src/edge/guard.mjs": { type: "esm", contents: file("src/edge/guard.mjs").toString() },
        "build/index.js": { type: "esm", contents: file(join(built, "index.js")).toString() },
        "build/index_bg.wasm": { type: "wasm", contents: file(join(built, "index_bg.wasm")) },
      },
    },
    assets: {
      directory: join(ROOT, "public"),
      runWorkerFirst: ["/*", "!/assets/*"],
      htmlHandling: "none",
      hasUserWorker: true,
    },
    env: {
      TEAM: object("Team"),
      REGISTRY: object("Registry"),
      ...Object.fromEntries(Object.entries(bindings).map(text)),
      ...env,
    },
    exports: {
      Team: { type: "durable-object", storage: "sqlite" },
      Registry: { type: "durable-object", storage: "sqlite" },
    },
  };
}

/**
 * Starts a server. Without `stateDir` its state ends with it; without
 * `bindings` it has secrets of its own, and any given are added to those. `env` are
 * bindings of other kinds, as Miniflare wants them, and `beside` other Workers.
 *
 * `server.bindings` are the bindings in force. `stop()` ends it in an orderly
 * way; `kill()` ends workerd with SIGKILL, as a power cut would, so that only
 * what was durable when it was acknowledged is there for the next `start`.
 */
export async function start(options = {}) {
  const { stateDir, bindings = {}, env = {}, beside = [] } = options;
  const { built = "target/worker-testing" } = options;
  const state = stateDir ?? mkdtempSync(join(tmpdir(), "kafkaman-scim-"));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const all = { BASE_URL: url, JURISDICTIONS: "none", LOG: "all", ...secrets(), ...bindings };
  const lines = [];
  const before = new Set(childrenOf(process.pid));
  const miniflare = new Miniflare({
    port,
    workers: [{ config: worker(built, all, env) }, ...beside],
    resourcePersistencePath: state,
    enableDevRegistry: false,
    // No look-up from afar: the Worker reads nothing of `request.cf`.
    cf: false,
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: ({ message }) => lines.push(message),
  });
  try {
    await miniflare.ready;
  } catch (error) {
    throw new Error(`workerd did not start: ${lines.join("\n")}`, { cause: error });
  }
  const workerd = childrenOf(process.pid).filter((pid) => !before.has(pid));
  const forget = () => {
    if (stateDir === undefined) rmSync(state, { recursive: true, force: true });
  };

  return {
    url,
    bindings: all,
    /** Everything that the Worker logged so far. */
    log: () => lines.join("\n"),
    /** Asks the server, by a path or a whole address; redirects are shown, not followed. */
    fetch: (path, init = {}) => fetch(new URL(path, url), { redirect: "manual", ...init }),
    /** Asks with a token and a JSON body: `{ status, body }`, the body parsed. */
    async call(token, method, path, body) {
      const response = await this.fetch(path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: body && JSON.stringify(body),
      });
      const text = await response.text();
      return { status: response.status, body: text ? JSON.parse(text) : null };
    },
    /** A team of this id with SCIM on: `{ key, adminToken, admin, baseUrl, team }`. */
    async team(id, options) {
      // A test asks more in a moment than any provider.
      const unlimited = { requestsPerSecond: 1_000_000, requestBurst: 1_000_000 };
      const wanted = { seats: 100_000, ...unlimited, ...options };
      const made = await createTeam(url, all.OPERATOR_TOKEN.split(",")[0], id, wanted);
      return { ...made, admin: made.adminToken };
    },
    async stop() {
      await miniflare.dispose();
      forget();
    },
    async kill() {
      if (workerd.length === 0) throw new Error("found no workerd to kill");
      for (const pid of workerd) process.kill(pid, "SIGKILL");
      await miniflare.dispose();
      forget();
    },
  };
}

/** The processes that one started, by `/proc` where there is one, else by `ps`. */
function childrenOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" "))
      .filter(Boolean)
      .map(Number);
  } catch {
    return execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([, parent]) => parent === pid)
      .map(([child]) => child);
  }
}
