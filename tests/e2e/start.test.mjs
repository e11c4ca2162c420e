// `npm start` and `npm run demo`, as a person uses them: start, demo, one SCIM
// request, Ctrl-C, start again on the same state, the same key still works.
//
// Waits are for output or answers, with a bound; nothing sleeps for luck.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "./support/workerd.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Enough for a start that has to build first. */
const START_MS = 300_000;
const STOP_MS = 30_000;
const DEMO_MS = 60_000;

const stateDir = mkdtempSync(join(tmpdir(), "kafkaman-scim-start-"));
const started = [];
let env;

before(async () => {
  env = { ...process.env, PORT: String(await freePort()), STATE_DIR: stateDir };
  // npm tells its scripts about itself; this one is to begin afresh.
  for (const name of Object.keys(env)) if (/^npm_|^INIT_CWD$/.test(name)) delete env[name];
});

after(() => {
  for (const child of started) {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGKILL");
  }
  rmSync(stateDir, { recursive: true, force: true });
});

/** Runs npm in a process group of its own, as a terminal would. */
function npm(...args) {
  const child = spawn("npm", args, {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  child.out = "";
  child.err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (child.out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (child.err += text));
  child.over = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
  return child;
}

/** A promise with a bound, and what to show when it is reached. */
function within(ms, promise, what, child) {
  let timer;
  const late = new Promise((_, reject) => {
    const text = () => `${what} took more than ${ms} ms:\n${child.out}\n${child.err}`;
    timer = setTimeout(() => reject(new Error(text())), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function startServer() {
  const child = npm("start");
  const ready = new Promise((resolve, reject) => {
    child.stderr.on("data", () => child.err.includes("Ready at ") && resolve());
    child.over.then(
      () => reject(new Error(`npm start ended:\n${child.out}\n${child.err}`)),
      reject,
    );
  });
  await within(START_MS, ready, "npm start", child);
  return child;
}

/** Ctrl-C reaches everything in the terminal's foreground: npm and its script alike. */
async function interrupt(child) {
  process.kill(-child.pid, "SIGINT");
  await within(STOP_MS, child.over, "stopping", child);
  assert.match(child.err, /Stopping; the state stays/);
  await assert.rejects(fetch(`http://localhost:${env.PORT}/`), "the port must be free again");
}

async function demo(team) {
  const child = npm("run", "-s", "demo", "--", team);
  const code = await within(DEMO_MS, child.over, "the demo", child);
  return { code, out: child.out, err: child.err };
}

const scim = (key, path, init = {}) =>
  fetch(`http://localhost:${env.PORT}/scim/v2${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/scim+json" },
  });

test("npm start serves, the demo makes a team, and its state outlives a restart", async () => {
  const first = await startServer();
  const made = await demo("acme");
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /^\{.*\}\n$/, "one line of JSON");
  const team = JSON.parse(made.out);
  assert.equal(team.team, "acme");
  assert.equal(team.baseUrl, `http://localhost:${env.PORT}/scim/v2`);
  assert.ok(team.adminToken);

  const created = await scim(team.key, "/Users", {
    method: "POST",
    body: JSON.stringify({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      userName: "barbara@acme.example",
      emails: [{ value: "barbara@acme.example", primary: true }],
    }),
  });
  const text = await created.text();
  assert.equal(created.status, 201, text);
  const user = JSON.parse(text);
  assert.ok(user.meta.location.startsWith(`${team.baseUrl}/Users/`), user.meta.location);

  const again = await demo("acme");
  assert.notEqual(again.code, 0);
  assert.equal(again.out, "", "nothing on stdout");
  assert.match(again.err, /exists already/);
  await interrupt(first);

  const second = await startServer();
  const read = await scim(team.key, `/Users/${user.id}`);
  assert.equal(read.status, 200);
  assert.equal((await read.json()).userName, "barbara@acme.example");
  await interrupt(second);
});

test("the demo without a server says what to do", async () => {
  const { code, out, err } = await demo("nobody");
  assert.notEqual(code, 0);
  assert.equal(out, "");
  assert.match(err, /what to do: npm start/);
});
