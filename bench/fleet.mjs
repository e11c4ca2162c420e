// `npm run fleet`: what a month of many teams costs, computed from what an operation costs
// in rows (docs/performance/rows.json), what the benchmark measured, Cloudflare's list
// prices, and the assumptions below. Prints Markdown; `npm run fleet -- --docs` writes it
// to docs/capacity.md.
//
// Nothing here is measured of a fleet. Whoever assumes otherwise changes a number and
// runs it again.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT, main, say } from "../scripts/steps.mjs";
import { figures, rows } from "./documented.mjs";
import { PLAN, POINTS, PRICES, STORAGE } from "./prices.mjs";

const TEAMS = 10_000;
/** How many people are in a team: many small ones, few large ones, 680 on average. */
const SIZES = [
  { people: 50, share: 0.6 },
  { people: 300, share: 0.3 },
  { people: 2_000, share: 0.09 },
  { people: 20_000, share: 0.009 },
  { people: 200_000, share: 0.001 },
];
const DAYS = 365 / 12;
/** The interval of Entra ID, the only one of a provider's that is fixed. */
const SYNC_MINUTES = 40;
const SYNCS = (DAYS * 24 * 60) / SYNC_MINUTES;
const PAGE = 100;
/**
 * What a sync asks though nothing changed. OneLogin and Okta send changes when they
 * happen; what is assumed of them beyond is the more expensive of what admins choose.
 */
const everybody = (people) => [["page", "page", Math.ceil(people / PAGE)]];
const PROVIDERS = [
  { name: "OneLogin", share: 0.4, asks: () => [["page", "page", 1]] },
  { name: "Okta, importing", share: 0.3, asks: everybody },
  { name: "Entra ID", share: 0.3, asks: () => [["filter-name", "filter", 1]] },
];
/** What a provider sends when something happens to a person. */
const SEARCH = ["filter-name", "filter", 1];
const JOINING = [SEARCH, ["create", "create", 1], ["group-patch-100", "add", 2]];
const LEAVING = [SEARCH, ["patch", "off", 1]];
const CHANGING = [["get", "get", 1], ["put", "there", 1]];
const MOVING = ["add", "remove"].map((way) => ["group-patch-100", way, 1]);
/** How often it happens in a month. */
const EVENTS = [
  // A fifth of a company's people change in a year.
  { name: "joins", monthly: 0.2 / 12, asks: JOINING },
  { name: "is suspended", monthly: 0.2 / 12, asks: LEAVING },
  // Another title, name, manager; into a group and out of another.
  { name: "is changed", monthly: 2 / 12, asks: CHANGING },
  { name: "changes groups", monthly: 2 / 12, asks: MOVING },
];
/** Of all people, those who work with kafkaman on a working day. */
const PRESENT = 0.3;
const WORKING_DAYS = 21;
/** A session is asked about once in ten minutes, for four hours. */
const SESSION_ASKS = 24;
const SESSION = [
  ["policy", "policy", 1],
  ["session", "session", 1],
  ["session-ask", "session-ask", SESSION_ASKS],
  ["session-end", "session-end", 1],
];
/** Rows that come with time and not with an operation: see docs/rows.md. */
const KEY_NOTED = 1;
const SEEN_NOTED = 1;
const SHOWN = { read: 1, written: 4 };
/**
 * Milliseconds for which an object is busy with a request. workerd on one machine is
 * faster; the platform confirms a change on several before it is answered.
 */
const OBJECT_MS = { reads: 5, writes: 20 };
const OBJECT_GB = 0.128;
/** Milliseconds of CPU that the Worker takes, which checks a key and forwards. */
const WORKER_MS = 1;
/** Days for which the audit is kept, unless a team says otherwise. */
const AUDIT_DAYS = 180;

const NOTHING = { requests: 0, alarms: 0, read: 0, written: 0, milliseconds: 0 };

/** What some operations come to: `[[name, label, times]]`. */
function sum(costs, asks) {
  const total = { ...NOTHING };
  for (const [name, label, times] of asks) {
    const { read, written } = costs(name, label);
    total.requests += times;
    total.read += times * read;
    total.written += times * written;
    total.milliseconds += times * (written > 0 ? OBJECT_MS.writes : OBJECT_MS.reads);
  }
  return total;
}

