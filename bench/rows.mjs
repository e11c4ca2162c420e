// `npm run rows`: what each operation costs in rows, exactly, in a small team and in a
// larger one. Writes docs/performance/rows.json, the table in docs/rows.md, and what
// follows from it in docs/capacity.md.
//
// tests/e2e/rows.test.mjs counts anew and compares, so a change of a cost is a change of
// these files, to be seen and decided.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { RELEASE, build } from "../scripts/build.mjs";
import { main, say } from "../scripts/steps.mjs";
import { ask } from "./ask.mjs";
import { besides } from "./besides.mjs";
import { writePart } from "./between.mjs";
import { writeCapacity } from "./capacity.mjs";
import { writeRows } from "./documented.mjs";
import { check } from "./measure.mjs";
import { operations } from "./operations.mjs";
import { ofMillion } from "./prices.mjs";
import { seed } from "./seeding.mjs";
import { serveOurs } from "./workerd.mjs";

/**
 * Large enough that those on the pages that are read are in one group each, whatever
 * order people of one bulk request got: then a page costs the same at each count.
 */
export const SIZES = [3_000, 10_000];
/** As in `seeding.mjs`: one more in the least, so that all are answered alike. */
const GROUPS = { 100: 101, 1_000: 1_000 };
export const DOCUMENT = "docs/rows.md";
export const PART = "rows";

/**
 * Counts on a server that has no team yet:
 * `[{ name, title, isPoint, requests, label, read, written }]`.
 */
export async function count(server, operatorToken, size) {
  const team = await seed(server, operatorToken, size, GROUPS);
  const request = (wanted) => ask(server, wanted);
  const counted = [];
  const take = async (operation) => {
    const { name, isPoint = false, isMixed, isRefused } = operation;
    const title = operation.title.replace("per request", "six requests for one person");
    const steps = await operation.steps(request);
    const rows = await check(request, operation, steps, operatorToken);
    const kind = { name, title, isPoint };
    const sum = (what) => rows.reduce((total, row) => total + row[what], 0);
    if (isMixed || isRefused) {
      const all = { label: name, read: sum("read"), written: sum("written") };
      counted.push({ ...kind, requests: rows.length, ...all });
    } else counted.push(...rows.map((row) => ({ ...kind, requests: 1, ...row })));
  };
  for (const operation of operations(team)) await take(operation);
  // Afterwards: who has a session costs more to suspend.
  for (const operation of await besides(server, team, operatorToken)) await take(operation);
  return counted;
}

/** The counts `[[size, counted]]` in the form that is committed. */
export function joined(counts) {
  const [[, first]] = counts;
  return first.map(({ read, written, ...kind }, n) => ({
    ...kind,
    sizes: Object.fromEntries(
      counts.map(([size, all]) => [size, { read: all[n].read, written: all[n].written }]),
    ),
  }));
}

const number = (value) => value.toLocaleString("en");
const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
const price = (value) => `$${value.toLocaleString("en", cents)}`;
/** One figure where all teams have the same, else each size's. */
const alike = (figures, shown) => [...new Set(figures.map(shown))].join(" · ");

/** The table that docs/rows.md has. */
export function table(rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const counts = {};
  for (const { name } of rows) counts[name] = (counts[name] ?? 0) + 1;
  return [
    line(["Operation", "rows read", "rows written", "a million of them"]),
    line(["---", "---:", "---:", "---:"]),
    ...rows.map(({ name, title, label, requests, sizes }) => {
      const all = Object.values(sizes);
      const what = counts[name] > 1 ? `${title}: ${label}` : title;
      return line([
        what,
        alike(all, ({ read }) => number(read)),
        alike(all, ({ written }) => number(written)),
        alike(all, (figures) => price(ofMillion({ ...figures, requests }))),
      ]);
    }),
  ].join("\n");
}

async function measured(size) {
  const folder = mkdtempSync(join(tmpdir(), "kafkaman-rows-"));
  const secret = () => randomBytes(32).toString("base64url");
  const bindings = { OPERATOR_TOKEN: secret(), SIGNING_SECRETS: `1:${secret()}` };
  const server = await serveOurs(folder, bindings);
  try {
    return [size, await count(server, bindings.OPERATOR_TOKEN, size)];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    await build(RELEASE);
    const counts = [];
    for (const size of SIZES) counts.push(await measured(size));
    const rows = joined(counts);
    writeRows(rows);
    writePart(DOCUMENT, PART, table(rows));
    writeCapacity();
    say(`${DOCUMENT} and docs/capacity.md say what was counted`);
  });
}
