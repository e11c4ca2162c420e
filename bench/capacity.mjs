// The parts of docs/capacity.md that are computed: what one team can do, from the last
// figures of the benchmark, and what a fleet costs.

import { writePart } from "./between.mjs";
import { figures } from "./documented.mjs";
import { fleet, perTeam } from "./fleet.mjs";

export const DOCUMENT = "docs/capacity.md";
/** The parts by name, and what stands in each. */
export const PARTS = { team, disk: onDisk, fleet };

/** Writes the document's parts anew. */
export function writeCapacity() {
  for (const [name, part] of Object.entries(PARTS)) writePart(DOCUMENT, name, part());
}

/** What stands for the rest: what providers do most. */
const SHOWN = ["get", "filter-name", "page", "create", "put", "patch", "replay"];
/** The limits of the platform for one object. */
const OBJECT_BYTES = 10e9;
const CPU_SECONDS = 30;
const MEMORY_MIB = 128;
/** What somebody has in a team that is as large as it can be. */
const GROUPS_EACH = 2;
const RECORDS_EACH = 5;

const whole = (number) => number.toLocaleString("en", { maximumFractionDigits: 0 });

/** What one team can do. */
function team() {
  const { machine, versions, results, memory } = figures();
  const most = Math.max(...results.map(({ size }) => size));
  const own = results.filter(({ size }) => size === most);
  const changes = own.filter(({ name }) => name.startsWith("group-patch-"));
  const often = SHOWN.flatMap((name) => own.filter((one) => one.name === name));
  const shown = [...often, changes.at(-1)];
  const slowest = own.reduce((a, b) => (a.ours.rate < b.ours.rate ? a : b));
  // One thread: what it does in a second it does one after the other.
  const took = (1 / slowest.ours.rate).toFixed(2);
  const row = ({ title, ours }) => `| ${title} | ${whole(ours.rate)} | ${ours.p50.toFixed(2)} |`;
  const read =
    memory &&
    ` A group of ${whole(memory.members)} members was read with ` +
      `${memory.most.wasm.toFixed(1)} MiB of the wasm's memory; an isolate has ${MEMORY_MIB}.`;
  return [
    `On one thread of ${machine.cpu} (workerd ${versions.workerd}, commit ${versions.commit}), ` +
      `which served the Worker and the object both, a team of ${whole(most)} people answered:`,
    ["| Operation | requests/s | p50 ms |", "| --- | ---: | ---: |", ...shown.map(row)].join("\n"),
    `The slowest of all that is measured was *${slowest.title}*: ${took} s, of ${CPU_SECONDS} s ` +
      `of CPU that a request may take.${read ?? ""}`,
  ].join("\n\n");
}

/** What a team has on disk, and how many people 10 GB hold. */
function onDisk() {
  const { disk } = figures();
  const { people, bytes, memberships } = disk.at(-1);
  const { perPerson, perMembership, perRecord, empty } = perTeam();
  const each = perPerson + GROUPS_EACH * perMembership + RECORDS_EACH * perRecord;
  const hold = (OBJECT_BYTES - empty) / each / 1e6;
  return [
    `A team of ${whole(people)} people and ${whole(memberships)} memberships took ` +
      `${(bytes / 1e6).toFixed(1)} MB:`,
    [
      `- a person ${whole(perPerson)} bytes, with the indexes and keys by which they are found;`,
      `- a membership of a group ${whole(perMembership)} bytes, both ways;`,
      `- a record of the audit ${whole(perRecord)} bytes, for as long as it is kept;`,
      `- a team without people ${whole(empty / 1e3)} kB, a page for each table and index.`,
    ].join("\n"),
    `With ${GROUPS_EACH} groups and ${RECORDS_EACH} records for each person, 10 GB hold ` +
      `${hold.toFixed(1)} million people.`,
  ].join("\n\n");
}