function plus(a, b, times = 1) {
  const add = (what) => a[what] + (b[what] ?? 0) * times;
  return Object.fromEntries(Object.keys(NOTHING).map((what) => [what, add(what)]));
}

/** How a provider's visit is noted: what the page shows, by alarm, and the key's use. */
const NOTED = {
  alarms: 1,
  read: SHOWN.read,
  written: SHOWN.written + KEY_NOTED,
  milliseconds: OBJECT_MS.writes,
};

/** A month of the fleet: `{ people, causes, meters, … }`. */
export function month() {
  const largest = (sizes) => sizes[Math.max(...Object.keys(sizes).map(Number))];
  const all = rows();
  const costs = (name, label) =>
    largest(all.find((row) => row.name === name && row.label === label).sizes);
  const people = TEAMS * SIZES.reduce((total, size) => total + size.share * size.people, 0);

  let syncs = NOTHING;
  let lookedAt = NOTHING;
  for (const size of SIZES) {
    for (const provider of PROVIDERS) {
      const times = TEAMS * size.share * provider.share * SYNCS;
      syncs = plus(syncs, plus(sum(costs, provider.asks(size.people)), NOTED), times);
    }
    const each = sum(costs, [["get", "get", size.people]]);
    lookedAt = plus(lookedAt, plus(each, NOTED), TEAMS * size.share * SYNCS);
  }
  let changes = NOTHING;
  for (const { monthly, asks } of EVENTS) {
    changes = plus(changes, plus(sum(costs, asks), NOTED), monthly * people);
  }
  const signIns = PRESENT * WORKING_DAYS * people;
  const seen = {
    written: SESSION_ASKS * SEEN_NOTED,
    milliseconds: SESSION_ASKS * (OBJECT_MS.writes - OBJECT_MS.reads),
  };
  const sessions = plus(NOTHING, plus(sum(costs, SESSION), seen), signIns);
  return {
    people,
    causes: { syncs, changes, sessions },
    gigabytes: gigabytes(people),
    lookedAt,
    first: plus(NOTHING, sum(costs, JOINING), people),
  };
}

/** What the fleet has on disk, by what the benchmark's largest team has. */
function gigabytes(people) {
  const { perPerson, perMembership, perRecord, empty } = perTeam();
  const records = EVENTS.reduce((total, { monthly, asks }) => total + monthly * asks.length, 0);
  const kept = (records * AUDIT_DAYS) / DAYS;
  const each = perPerson + 2 * perMembership + kept * perRecord;
  return (TEAMS * empty + people * each) / 1e9;
}

/** Bytes on disk of a person, of a membership, of an audit record, of a team without people. */
export function perTeam({ disk } = figures()) {
  const { people, memberships, auditRecords, bytes, empty, ...of } = disk.at(-1);
  return {
    perPerson: (bytes - of.membershipBytes - of.auditBytes - empty) / people,
    perMembership: of.membershipBytes / memberships,
    perRecord: of.auditBytes / auditRecords,
    empty,
  };
}

/** Whether Workers Logs get a line for each invocation, as wrangler.toml has it. */
function isLogged() {
  const file = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  return !/^invocation_logs = false/m.test(file);
}

/** What is billed for this: `[{ name, used, included, dollars }]`. */
function meters(total) {
  const used = {
    workerRequests: total.requests,
    workerCpu: total.requests * WORKER_MS,
    objectRequests: total.requests + total.alarms,
    duration: (total.milliseconds / 1_000) * OBJECT_GB,
    rowsRead: total.read,
    rowsWritten: total.written,
    logEvents: isLogged() ? 2 * total.requests + total.alarms : 0,
  };
  return Object.entries(PRICES).map(([what, { name, price, included }]) => ({
    name,
    used: used[what],
    included,
    list: (used[what] / 1e6) * price,
    dollars: (Math.max(0, used[what] - included) / 1e6) * price,
  }));
}

const rounded = (number, digits) =>
  number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const whole = (number) => rounded(number, 0);
const millions = (number) => rounded(number / 1e6, number < 1e7 ? 1 : 0);
const dollars = (number) => `$${rounded(number, number < 100 ? 2 : 0)}`;
const line = (cells) => `| ${cells.join(" | ")} |`;
const head = (...names) => [line(names), line(names.map((_, n) => (n === 0 ? "---" : "---:")))];
const list = (total) => meters(total).reduce((all, meter) => all + meter.list, 0);

