// Our Worker with one route more, which tells how much memory the wasm has: that of the
// isolate's limit which a large answer can exhaust, and which nothing outside can see.
// Not what is timed.

const memories = [];

// The shim makes its instance while it is loaded, so this must be there before it.
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...given) {
    super(...given);
    memories.push(this.exports.memory);
  }
};

const ours = await import("../src/edge/guard.mjs");

export default {
  ...ours.default,
  fetch(request, ...more) {
    if (!request.url.endsWith("/-bench/wasm-bytes")) return ours.default.fetch(request, ...more);
    const bytes = memories.map(({ buffer }) => buffer.byteLength);
    return new Response(String(Math.max(...bytes)));
  },
};
export const { Team, Registry } = ours;
