// The figures that are committed, of which documents are made.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../scripts/steps.mjs";

/** Where `npm run bench -- --docs` leaves what it measured. */
export const FOLDER = join(ROOT, "docs/performance");
const ROWS = join(FOLDER, "rows.json");

const read = (file) => JSON.parse(readFileSync(file, "utf8"));

/** What `npm run bench -- --docs` measured last. */
export const figures = () => read(join(FOLDER, "figures.json"));

/**
 * What operations cost: `[{ name, title, isPoint, requests, label, sizes }]`, `sizes`
 * being `{ read, written }` by the size of the team.
 */
export const rows = () => read(ROWS);

/** Keeps this for `rows`, a line each. */
export const writeRows = (rows) =>
  writeFileSync(ROWS, `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`);
