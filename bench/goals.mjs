// What the figures ought to be, and whether they are. A goal that is not met is told, and
// fails nothing: a benchmark on a busy machine proves little, and CI times nothing.

/** Of the limit's throughput, at every size; for pages and groups of it per byte. */
const RATIOS = [
  { names: ["get", "filter-name"], least: 0.8 },
  { names: ["create", "patch", "put"], least: 0.7 },
  { names: ["page", "page-index", "page-cursor"], least: 0.5 },
  { names: ["forged"], least: 0.8 },
];
/** The p50 of what is about one resource, in the largest team against the smallest. */
const GROWTH_MOST = 1.2;
/** The p50 of a change of the largest group against the smallest. */
const GROUP_GROWTH_MOST = 1.3;
/** The wasm's memory after it answered with the largest group. */
const WASM_MEBIBYTES_MOST = 64;
const WASM_GZIPPED_MOST = 400_000;

/** `[{ goal, figure, isMet }]`, those alone of which there are figures. */
export function goals({ results, wasm, memory }) {
  return [
    ...ratios(results),
    ...wakes(results),
    ...growth(results),
    ...groups(results),
    ...heap(memory),
    size(wasm),
  ];
}

function extent(results) {
  const sizes = results.map(({ size }) => size);
  return [Math.min(...sizes), Math.max(...sizes)];
}
const counted = (number) => number.toLocaleString("en");

function ratios(results) {
  return RATIOS.flatMap(({ names, least }) =>
    names.flatMap((name) => {
      const own = results.filter((result) => result.name === name);
      if (own.length === 0) return [];
      const worst = own.reduce((a, b) => (a.ratio < b.ratio ? a : b));
      return {
        goal: `${worst.title}: at least ${least} of the limit${worst.isByBytes ? " per byte" : ""}`,
        figure: `${worst.ratio.toFixed(2)} (the least, at ${counted(worst.size)})`,
        isMet: worst.ratio >= least,
      };
    }),
  );
}

function wakes(results) {
  const forged = results.find(({ name }) => name === "forged");
  if (!forged) return [];
  // An object would have said how many rows it read.
  const isMet = forged.rows.length === 0;
  return [{ goal: "Forged keys wake no object", figure: isMet ? "none" : "some", isMet }];
}

function growth(results) {
  const [least, most] = extent(results);
  const grown = results.filter(({ size, isPoint, growth }) => size === most && isPoint && growth);
  if (grown.length === 0) return [];
  const worst = grown.reduce((a, b) => (a.growth > b.growth ? a : b));
  // What the machine did meanwhile it did to both.
  const beside = worst.limitGrowth.toFixed(2);
  const sizes = `at ${counted(most)} within ${GROWTH_MOST} × of that at ${counted(least)}`;
  return [
    {
      goal: `p50 of every operation on one resource ${sizes}`,
      figure: `${worst.growth.toFixed(2)} × (the most: ${worst.title}; the limit ${beside} ×)`,
      isMet: worst.growth <= GROWTH_MOST,
    },
  ];
}

function groups(results) {
  const changes = results.filter(({ name }) => name.startsWith("group-patch-"));
  const own = changes.filter(({ size }) => size === extent(results)[1]);
  if (own.length < 2) return [];
  const [least, most] = [own[0], own.at(-1)];
  const grown = most.ours.p50 / least.ours.p50;
  const costs = new Set(changes.map(({ rows }) => JSON.stringify(rows)));
  return [
    {
      goal: `${most.title}: p50 within ${GROUP_GROWTH_MOST} × of the smallest group's`,
      figure: `${grown.toFixed(2)} ×`,
      isMet: grown <= GROUP_GROWTH_MOST,
    },
    {
      goal: "Rows read and written by it independent of the sizes of group and team",
      figure: costs.size === 1 ? "the same everywhere" : `${costs.size} different counts`,
      isMet: costs.size === 1,
    },
  ];
}

function heap(memory) {
  if (!memory) return [];
  const { members, most } = memory;
  const what = `A group of ${counted(members)} members`;
  return [
    {
      goal: `${what} is read in at most ${WASM_MEBIBYTES_MOST} MiB of wasm memory`,
      figure: `${most.wasm.toFixed(1)} MiB`,
      isMet: most.wasm <= WASM_MEBIBYTES_MOST,
    },
  ];
}

const size = ({ gzipped }) => ({
  goal: `WebAssembly at most ${counted(WASM_GZIPPED_MOST)} bytes gzipped`,
  figure: counted(gzipped),
  isMet: gzipped <= WASM_GZIPPED_MOST,
});
