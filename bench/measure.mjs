// One operation: checked, counted, timed beside the limit.

import { Failure } from "../scripts/steps.mjs";
import { FRESH } from "./people.mjs";
import { drive } from "./wrk.mjs";

/** With an operator's token in the first, an object tells in the others what it did. */
const DEBUG_HEADER = "x-kafkaman-debug";
const ROW_HEADERS = ["x-rows-read", "x-rows-written"];
/** Rows of the limit that are read in turn. */
const LIMIT_IDS = 4_096;
const CONNECTIONS = 16;
/** Answers that take seconds come one at a time, and some of them must come. */
const LONG = { connections: 1, secondsLeast: 5 };

/**
 * Sends the first request of each step by `ask`, and fails unless its answer is right.
 * What they cost in rows: `[{ label, read, written }]`, empty for what reaches no object.
 */
export async function check(ask, { name, isRefused }, steps, operatorToken) {
  const rows = [];
  for (const { label, requests, status, holds } of steps) {
    const { headers, ...request } = plain(requests[0]);
    const withDebug = { ...headers, [DEBUG_HEADER]: operatorToken };
    const answer = await ask({ ...request, headers: withDebug });
    if (answer.status !== status || (holds && !holds(answer.body()))) {
      const told = `${answer.status}: ${answer.text.slice(0, 500)}`;
      wrong(name, label, `${request.method} ${request.path} was answered ${told}`);
    }
    const [read, written] = ROW_HEADERS.map((header) => answer.headers.get(header));
    // Objects count rows, so whatever has none has woken none.
    if ((read === null) !== (isRefused === true)) {
      wrong(name, label, `an object was ${read === null ? "not " : ""}asked`);
    }
    if (!isRefused) rows.push({ label, read: Number(read), written: Number(written) });
  }
  return rows;
}

function wrong(name, label, what) {
  throw new Failure(`${name}, ${label}: ${what}.`, "mend the Worker, or what bench/ expects of it");
}

/** A request with a number in the place of the mark of somebody new. */
const plain = (request) =>
  JSON.parse(JSON.stringify(request).replaceAll(FRESH, "0".repeat(FRESH.length)));

/** The requests of an operation in the order in which they are sent. */
export function inOrder({ isMixed }, steps) {
  if (!isMixed) return steps.flatMap(({ requests }) => requests);
  return steps[0].requests.flatMap((_, n) => steps.map(({ requests }) => requests[n]));
}

/** What the limit is sent in the place of an operation. */
export function limitRequests({ limit }, { size, document }) {
  const id = (n) => String(Math.floor(n) % size).padStart(36, "0");
  // No two neighbours, as with ours: a prime's multiples.
  const spread = (n) => id((n * 1_663 * size) / LIMIT_IDS);
  const kinds = {
    read: (n) => ({ path: `/item/${spread(n)}` }),
    insert: () => ({ method: "POST", path: "/item", body: document }),
    page: (n) => ({ path: `/page?after=${id(size / 2 - n)}` }),
    unauthorised: () => ({ path: "/unauthorised" }),
  };
  const length = { read: LIMIT_IDS, insert: 1, page: 16, unauthorised: 1 };
  const turns = Math.max(...limit.map((kind) => length[kind]));
  return Array.from({ length: turns }, (_, n) => limit.map((kind) => kinds[kind](n))).flat();
}

/**
 * Times an operation and its limit in turn: `{ ours, limit, next }`, the medians of all
 * rounds of each, and the number of the request with which to go on. The first requests
 * were the check's, unless `from` says that more were sent since.
 */
export async function time(operation, steps, ours, limit, team, { rounds, seconds, from }) {
  const load = operation.isLong
    ? { connections: LONG.connections, seconds: Math.max(seconds, LONG.secondsLeast) }
    : { connections: CONNECTIONS, seconds };
  const [requests, theirs] = [inOrder(operation, steps), limitRequests(operation, team)];
  const turn = operation.isMixed ? steps.length : 1;
  const all = { ours: [], limit: [] };
  let next = from ?? requests.length;
  for (let round = 0; round < rounds; round += 1) {
    const refused = operation.isRefused;
    const own = await drive(ours, requests, { load, from: next, turn, refused });
    next = own.next;
    all.ours.push(own);
    all.limit.push(await drive(limit, theirs, { load, refused }));
  }
  return { ours: medians(all.ours), limit: medians(all.limit), next };
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function medians(runs) {
  const of = (name) => median(runs.map((run) => run[name]));
  return { rate: of("rate"), bytesPerSecond: of("bytesPerSecond"), p50: of("p50"), p99: of("p99") };
}
