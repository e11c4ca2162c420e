// Timing by `wrk`, which takes a few microseconds for a request where the server takes
// hundreds: one thread, requests that were written out before.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install } from "../scripts/debian.mjs";
import { Failure, ask, run } from "../scripts/steps.mjs";
import { FRESH } from "./people.mjs";

/** What a line of results begins with, among what wrk says itself. */
const MARK = "RESULT ";

/** Sees that wrk is there. */
export async function wrk() {
  if (ask("sh", ["-c", "command -v wrk"]) === null) {
    await install(["wrk"], "wrk, which makes the load of the benchmark,");
  }
}

/** A request as it goes over the wire. */
export function written({ method = "GET", path, headers = {}, body }) {
  const lines = [`${method} ${path} HTTP/1.1`, "host: localhost"];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`content-length: ${body.length}`);
  const text = `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
  if (/[^\r\n\x20-\x7e]/.test(text)) throw new Error(`not ASCII: ${text}`);
  return text;
}

/**
 * Sends the requests in turn, over and over, as `load` says: `{ seconds, connections }`; from the one with
 * number `from`, counted over all rounds, so that a round goes on where the last one
 * ended. Where a request has the mark of somebody new, that is the number of the turn,
 * a turn being `turn` requests.
 *
 * Answers `{ next, rate, bytesPerSecond, p50, p99 }`, the latencies in milliseconds.
 * An answer that is no success (or, with `refused`, that is one) is a failure.
 */
export async function drive(server, requests, { load, from = 0, turn = 1, refused = false }) {
  const folder = mkdtempSync(join(tmpdir(), "kafkaman-bench-"));
  try {
    const file = join(folder, "requests.lua");
    writeFileSync(file, script(requests.map(written), from, turn), { mode: 0o600 });
    const options = [
      "-t1",
      `-c${load.connections}`,
      `-d${load.seconds}s`,
      "--timeout",
      "20s",
      "-s",
      file,
    ];
    const output = await run("wrk", [...options, server.url], {
      remedy: "see wrk's message above, and whether workerd still runs",
    });
    const line = output.split("\n").find((line) => line.startsWith(MARK));
    return judged(JSON.parse(line.slice(MARK.length)), refused);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judged({ sent, requests, micros, bytes, p50, p99, failed, refusals }, refused) {
  if (requests === 0) throw new Failure("Nothing was answered.", "see whether workerd still runs");
  if (failed > 0 || refusals !== (refused ? requests : 0)) {
    throw new Failure(
      `Of ${requests} requests ${refusals} were refused and ${failed} failed on the way.`,
      "an operation must not fail while it is timed: look at its requests in bench/operations.mjs",
    );
  }
  const seconds = micros / 1e6;
  return {
    next: sent,
    rate: requests / seconds,
    bytesPerSecond: bytes / seconds,
    p50: p50 / 1_000,
    p99: p99 / 1_000,
  };
}

function script(texts, from, turn) {
  // JSON's escapes of printable ASCII, CR and LF are Lua's as well.
  const list = texts.map((text) => `  ${JSON.stringify(text)},`).join("\n");
  const isFresh = texts.some((text) => text.includes(FRESH));
  const fresh = `text:gsub("${FRESH}", string.format("%0${FRESH.length}d", math.floor(sent / ${turn})))`;
  return `
local texts = {
${list}
}
local thread
sent = ${from}

function setup(own)
  thread = own
end

function request()
  local text = texts[sent % #texts + 1]
  ${isFresh ? `text = ${fresh}` : ""}
  sent = sent + 1
  return text
end

function done(summary, latency)
  local errors = summary.errors
  local result = {
    sent = thread:get("sent"),
    requests = summary.requests,
    micros = summary.duration,
    bytes = summary.bytes,
    p50 = latency:percentile(50),
    p99 = latency:percentile(99),
    failed = errors.connect + errors.read + errors.write + errors.timeout,
    refusals = errors.status,
  }
  local fields = {}
  for name, value in pairs(result) do
    fields[#fields + 1] = string.format('"%s":%d', name, value)
  end
  print("${MARK}{" .. table.concat(fields, ",") .. "}")
end
`;
}
