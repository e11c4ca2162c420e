// What every script does around its work: say what is happening, run a program,
// fail with a remedy, end what was started. Only `node:` built-ins, because
// this runs before anything is installed.

import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The clone. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is built once for all clones, one folder per tool and version. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "kafkaman-scim");

/** How much of a failed program's output is shown. */
const TAIL_CHARS = 6_000;
/** How long a program may take to end after it was asked to. */
const GRACE_MS = 8_000;

/** The folders in the cache that `cached` is filling, and how old one can be. */
const UNFINISHED = ".unfinished-";
const UNFINISHED_MS_MAX = 24 * 60 * 60 * 1000;

const started = Date.now();

/** One line, with the seconds since the script began. */
export function say(line) {
  const seconds = Math.round((Date.now() - started) / 1000);
  console.error(`[${String(seconds).padStart(4)} s] ${line}`);
}

/** Does `work` under a line that says what and why, and a line when it is done. */
export async function step(what, why, work) {
  say(why ? `${what}: ${why}` : what);
  const begin = Date.now();
  const result = await work();
  const took = (Date.now() - begin) / 1000;
  if (took >= 1) say(`${what}: done in ${took.toFixed(took < 10 ? 1 : 0)} s`);
  return result;
}

/** A failure somebody can do something about: what went wrong, and the remedy. */
export class Failure extends Error {
  constructor(message, remedy, output = "") {
    super(message);
    this.remedy = remedy;
    this.output = output;
  }
}

/** The children that must not outlive this script. */
const children = new Set();
let interrupted = null;

/**
 * Starts a program in a process group of its own, so that ending it ends what
 * it started in turn (wrangler's workerd, cargo's rustc).
 */
export function start(program, args, options = {}) {
  if (interrupted) throw new Failure(`Interrupted by ${interrupted}.`);
  const child = spawn(program, args, { cwd: ROOT, detached: true, ...options });
  child.over = new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
    child.once("close", (code, signal) => resolve({ code, signal }));
  }).finally(() => children.delete(child));
  children.add(child);
  return child;
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It ended in the meantime.
  }
}

/** Asks a child and what it started to end, and ends them if they do not. */
export async function end(child, signal = "SIGTERM") {
  if (!child.pid) return;
  signalGroup(child, signal);
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS);
  await child.over;
  clearTimeout(timer);
  // Whatever of the group did not follow its leader.
  signalGroup(child, "SIGKILL");
}

/**
 * Runs a program to its end, without a terminal to ask questions on.
 *
 * Its output is kept and shown only if it fails; `show: true` passes it
 * through unaltered instead. `remedy` says what to do about a failure.
 */
export async function run(program, args, { remedy, show = false, env, cwd = ROOT } = {}) {
  const child = start(program, args, {
    cwd,
    env: env ?? process.env,
    stdio: ["ignore", show ? "inherit" : "pipe", show ? "inherit" : "pipe"],
  });
  let output = "";
  const keep = (chunk) => (output = (output + chunk).slice(-10 * TAIL_CHARS));
  child.stdout?.setEncoding("utf8").on("data", keep);
  child.stderr?.setEncoding("utf8").on("data", keep);
  const { code, signal, error } = await child.over;
  if (interrupted) throw new Failure(`Interrupted by ${interrupted}.`);
  if (code === 0) return output;
  const line = [program, ...args].join(" ");
  const how = error ? error.message : signal ? `was ended by ${signal}` : `ended with ${code}`;
  throw new Failure(`\`${line}\` ${how}.`, remedy, output.slice(-TAIL_CHARS));
}

/** What a quick program prints, or null when it fails or is not there. */
export function ask(program, args, env = process.env) {
  const { status, stdout } = spawnSync(program, args, { cwd: ROOT, env, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/**
 * Fills `CACHE/name` once. `make` works in a folder beside it, which gets its
 * name only when everything is there: an interrupted install is no install.
 */
export async function cached(name, make) {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  sweep();
  const unfinished = mkdtempSync(join(CACHE, UNFINISHED));
  const drop = () => rmSync(unfinished, { recursive: true, force: true });
  process.once("exit", drop);
  try {
    await make(unfinished, folder);
    renameSync(unfinished, folder);
  } catch (error) {
    // Another clone may have been quicker.
    if (!["ENOTEMPTY", "EEXIST"].includes(error.code) || !existsSync(folder)) throw error;
  } finally {
    drop();
    process.off("exit", drop);
  }
  return folder;
}

/** Removes what a start left behind that was killed, not interrupted. */
function sweep() {
  for (const name of readdirSync(CACHE)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const path = join(CACHE, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > UNFINISHED_MS_MAX) rmSync(path, { recursive: true, force: true });
  }
}

/** Ends whatever is still running, as a failure beside it leaves it. */
export const endAll = () => Promise.all([...children].map((child) => end(child)));

/** What a signal does besides ending the children; `start.mjs` says goodbye. */
let onInterrupt = () => 130;
export function whenInterrupted(handler) {
  onInterrupt = handler;
}

/** Runs a script's `work`; failures print their remedy and end with status 1. */
export async function main(work) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, async () => {
      if (interrupted) return;
      interrupted = signal;
      const code = onInterrupt(signal);
      await endAll();
      process.exit(code);
    });
  }
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    // After a signal the handler above ends the script, with its own status.
    if (interrupted) return;
    if (!(error instanceof Failure)) throw error;
    if (error.output.trim()) console.error(`\n${error.output.trimEnd()}`);
    console.error(`\nerror: ${error.message}`);
    if (error.remedy) console.error(`what to do: ${error.remedy}`);
    await endAll();
    process.exitCode = 1;
  }
}
