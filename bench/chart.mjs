// The ratios to the limit as a picture: a bar for each operation and size, the limit
// being the line at 1. Plain SVG, readable in light and dark, and told in its title
// and description to whoever does not see it.

const WIDTH = 860;
const LABELS = 250;
const SCALE_MOST = 1.2;
const BAR = 9;
const GAP = 9;
const KEY = 110;
const TOP = 56;
const BOTTOM = 24;

const STYLE = `
    text { font: 12px system-ui, sans-serif; fill: #1c1f24; }
    .title { font-size: 15px; font-weight: 600; }
    .paper { fill: #ffffff; }
    .bar { fill: #1e60ba; }
    .ruler { stroke: #d5d9e0; }
    .limit { stroke: #1c1f24; stroke-dasharray: 4 3; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e8eaee; }
      .paper { fill: #14171c; }
      .bar { fill: #7ab0fa; }
      .ruler { stroke: #3a404a; }
      .limit { stroke: #e8eaee; }
    }`;

const escaped = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const counted = (number) => number.toLocaleString("en");
const x = (ratio) => LABELS + (Math.min(ratio, SCALE_MOST) / SCALE_MOST) * (WIDTH - LABELS - 60);

/** The chart of these results. */
export function chart(results) {
  const sizes = [...new Set(results.map(({ size }) => size))];
  // In the order of the largest team, which has most of them.
  const bySize = results.toSorted((a, b) => b.size - a.size);
  const names = [...new Set(bySize.map(({ name }) => name))];
  // The larger the team, the fuller the colour.
  const bar = (size, left, top, width, height) => {
    const opacity = ((sizes.indexOf(size) + 1) / sizes.length).toFixed(2);
    const place = `x="${left}" y="${top}" width="${width}" height="${height}"`;
    return `<rect class="bar" ${place} fill-opacity="${opacity}"/>`;
  };
  let y = TOP;
  const bars = names.map((name) => {
    const own = results.filter((result) => result.name === name);
    const middle = y + (own.length * BAR) / 2 + 4;
    const parts = [
      `<text x="${LABELS - 10}" y="${middle}" text-anchor="end">${escaped(own[0].title)}</text>`,
    ];
    for (const { size, ratio } of own) {
      parts.push(bar(size, LABELS, y, (x(ratio) - LABELS).toFixed(1), BAR - 1));
      y += BAR;
    }
    const last = own.at(-1).ratio;
    parts.push(`<text x="${(x(last) + 6).toFixed(1)}" y="${y}">${last.toFixed(2)}</text>`);
    y += GAP;
    return parts.join("\n  ");
  });
  const height = y + BOTTOM;
  const rulers = [0, 0.25, 0.5, 0.75, 1].map((ratio) => {
    const at = x(ratio).toFixed(1);
    const kind = ratio === 1 ? "limit" : "ruler";
    return (
      `<line class="${kind}" x1="${at}" x2="${at}" y1="${TOP - 4}" y2="${y}"/>\n  ` +
      `<text x="${at}" y="${y + 16}" text-anchor="middle">${ratio === 1 ? "the limit" : ratio}</text>`
    );
  });
  const keys = sizes.map((size, n) => {
    const left = LABELS + n * KEY;
    return `${bar(size, left, 32, 10, 10)}\n  <text x="${left + 15}" y="41">${counted(size)}</text>`;
  });
  const described = results.map(
    ({ title, size, ratio }) => `${title} at ${counted(size)}: ${ratio.toFixed(2)}`,
  );
  const frame = `viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${frame}>
  <title id="title">Throughput as a share of the limit's, by operation and size of the team</title>
  <desc id="description">${escaped(described.join("; "))}.</desc>
  <style>${STYLE}
  </style>
  <rect class="paper" width="${WIDTH}" height="${height}"/>
  <text class="title" x="16" y="22">Throughput as a share of the limit's, by the size of the team</text>
  ${[...rulers, ...keys, ...bars].join("\n  ")}
</svg>
`;
}
