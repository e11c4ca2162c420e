// Builds the Worker, unless what is built is what the sources say. `npm run build` runs this, and so does `wrangler deploy` (wrangler.toml).

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT, main, run, say, step } from "./steps.mjs";
import { bindgenTool, nodeFirst, nodePackages, packaged, wasmToolchain } from "./setup.mjs";

/** The Worker that is served and deployed. */
export const RELEASE = { what: "The Worker", out: "build", features: [] };
/** The same with the routes that only the end-to-end suite may reach. */
export const TESTING = {
  what: "The testing Worker",
  out: "target/worker-testing",
  features: ["testing"],
};

const WASM_FILE = "wasm32-unknown-unknown/release/kafkaman_scim.wasm";
/**
 * The glue can make a new instance in place of one that trapped: `guard.mjs` asks it to.
 * And a trap goes through every frame of ours: it is no exception that Rust may catch.
 */
const BINDGEN = ["--target", "module", "--out-name", "index", "--no-typescript"].concat(
  "--experimental-reset-state-function",
  "--force-enable-abort-handler",
);
/**
 * What goes over the wire is compressed, so that counts. LLVM has optimised for size
 * already: the passes of `-Oz` that number locals anew or join functions take bytes
 * from the module and add them to its archive. Functions in the order of their names
 * bring the instances of one generic function within reach of each other.
 */
const SHRINK = [
  "--memory-packing",
  "--remove-unused-module-elements",
  "--duplicate-function-elimination",
  "--remove-unused-brs",
  "--optimize-instructions",
  "--code-folding",
  "--rse",
  "--vacuum",
  "--reorder-functions-by-name",
];
/** What the glue's handling of traps is made of. */
const FEATURES = "--enable-exception-handling";
/** KEEP_NAMES=1 leaves functions their names, for a profile. */
const NAMES = process.env.KEEP_NAMES ? "-g" : "--strip-debug";
const OPTIMISE = [FEATURES, ...SHRINK, "--strip-producers", NAMES];
const JOIN = ["--bundle", "--format=esm", "--external:./index_bg.wasm", "--log-level=warning"];

const INPUTS = [
  "Cargo.toml",
  "Cargo.lock",
  "rust-toolchain.toml",
  "src",
  "schemas",
  "migrations",
  "templates",
  "scripts/build.mjs",
];

/** A digest of everything that the build reads. */
function digest(features) {
  const hash = createHash("sha256").update(JSON.stringify([features, process.env.KEEP_NAMES]));
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
        .filter((entry) => entry.isFile() && entry.name !== "guard.mjs")
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

  const tools = bindgenTool(packages);
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
  };
  for (const { what, out, features } of workers) {
    const inputs = digest(features);
    const options = ["--locked", ...features.flatMap((name) => ["--features", name])];
    const cargo = ["build", "--lib", "--release", "--target", "wasm32-unknown-unknown"];
    const why = `compiling it to WebAssembly with ${toolchain.name}, about a minute at first`;
    await step(what, why, () =>
      run("cargo", [...cargo, ...options], { env, remedy: "see the compiler's message above" }),
    );
    const bindgen = await tools;
    await step(what, `optimising and packing it into ${out}/`, () => pack(bindgen, out, inputs));
  }
}

/**
 * From what cargo made to what is deployed: wasm-bindgen writes the glue, wasm-opt
 * makes the module small, esbuild joins the glue's files into one.
 */
async function pack(bindgen, out, inputs) {
  const folder = join(ROOT, out);
  const made = join(process.env.CARGO_TARGET_DIR || join(ROOT, "target"), WASM_FILE);
  const glue = mkdtempSync(join(ROOT, "target/glue-"));
  const remedy = "see the message above; after `rm -rf build target` everything begins afresh";
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await run(bindgen, [made, "--out-dir", glue, ...BINDGEN], { remedy });
    const module = join(folder, "index_bg.wasm");
    await run(packaged(".bin/wasm-opt"), [join(glue, "index_bg.wasm"), "-o", module, ...OPTIMISE], {
      env: nodeFirst(process.env),
      remedy,
    });
    const entry = join(glue, "index.js");
    // workerd imports a module of wasm by an ordinary import.
    const text = readFileSync(entry, "utf8").replaceAll("import source ", "import ");
    writeFileSync(entry, text);
    const joined = `--outfile=${join(folder, "index.js")}`;
    await run(packaged(".bin/esbuild"), [entry, joined, ...JOIN], { remedy });
    writeFileSync(join(folder, ".inputs"), inputs);
  } finally {
    rmSync(glue, { recursive: true, force: true });
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
