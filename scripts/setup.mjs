// Everything a build needs and a fresh clone lacks. Each part looks first
// whether it is there already; what can run side by side does.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { debianToolchain, install } from "./debian.mjs";
import { Failure, ROOT, ask, cached, run, say, step } from "./steps.mjs";

const WASM = "wasm32-unknown-unknown";
/** What wrangler asks for. */
const NODE_MIN = [22, 12];

/** A file of `node_modules`. */
export const packaged = (...path) => join(ROOT, "node_modules", ...path);

/** Installs the packages of package-lock.json, unless just these are there. */
export async function nodePackages() {
  const lock = createHash("sha256").update(readFileSync(join(ROOT, "package-lock.json")));
  const digest = lock.digest("hex");
  // npm removes the folder first, so an interrupted install leaves no stamp.
  const stamp = packaged(".kafkaman-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : ["npm", []];
  // No package here needs its install script, so none is run.
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--yes"];
  await step("Node packages", "installing wrangler, workerd, Node 22 and wasm tools", () =>
    run(program, [...first, ...args], {
      remedy: "see npm's message above; `npm ping` tells whether it reaches its registry",
    }),
  );
  writeFileSync(stamp, digest);
}

/** The Node that runs wrangler and the end-to-end suite. */
export function node22() {
  const pinned = packaged(".bin/node");
  if (existsSync(pinned)) return pinned;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) {
    return process.execPath;
  }
  throw new Failure(
    `Node ${process.versions.node} is too old for wrangler, and no Node 22 package exists for this machine.`,
    `install Node ${NODE_MIN.join(".")} or newer`,
  );
}

/** The environment in which `node` is the one above, for tools that are Node scripts. */
export const nodeFirst = (env) => ({
  ...env,
  PATH: `${dirname(node22())}${delimiter}${env.PATH}`,
});

/** Looks for a usable Rust; answers its version. */
export function rust() {
  let text = ask("rustc", ["--version"]);
  if (text === null && ask("rustup", ["--version"]) === null) {
    throw new Failure(
      "Rust is missing.",
      "install it with rustup (https://rustup.rs), open a new shell and start again",
    );
  }
  const wanted = manifest()
    .match(/^rust-version = "(\d+)\.(\d+)"/m)
    .slice(1)
    .map(Number);
  const found = text
    ?.match(/(\d+)\.(\d+)/)
    ?.slice(1)
    .map(Number);
  if (!found || found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
    throw new Failure(
      `Rust ${wanted.join(".")} or newer is needed, and ${text ?? "no toolchain"} is here.`,
      "rustup toolchain install stable --component clippy --component rustfmt",
    );
  }
  return text;
}

const manifest = () => readFileSync(join(ROOT, "Cargo.toml"), "utf8");

/**
 * The toolchain for wasm32: `{ name, env }`, `env` being what a wasm build
 * adds to its environment.
 *
 * rustup's, when it can fetch the target; else Debian's packages.
 * KAFKAMAN_TOOLCHAIN=rustup or =packages allows one of the two only.
 */
export async function wasmToolchain() {
  const route = process.env.KAFKAMAN_TOOLCHAIN ?? "";
  if (!["", "rustup", "packages"].includes(route)) {
    throw new Failure(
      `KAFKAMAN_TOOLCHAIN is \`${route}\`.`,
      "set it to `rustup` or `packages`, or leave it unset for whichever works",
    );
  }
  const name = rust();
  if (route === "packages") return debianToolchain();
  if (hasWasmTarget()) return { name, env: {} };
  const remedy =
    `rustup target add ${WASM} (with a toolchain that is not rustup's, install its standard ` +
    `library for ${WASM})\n            where only package registries are reachable: ` +
    "as root on Debian, KAFKAMAN_TOOLCHAIN=packages npm start";
  try {
    await step("Rust's wasm32 target", "downloading it with rustup", () =>
      run("rustup", ["target", "add", WASM], { remedy }),
    );
    return { name, env: {} };
  } catch (error) {
    if (!(error instanceof Failure) || route === "rustup") throw error;
    // The reason is worth a line even where the other route then works.
    const reason = error.output.trim().split("\n").pop() || error.message;
    say(`Rust's wasm32 target: rustup could not add it (${reason}); trying Debian's packages`);
    try {
      return await debianToolchain();
    } catch (second) {
      if (second instanceof Failure) second.remedy = `${remedy}\n            or: ${second.remedy}`;
      throw second;
    }
  }
}

function hasWasmTarget() {
  const folder = ask("rustc", ["--print", "target-libdir", "--target", WASM]);
  return folder && existsSync(folder) && readdirSync(folder).some((file) => /^libcore-/.test(file));
}

/** A C compiler: Rust links with it, and the native tests compile SQLite. */
export async function cCompiler() {
  if (ask("cc", ["--version"]) === null) await install(["gcc", "libc6-dev"], "A C compiler");
}

/** wasm-bindgen's command must be of the very version that Cargo.lock names. */
function wasmBindgenVersion() {
  const lock = readFileSync(join(ROOT, "Cargo.lock"), "utf8");
  return lock.match(/^name = "wasm-bindgen"\nversion = "(.*)"$/m)[1];
}

/**
 * wasm-bindgen's command, built without optimisation, which is the quickest way to
 * have it: it runs for a second. The cargo target folder is thrown away.
 */
export async function bindgenTool(packages) {
  await cCompiler();
  const version = wasmBindgenVersion();
  const folder = await cached(`wasm-bindgen-${version}`, async (unfinished) => {
    const target = join(unfinished, "target");
    const { RUSTFLAGS, CARGO_BUILD_TARGET, CARGO_ENCODED_RUSTFLAGS, ...env } = process.env;
    // Not --locked: its lock names a crate version that was withdrawn. Without its
    // default features it has no TLS, which only its test runner uses.
    const install = ["install", "wasm-bindgen-cli", "--version", `=${version}`, "--debug"].concat(
      ["--bin", "wasm-bindgen", "--no-default-features", "--root", unfinished, "--quiet"],
    );
    const why = "building it once for all clones, one to three minutes";
    await step(`wasm-bindgen ${version}`, why, () =>
      run("cargo", install, {
        env: {
          ...env,
          CARGO_TARGET_DIR: target,
          CARGO_PROFILE_DEV_DEBUG: "0",
          CARGO_INCREMENTAL: "0",
        },
        remedy: "see cargo's message above; a second start goes on from here",
      }),
    );
    rmSync(target, { recursive: true, force: true });
  });
  await packages;
  return join(folder, "bin", "wasm-bindgen");
}
