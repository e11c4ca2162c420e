// Figures as people read them: lines on a terminal while they come, a page of Markdown
// when all are there. Nothing is computed here that `figures.json` does not have.

const counted = (number) =>
  number.toLocaleString("en", { maximumFractionDigits: number < 10 ? 1 : 0 });
const fixed = (number, digits = 2) => (number === undefined ? "" : number.toFixed(digits));
/** One figure a step, those that are alike once; of a mixture its sum. */
function rowsOf({ rows, isMixed }, what) {
  const counts = rows.map((row) => row[what]);
  if (rows.length === 0 || isMixed) return counted(counts.reduce((sum, count) => sum + count, 0));
  return new Set(counts).size === 1 ? counted(counts[0]) : counts.map(counted).join(" · ");
}

/** The columns: heading, width on a terminal, and what a result has there. */
const COLUMNS = [
  ["Operation", 36, ({ title }) => title],
  ["requests/s", 10, ({ ours }) => counted(ours.rate)],
  ["limit/s", 8, ({ limit }) => counted(limit.rate)],
  ["ratio", 6, ({ ratio, isByBytes }) => `${fixed(ratio)}${isByBytes ? "†" : ""}`],
  ["p50 ms", 8, ({ ours }) => fixed(ours.p50)],
  ["p99 ms", 8, ({ ours }) => fixed(ours.p99)],
  ["p50 grown", 9, ({ growth }) => fixed(growth)],
  ["rows read", 9, (result) => rowsOf(result, "read")],
  ["rows written", 12, (result) => rowsOf(result, "written")],
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

const NOTES = `*requests/s*, *p50*, *p99*: of 16 connections, medians of the rounds. *limit/s*: a bare
JavaScript object's, driven in turn in the same run (\`bench/limit.mjs\`). *ratio*: ours to the limit's;
where it has a †, in bytes a second. *p50 grown*: to that of the smallest team. *rows*: of one request, where
it goes both ways one after the other; of a sync, of all that it sends for one person.`;

/** What stands below all of it: what is true of the build and the process. */
export function summary({ machine, versions, wasm, cold, memory, rounds, seconds }) {
  const { cpu, cores, memoryGiB, system } = machine;
  const { workerd, node, commit } = versions;
  return [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}`,
    `workerd ${workerd}, Node ${node}, commit ${commit}; ${rounds} rounds of ${seconds} s`,
    `WebAssembly: ${counted(wasm.bytes)} bytes, ${counted(wasm.gzipped)} gzipped`,
    ...Object.entries(cold ?? {}).map(coldStart),
    ...(memory ? [taken(memory)] : []),
  ];
}

function coldStart([name, times]) {
  const { listening, firstRefusal, warmRefusal, firstRead, warmRead } = times;
  return (
    `Cold start, ${name}: workerd listens after ${fixed(listening, 0)} ms; the first refusal ` +
    `takes ${fixed(firstRefusal, 1)} ms (later ones ${fixed(warmRefusal, 1)}), the first read ` +
    `then ${fixed(firstRead, 1)} ms (later ones ${fixed(warmRead, 1)})`
  );
}

function taken({ members, answer, before, most }) {
  const process =
    most.process === null
      ? ""
      : `, of the process ${fixed(before.process, 0)} and ${fixed(most.process, 0)} MiB`;
  return (
    `Memory after one read, and at most for an answer with a group of ${counted(members)} ` +
    `members (${fixed(answer, 1)} MiB): of the wasm ${fixed(before.wasm, 1)} and ` +
    `${fixed(most.wasm, 1)} MiB${process}`
  );
}

/** The goals, one line each. */
export const judged = ({ goals }) =>
  goals.map(({ goal, figure, isMet }) => `${isMet ? "met    " : "NOT MET"}  ${goal}: ${figure}`);

/** Where `--docs` puts `part`. */
export const DOCUMENT = "docs/performance.md";
export const PART = "figures";

/** All of it as a part of a page, below a heading of first order. */
export function part(figures, chart = "performance/figures.svg") {
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
  const met = figures.goals.map(({ goal, figure, isMet }) =>
    row([goal, figure, isMet ? "met" : "not met"]),
  );
  return [
    `![The throughput of each operation as a share of the limit's](${chart})`,
    summary(figures)
      .map((line) => `- ${line}`)
      .join("\n"),
    ["## Goals\n", row(["Goal", "Figure", ""]), row(["---", "---", "---"]), ...met].join("\n"),
    ...tables,
    NOTES,
  ].join("\n\n");
}

/** The same as a page. */
export const markdown = (figures) =>
  ["# Figures", "What `npm run bench` measured.", part(figures, "figures.svg"), ""].join("\n\n");
