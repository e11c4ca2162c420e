// Teams to measure, made once for a size and a set of migrations, and kept under
// `.wrangler/bench`, since a million people take long.
//
// A run works on a copy: it starts from the same state every time, whatever the run
// before it wrote and however it ended.

import { createHash, randomBytes } from "node:crypto";
import { constants, cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, step } from "../scripts/steps.mjs";
import { expect } from "./ask.mjs";
import { SHAPE, seed } from "./seeding.mjs";
import { serveLimit, serveOurs } from "./workerd.mjs";

const HOME = join(ROOT, ".wrangler/bench");
const MIGRATIONS = join(ROOT, "migrations");
/** What folders of runs are called, before the number of the process. */
const RUN = "run-";
/** Rows of the limit that one request makes. */
const FILL_MAX = 10_000;

/** A copy of the team of this size: `{ team, ours, limit }`, the last two being folders. */
export async function stage(size) {
  const kept = join(HOME, digest(), String(size));
  if (!existsSync(kept)) {
    const unfinished = `${kept}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    await step(`A team of ${size}`, "making it once", () => make(unfinished, size));
    renameSync(unfinished, kept);
  }
  const run = ownRun();
  cpSync(kept, run, { recursive: true, mode: constants.COPYFILE_FICLONE });
  const team = JSON.parse(readFileSync(join(run, "team.json"), "utf8"));
  return { team, ours: join(run, "ours"), limit: join(run, "limit") };
}

/** An empty folder of this process, gone when it ends; what others left goes now. */
function ownRun() {
  const remove = (name) => rmSync(join(HOME, name), { recursive: true, force: true });
  for (const name of readdirSync(HOME)) {
    const pid = name.startsWith(RUN) && Number(name.slice(RUN.length));
    if (pid && (pid === process.pid || !isAlive(pid))) remove(name);
  }
  const own = `${RUN}${process.pid}`;
  process.once("exit", () => remove(own));
  return join(HOME, own);
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** What a team made earlier must agree in: what it is made of, and its tables. */
function digest() {
  const hash = createHash("sha256").update(JSON.stringify(SHAPE));
  const files = readdirSync(MIGRATIONS, { recursive: true }).map(String);
  for (const name of files.filter((name) => name.endsWith(".sql")).sort()) {
    hash.update(`\0${name}\0`).update(readFileSync(join(MIGRATIONS, name)));
  }
  return hash.digest("hex").slice(0, 12);
}

async function make(folder, size) {
  const bindings = {
    OPERATOR_TOKEN: randomBytes(32).toString("base64url"),
    SIGNING_SECRETS: `1:${randomBytes(32).toString("base64url")}`,
  };
  const ours = await serveOurs(join(folder, "ours"), bindings);
  const team = { bindings, ...(await seed(ours, bindings.OPERATOR_TOKEN, size)) };
  await ours.stop();
  const limit = await serveLimit(join(folder, "limit"));
  for (let from = 0; from < size; from += FILL_MAX) {
    const to = Math.min(from + FILL_MAX, size) - 1;
    await expect([200], limit, {
      method: "POST",
      path: `/fill?from=${from}&to=${to}`,
      body: team.document,
    });
  }
  await limit.stop();
  writeFileSync(join(folder, "team.json"), JSON.stringify(team), { mode: 0o600 });
}
