// Figures as people read them: lines on a terminal while they come, a page of Markdown
// when all are there. Nothing is computed here that `figures.json` does not have.

import { goals } from "./goals.mjs";

const counted = (number) => Math.round(number).toLocaleString("en");
const fixed = (number, digits = 2) => (number === undefined ? "" : number.toFixed(digits));
/** One figure a step, those that are alike once. */
function rowsOf(rows, what) {
  const counts = rows.map((row) => row[what]);
  return new Set(counts).size === 1 ? counted(counts[0]) : counts.map(counted).join(" · ");
}

/** The columns: heading, width on a terminal, and what a result has there. */
const COLUMNS = [
  ["Operation", 36, ({ title }) => title],
  ["requests/s", 10, ({ ours }) => counted(ours.rate)],
  ["limit/s", 8, ({ limit }) => counted(limit.rate)],
  ["ratio", 6, ({ ratio, isByBytes }) => `${fixed(ratio)}${isByBytes ? "*" : ""}`],
  ["p50 ms", 8, ({ ours }) => fixed(ours.p50)],
  ["p99 ms", 8, ({ ours }) => fixed(ours.p99)],
  ["p50 grown", 9, ({ growth }) => fixed(growth)],
  ["rows read", 17, ({ rows }) => (rows.length ? rowsOf(rows, "read") : "0")],
  ["rows written", 17, ({ rows }) => (rows.length ? rowsOf(rows, "written") : "0")],
];

const line = (cells) =>
  cells
    .map((cell, n) => (n === 0 ? cell.padEnd(COLUMNS[n][1]) : cell.padStart(COLUMNS[n][1])))
    .join("  ");

/** What stands above a size's results on the terminal. */
export const heading = (size) =>
  `\nA team of ${counted(size)}\n${line(COLUMNS.map(([name]) => name))}`;

/** A result on the terminal. */
export const shown = (result) => line(COLUMNS.map(([, , cell]) => cell(result)));

const NOTES = `*requests/s*, *p50*, *p99*: of 16 connections, medians of the rounds. *limit/s*: a bare JavaScript
object's, driven in turn in the same run (\`bench/limit.mjs\`). *ratio*: ours to the limit's; where it has a *,
in bytes a second. *p50 grown*: to that of the smallest team. *rows*: of one request; of an operation of
several steps one after the other.`;

/** What stands below all of it: what is true of the build and the process. */
export function summary({ machine, versions, wasm, cold, memory, rounds, seconds }) {
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; workerd ${versions.workerd}, ` +
      `Node ${versions.node}; commit ${versions.commit}; ${rounds} rounds of ${seconds} s`,
    `WebAssembly: ${counted(wasm.bytes)} bytes, ${counted(wasm.gzipped)} gzipped`,
  ];
  for (const [name, side] of cold ? Object.entries(cold) : []) {
    lines.push(
      `Cold start, ${name}: workerd listens after ${fixed(side.listening, 0)} ms; the first refusal takes ` +
        `${fixed(side.firstRefusal, 1)} ms (later ones ${fixed(side.warmRefusal, 1)}), the first read then ` +
        `${fixed(side.firstRead, 1)} ms (later ones ${fixed(side.warmRead, 1)})`,
    );
  }
  if (memory?.mostMiB) {
    lines.push(
      `Memory of workerd: ${fixed(memory.beforeMiB, 0)} MiB after a read, at most ${fixed(memory.mostMiB, 0)} MiB ` +
        `while it answers with a group of ${counted(memory.group)} members (${fixed(memory.answerMiB, 1)} MiB)`,
    );
  }
  return lines;
}

/** The goals, one line each. */
export const judged = (figures) =>
  goals(figures).map(({ goal, figure, isMet }) => `${isMet ? "met    " : "NOT MET"}  ${goal}: ${figure}`);

/** All of it as a page. */
export function markdown(figures) {
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const sizes = [...new Set(figures.results.map(({ size }) => size))];
  const tables = sizes.map((size) =>
    [
      `## A team of ${counted(size)}\n`,
      row(COLUMNS.map(([name]) => name)),
      row(COLUMNS.map((_, n) => (n === 0 ? "---" : "---:"))),
      ...figures.results
        .filter((result) => result.size === size)
        .map((result) => row(COLUMNS.map(([, , cell]) => cell(result)))),
    ].join("\n"),
  );
  const met = goals(figures).map(({ goal, figure, isMet }) => row([goal, figure, isMet ? "met" : "not met"]));
  return [
    "# Figures",
    "What `npm run bench` measured. It wrote this page, and the next run writes it anew.",
    "![The throughput of each operation as a share of the limit's](figures.svg)",
    summary(figures)
      .map((line) => `- ${line}`)
      .join("\n"),
    ["## Goals\n", row(["Goal", "Figure", ""]), row(["---", "---", "---"]), ...met].join("\n"),
    ...tables,
    NOTES,
    "",
  ].join("\n\n");
}