/** What is assumed, as it stands in the document. */
function assumed() {
  const percent = (share) => `${Number((share * 100).toFixed(1))} %`;
  const sizes = SIZES.map(({ people, share }) => `${percent(share)} of ${whole(people)}`);
  const providers = PROVIDERS.map(({ name, share }) => `${name} ${percent(share)}`);
  const yearly = (monthly) => Number((monthly * 12).toFixed(1));
  const events = EVENTS.map(({ name, monthly }) => `${name} ${yearly(monthly)} times`);
  return [
    `- Teams: ${sizes.join(", ")} people.`,
    `- Providers: ${providers.join(", ")}. They come every ${SYNC_MINUTES} minutes, whether ` +
      "anything changed or not: OneLogin asks for a page then, Okta for everybody page by page, " +
      "Entra ID looks for one person.",
    `- Somebody, a year: ${events.join(", ")}. Each is a visit of its own, which is the most ` +
      "that it can cost.",
    `- ${percent(PRESENT)} of the people work with kafkaman on each of ${WORKING_DAYS} days; ` +
      `their session is asked about ${SESSION_ASKS} times.`,
    `- An object is busy ${OBJECT_MS.reads} ms with a read and ${OBJECT_MS.writes} ms with a ` +
      `change, and the Worker takes ${WORKER_MS} ms of CPU.`,
    `- A person is in two groups, and the audit is kept ${AUDIT_DAYS} days.`,
  ];
}

/** The tables, in Markdown. */
export function fleet() {
  const { people, causes, gigabytes, lookedAt, first } = month();
  const { syncs, changes, sessions } = causes;
  const provisioning = plus(syncs, changes);
  const total = plus(provisioning, sessions);
  const storage = Math.max(0, gigabytes - STORAGE.included) * STORAGE.price;
  const bill = (some) => meters(some).reduce((all, meter) => all + meter.dollars, PLAN + storage);
  const cause = (name, some) => {
    const { requests, alarms, read, written } = some;
    return line([name, ...[requests, alarms, read, written].map(millions), dollars(list(some))]);
  };
  const noted = Math.max(0, 2 * total.requests + total.alarms - POINTS.included);
  const points = (noted / 1e6) * POINTS.price;
  const [alone, both] = [bill(provisioning), bill(total)];
  return [
    `**${whole(TEAMS)} teams of ${millions(people)} million people, each synced every ` +
      `${SYNC_MINUTES} minutes: ${dollars(alone)} a month.** That is ${dollars(alone / TEAMS)} ` +
      `a team. With the sessions of all these people it is ${dollars(both)}, or ` +
      `${dollars(both / TEAMS)} a team.`,
    "Assumed:",
    assumed().join("\n"),
    "In millions a month, at list prices with nothing included:",
    [
      ...head("For", "requests", "alarms", "rows read", "rows written", "cost"),
      cause("Syncs that find nothing new", syncs),
      cause("Changes", changes),
      cause("Sessions", sessions),
    ].join("\n"),
    "All of it as it is billed:",
    [
      ...head("What", "millions", "included", "cost"),
      ...meters(total).map(({ name, used, included, dollars: cost }) =>
        line([name, millions(used), millions(included), dollars(cost)]),
      ),
      line(["Storage", `${whole(gigabytes)} GB`, `${STORAGE.included} GB`, dollars(storage)]),
      line(["The plan", "", "", dollars(PLAN)]),
      line(["**Sum**", "", "", `**${dollars(bill(total))}**`]),
    ].join("\n"),
    [
      "- Once, when everybody comes in (a search, a creation and two groups each): " +
        `${dollars(list(first))}.`,
      `- If every sync looked at every person, one by one: ${millions(lookedAt.requests)} ` +
        `million requests, ${dollars(list(lookedAt))} a month instead of ${dollars(list(syncs))}.`,
      `- With \`ANALYTICS\` bound: ${dollars(points)} more for data points.`,
    ].join("\n"),
  ].join("\n\n");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(async () => {
    if (!process.argv.includes("--docs")) return console.log(fleet());
    // Not above: it imports this module.
    const { writeCapacity } = await import("./capacity.mjs");
    writeCapacity();
    say("docs/capacity.md says what was computed");
  });
}
