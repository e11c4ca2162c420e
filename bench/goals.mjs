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
const WASM_GZIPPED_MOST = 400_000;

/** `[{ goal, figure, isMet }]`, those alone of which there are figures. */
export function goals({ results, wasm }) {
  return [...ratios(results), ...growth(results), ...groups(results), size(wasm)];
}

const sizesOf = (results) => [...new Set(results.map(({ size }) => size))];
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

function growth(results) {
  const points = results.filter(({ isPoint, growth }) => isPoint && growth !== undefined);
  const sizes = sizesOf(points);
  if (sizes.length < 2) return [];
  const largest = points.filter(({ size }) => size === Math.max(...sizes));
  const worst = largest.reduce((a, b) => (a.growth > b.growth ? a : b));
  return {
    goal: `p50 of every point operation at ${counted(worst.size)} within ${GROWTH_MOST} × of that at ${counted(Math.min(...sizes))}`,
    figure: `${worst.growth.toFixed(2)} × (the most: ${worst.title})`,
    isMet: worst.growth <= GROWTH_MOST,
  };
}

function groups(results) {
  const changes = results.filter(({ name }) => name.startsWith("group-patch-"));
  const own = changes.filter(({ size }) => size === Math.max(...sizesOf(changes)));
  if (own.length < 2) return [];
  const [least, most] = [own[0], own.at(-1)];
  const grown = most.ours.p50 / least.ours.p50;
  const rows = (result) => JSON.stringify(result.rows);
  return [
    {
      goal: `${most.title}: p50 within ${GROUP_GROWTH_MOST} × of the smallest group's`,
      figure: `${grown.toFixed(2)} ×`,
      isMet: grown <= GROUP_GROWTH_MOST,
    },
    {
      goal: "Rows read and written by it independent of the sizes of group and team",
      figure: `${new Set(changes.map(rows)).size} kinds of counts`,
      isMet: new Set(changes.map(rows)).size === 1,
    },
  ];
}

const size = ({ gzipped }) => ({
  goal: `WebAssembly at most ${counted(WASM_GZIPPED_MOST)} bytes gzipped`,
  figure: counted(gzipped),
  isMet: gzipped <= WASM_GZIPPED_MOST,
});
