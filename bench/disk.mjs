// How many bytes a team has on disk, and how much of that are its groups' members and
// its audit. Asked of the file itself, by the SQLite of the Node that wrangler runs on.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { node22 } from "../scripts/setup.mjs";
import { run } from "../scripts/steps.mjs";

/** Runs in a Node of its own: the one that runs this may have no SQLite. */
const SCRIPT = `
  const { DatabaseSync } = require("node:sqlite");
  const database = new DatabaseSync(process.argv[1], { readOnly: true });
  const one = (statement) => Object.values(database.prepare(statement).get())[0] ?? 0;
  const all = "FROM dbstat WHERE aggregate = 1";
  const bytes = (...names) =>
    one("SELECT sum(pgsize) " + all + " AND name IN ('" + names.join("','") + "')");
  console.log(JSON.stringify({
    people: one("SELECT count(*) FROM resource WHERE type = 'User'"),
    memberships: one("SELECT count(*) FROM membership"),
    auditRecords: one("SELECT count(*) FROM audit"),
    bytes: one("SELECT sum(pgsize) " + all),
    membershipBytes: bytes("membership", "membership_by_member"),
    auditBytes: bytes("audit", "audit_by_subject"),
    empty: one("SELECT count(*) " + all) * one("PRAGMA page_size"),
  }));
`;

/** What the team in this folder of `staging.mjs`'s has, while no workerd runs on it. */
export async function disk(folder) {
  const objects = join(folder, "disk/bench-Team");
  const isTeam = (name) => name.endsWith(".sqlite") && name !== "metadata.sqlite";
  const file = join(objects, readdirSync(objects).find(isTeam));
  return JSON.parse(await run(node22(), ["--no-warnings", "-e", SCRIPT, file]));
}
