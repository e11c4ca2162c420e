// The ratios to the limit as a picture: a bar for each operation and size, the limit
// being the line at 1. Plain SVG, readable in light and dark, and told in its title
// and description to whoever does not see it.

const WIDTH = 860;
const LABELS = 250;
const SCALE_MOST = 1.2;
const BAR = 9;
const GAP = 9;
const TOP = 56;
const BOTTOM = 24;

const STYLE = `
    svg { --paper: #ffffff; --ink: #1c1f24; --faint: #d5d9e0; --bar: 30, 96, 186; }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #14171c; --ink: #e8eaee; --faint: #3a404a; --bar: 122, 176, 250; }
    }
    text { font: 12px system-ui, sans-serif; fill: var(--ink); }
    .title { font-size: 15px; font-weight: 600; }
    .paper { fill: var(--paper); }
    .faint { stroke: var(--faint); }
    .limit { stroke: var(--ink); stroke-dasharray: 4 3; }`;

const escaped = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const counted = (number) => number.toLocaleString("en");
const x = (ratio) => LABELS + (Math.min(ratio, SCALE_MOST) / SCALE_MOST) * (WIDTH - LABELS - 60);

/** The chart of these results. */
export function chart(results) {
  const sizes = [...new Set(results.map(({ size }) => size))];
  const names = [...new Set(results.map(({ name }) => name))];
  // The larger the team, the fuller the colour.
  const fill = (size) => `rgba(var(--bar), ${(sizes.indexOf(size) + 1) / sizes.length})`;
  let y = TOP;
  const bars = names.map((name) => {
    const own = results.filter((result) => result.name === name);
    const middle = y + (own.length * BAR) / 2 + 4;
    const parts = [
      `<text x="${LABELS - 10}" y="${middle}" text-anchor="end">${escaped(own[0].title)}</text>`,
    ];
    for (const { size, ratio } of own) {
      const width = (x(ratio) - LABELS).toFixed(1);
      parts.push(
        `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR - 1}" style="fill: ${fill(size)}"/>`,
      );
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
    const kind = ratio === 1 ? "limit" : "faint";
    return (
      `<line class="${kind}" x1="${at}" x2="${at}" y1="${TOP - 4}" y2="${y}"/>\n  ` +
      `<text x="${at}" y="${y + 16}" text-anchor="middle">${ratio === 1 ? "the limit" : ratio}</text>`
    );
  });
  const keys = sizes.map(
    (size, n) =>
      `<rect x="${LABELS + n * 110}" y="32" width="10" height="10" style="fill: ${fill(size)}"/>\n  ` +
      `<text x="${LABELS + n * 110 + 15}" y="41">${counted(size)}</text>`,
  );
  const described = results.map(({ title, size, ratio }) => `${title} at ${counted(size)}: ${ratio.toFixed(2)}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description">
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
