// Builds the Worker with worker-build, unless what is built is what the sources
// say. `npm run build` runs this, and so does `wrangler deploy` (wrangler.toml).

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT, main, run, say, step } from "./steps.mjs";
import { buildTools, nodeFirst, nodePackages, wasmToolchain } from "./setup.mjs";

/** The Worker that is served and deployed. */
export const RELEASE = { what: "The Worker", out: "build", features: [] };
/** The same with the routes that only the end-to-end suite may reach. */
export const TESTING = {
  what: "The testing Worker",
  out: "target/worker-testing",
  features: ["testing"],
};

const INPUTS = [
  "Cargo.toml",
  "Cargo.lock",
  "rust-toolchain.toml",
  "src",
  "schemas",
  "migrations",
  "templates",
];

/** A digest of everything that the build reads. */
function digest(features) {
  const hash = createHash("sha256").update(JSON.stringify(features));
  const add = (path) => {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(ROOT, path)))
      .update("\0");
  };
  for (const input of INPUTS) {
    const path = join(ROOT, input);
    if (!existsSync(path)) continue;
    if (!/^[a-z]+$/.test(input)) add(input);
    else {
      const files = readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.endsWith(".mjs"))
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(ROOT.length + 1));
      files.sort().forEach(add);
    }
  }
  return hash.digest("hex");
}

/** Node packages, the toolchain and the tools, and then the Workers asked for. */
export async function build(...workers) {
  const packages = nodePackages();
  // Awaited below; a failure must not count as unhandled until then.
  packages.catch(() => {});
  const stale = workers.filter((worker) => {
    const stamp = join(ROOT, worker.out, ".inputs");
    return !existsSync(stamp) || readFileSync(stamp, "utf8") !== digest(worker.features);
  });
  if (stale.length === 0) return packages;

  const tools = buildTools(packages);
  tools.catch(() => {});
  // Side by side: the crate compiles while its tools do. The first failure counts.
  await Promise.all([packages, tools, compile(stale, tools)]);
}

async function compile(workers, tools) {
  const toolchain = await wasmToolchain();
  const env = {
    ...process.env,
    ...toolchain.env,
    RUST_BACKTRACE: "0",
    // As worker-build sets it, so that its own run of cargo finds all done.
    WASM_BINDGEN_USE_JS_SYS: "1",
  };
  for (const { what, out, features } of workers) {
    const inputs = digest(features);
    const options = ["--locked", ...features.flatMap((name) => ["--features", name])];
    const cargo = ["build", "--lib", "--release", "--target", "wasm32-unknown-unknown"];
    const why = `compiling it to WebAssembly with ${toolchain.name}, about a minute at first`;
    await step(what, why, () =>
      run("cargo", [...cargo, ...options], { env, remedy: "see the compiler's message above" }),
    );
    const { workerBuild, env: named } = await tools;
    await step(what, `optimising and packing it into ${out}/`, async () => {
      const stamp = join(ROOT, out, ".inputs");
      rmSync(stamp, { force: true });
      await run(workerBuild, ["--release", "--out-dir", out, "--", ...options], {
        env: nodeFirst({ ...env, ...named }),
        remedy: "see the message above; after `rm -rf build target` everything begins afresh",
      });
      writeFileSync(stamp, inputs);
    });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  // `npm start` has built already when it starts wrangler, which runs this.
  if (process.env.KAFKAMAN_BUILD !== "done") {
    await main(async () => {
      await build(RELEASE);
      say("The Worker is in build/");
    });
  }
}
