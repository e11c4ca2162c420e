// `npm run bench`: how fast the Worker is beside the limit of what workerd allows, what
// its operations cost in rows, and whether that depends on the size of the team.
//
//   npm run bench                        everything, an hour with the making of a million
//   npm run bench -- --quick             before and after a change: two minutes
//   npm run bench -- --sizes 1000,100000 --only get,create
//   npm run bench -- --rounds 5 --seconds 1
//   npm run bench -- --docs              writes what it measured to docs/performance, to
//                                        docs/performance.md and docs/capacity.md
//
// Ours and the limit are timed in turn, in one run: what disturbs the machine meanwhile
// disturbs both. It writes `figures.json`, `figures.svg` and, but for `--docs`, `figures.md`.

import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { RELEASE, build } from "../scripts/build.mjs";
import { Failure, ROOT, main, say } from "../scripts/steps.mjs";
import { ask, bearer } from "./ask.mjs";
import { writePart } from "./between.mjs";
import { writeCapacity } from "./capacity.mjs";
import { chart } from "./chart.mjs";
import { coldStarts } from "./cold.mjs";
import { disk } from "./disk.mjs";
import { FOLDER } from "./documented.mjs";
import { goals } from "./goals.mjs";
import { facts } from "./machine.mjs";
import { check, time } from "./measure.mjs";
import { memory } from "./memory.mjs";
import { operations } from "./operations.mjs";
import { DOCUMENT, PART, heading, judged, markdown, part, shown, summary } from "./report.mjs";
import { USERS } from "./scim.mjs";
import { stage } from "./staging.mjs";
import { serveLimit, serveOurs } from "./workerd.mjs";
import { wrk } from "./wrk.mjs";

const QUICK = { sizes: "1000,10000", rounds: 1, seconds: 1 };
const FULL = { sizes: "1000,10000,100000,1000000", rounds: 3, seconds: 3 };
/** The least team: the first page deep in it must be a whole one. */
const SIZE_LEAST = 1_000;
/** Seconds that both run before anything is timed, for compilers and caches to settle. */
const WARM_UP = { rounds: 1, seconds: 1 };

function given() {
  const flag = { type: "boolean" };
  const text = { type: "string" };
  try {
    const options = { quick: flag, docs: flag, sizes: text, only: text, out: text };
    Object.assign(options, { rounds: text, seconds: text });
    return parseArgs({ options }).values;
  } catch (error) {
    throw new Failure(error.message, "the head of bench/bench.mjs shows what there is");
  }
}

function options() {
  const values = given();
  const preset = values.quick ? QUICK : FULL;
  const sizes = (values.sizes ?? preset.sizes).split(",").map(Number);
  if (!sizes.every((size) => Number.isInteger(size) && size >= SIZE_LEAST)) {
    throw new Failure(`No team can be of ${values.sizes}.`, `--sizes ${FULL.sizes}`);
  }
  if (values.docs && (values.only || values.out)) {
    throw new Failure("The documents have all operations, and a place.", "leave --only and --out");
  }
  const folder = values.docs ? FOLDER : join(ROOT, "target/bench");
  const count = (name) => {
    const number = Number(values[name] ?? preset[name]);
    if (Number.isInteger(number) && number > 0) return number;
    throw new Failure(`--${name} is ${values[name]}.`, `--${name} ${preset[name]}`);
  };
  return {
    rounds: count("rounds"),
    seconds: count("seconds"),
    sizes: sizes.sort((a, b) => a - b),
    only: values.only?.split(","),
    docs: values.docs,
    out: values.out ? resolve(process.env.INIT_CWD ?? ".", values.out) : folder,
  };
}

/** The operations of this team that were asked for. */
function chosen(team, only) {
  const all = operations(team);
  const isKnown = (part) => all.some(({ name }) => name.startsWith(part));
  // A small team lacks the large groups.
  const unknown = (only ?? []).filter((part) => !isKnown(part) && !part.startsWith("group-"));
  if (unknown.length > 0) {
    const names = all.map(({ name }) => name).join(", ");
    throw new Failure(`No operation is called ${unknown.join(", ")}.`, `name some of: ${names}`);
  }
  return all.filter(({ name }) => !only || only.some((part) => name.startsWith(part)));
}

/** Measures a team; `earlier` are the results of smaller ones. */
async function measure(staged, { only, rounds, seconds }, earlier) {
  const { team } = staged;
  const ours = await serveOurs(staged.ours, team.bindings);
  const limit = await serveLimit(staged.limit);
  const request = (wanted) => ask(ours, wanted);
  const results = [];
  // What an object does once, when it wakes, is no operation's cost.
  await request({ path: `${USERS}/${team.people[0].id}`, headers: bearer(team.key) });
  console.log(heading(team.size));
  let isWarm = false;
  for (const operation of chosen(team, only)) {
    const { name, title, isPoint, isByBytes, isMixed } = operation;
    const steps = await operation.steps(request);
    const rows = await check(request, operation, steps, team.bindings.OPERATOR_TOKEN);
    const run = (how) => time(operation, steps, ours, limit, team, how);
    // Whom the warm-up made nobody can make again.
    const from = isWarm ? undefined : (await run(WARM_UP)).next;
    isWarm = true;
    const timed = await run({ rounds, seconds, from });
    const per = isByBytes ? "bytesPerSecond" : "rate";
    const ratio = timed.ours[per] / timed.limit[per];
    const smallest = earlier.find((result) => result.name === name);
    const grown = (side) => smallest && timed[side].p50 / smallest[side].p50;
    const growths = { growth: grown("ours"), limitGrowth: grown("limit") };
    const kind = { name, title, isPoint, isByBytes, isMixed };
    const sides = { ours: timed.ours, limit: timed.limit };
    const result = { size: team.size, ...kind, ratio, ...growths, rows, ...sides };
    console.log(shown(result));
    results.push(result);
  }
  await Promise.all([ours.stop(), limit.stop()]);
  return results;
}

await main(async () => {
  const wanted = options();
  await build(RELEASE);
  await wrk();
  const results = [];
  const disks = [];
  const figures = { ...facts(), rounds: wanted.rounds, seconds: wanted.seconds };
  for (const size of wanted.sizes) {
    const staged = await stage(size);
    disks.push({ size, ...(await disk(staged.ours)) });
    results.push(...(await measure(staged, wanted, results)));
    if (size !== wanted.sizes.at(-1) || wanted.only) continue;
    figures.cold = await coldStarts(staged);
    figures.memory = await memory(staged);
  }
  figures.disk = disks;
  figures.results = results;
  figures.goals = goals(figures);
  console.log(["", ...summary(figures), "", ...judged(figures)].join("\n"));
  mkdirSync(wanted.out, { recursive: true });
  writeFileSync(join(wanted.out, "figures.json"), `${JSON.stringify(figures, null, 2)}\n`);
  writeFileSync(join(wanted.out, "figures.svg"), chart(results));
  if (wanted.docs) {
    writePart(DOCUMENT, PART, part(figures));
    writeCapacity();
  } else writeFileSync(join(wanted.out, "figures.md"), markdown(figures));
  say(`The figures are in ${wanted.out}`);
});
