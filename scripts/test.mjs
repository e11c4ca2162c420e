// `npm test`: the set-up that a fresh clone lacks, then every suite.
// `npm test -- lint native` runs the suites named, in that order.
//
// A suite's own output, its closing lines included, comes through unaltered.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { RELEASE, TESTING, build } from "./build.mjs";
import { install } from "./debian.mjs";
import { cCompiler, node22, nodeFirst, rust, wasmToolchain } from "./setup.mjs";
import { Failure, ROOT, ask, cached, endAll, main, run, say, step } from "./steps.mjs";

const cargo = (args, env = process.env) => run("cargo", args, { show: true, env });
const CHROME_ON_MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
const DENY = ["--", "-D", "warnings"];

/** Formatting, and both views of the crate: the native one and the Worker's. */
async function lint() {
  rust();
  await component("fmt", "rustfmt");
  await component("clippy", "clippy");
  await cCompiler();
  const { env } = await wasmToolchain();
  const wasm = ["--locked", "--target", "wasm32-unknown-unknown", "--features", "testing"];
  const checks = [
    () => cargo(["fmt", "--check"]),
    () => cargo(["clippy", "--locked", "--all-targets", ...DENY]),
    () => cargo(["clippy", ...wasm, ...DENY], { ...process.env, ...env }),
  ];
  // All of them, whatever the first says: one run shows everything there is to mend.
  const failures = [];
  for (const check of checks) await check().catch((error) => failures.push(error));
  if (failures.length > 1) {
    const lines = failures.map((error) => error.message).join(" ");
    throw new Failure(lines, "see the messages above");
  }
  if (failures.length > 0) throw failures[0];
}

async function component(command, name) {
  if (ask("cargo", [command, "--version"]) !== null) return;
  await step(`Rust's ${name}`, "downloading it with rustup", () =>
    run("rustup", ["component", "add", name], { remedy: `install ${name} for your toolchain` }),
  );
}

/** The protocol, the directory and the API, without a runtime. */
async function native() {
  rust();
  await cCompiler();
  await cargo(["test", "--locked"]);
}

/** The built Worker on workerd, `npm start` included. */
async function e2e() {
  await build(RELEASE, TESTING);
  await nodeTest("tests/e2e");
}

/** The pages, in a real browser. */
async function browser() {
  const [CHROMIUM] = await Promise.all([chromium(), build(TESTING)]);
  await nodeTest("tests/browser", { CHROMIUM });
}

/** A browser of the Chromium kind: CHROMIUM, or what is there, or Debian's. */
async function chromium() {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const all = [process.env.CHROMIUM, ...names, CHROME_ON_MACOS].filter(Boolean);
  const found = () => all.find((program) => ask(program, ["--version"]) !== null);
  if (!found()) await install(["chromium"], "Chromium, for the browser suite,");
  const program = found();
  if (program.includes("/")) return program;
  return ask("sh", ["-c", `command -v ${program}`]);
}

/** The public conformance checkers against the built Worker. */
async function conformance() {
  const [venv] = await Promise.all([python(), build(TESTING)]);
  await nodeTest("tests/conformance", { PYTHON: join(venv, "bin/python") });
}

async function nodeTest(folder, more = {}) {
  const files = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".test.mjs"));
  if (files.length === 0)
    throw new Failure(`${folder} has no *.test.mjs.`, "nothing is skipped silently");
  const paths = files.sort().map((name) => join(folder, name));
  // What runs under another test runner believes to be a part of it.
  const { NODE_TEST_CONTEXT, ...env } = { ...nodeFirst(process.env), ...more };
  await run(node22(), ["--test", "--test-reporter=spec", ...paths], { show: true, env });
}

/** A folder of Python packages for the checkers, one for all clones. */
async function python() {
  const file = join(ROOT, "tests/conformance/requirements.txt");
  const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
  const name = `conformance-${digest.slice(0, 12)}`;
  if (ask("python3", ["-c", "import venv, ensurepip"]) === null) {
    await install(["python3", "python3-venv"], "Python 3 with venv");
  }
  const remedy = "check that pip reaches its index: python3 -m pip download scim2-tester==0.5.2";
  // A venv names its own folder, so it is made in place; the stamp is what is renamed.
  const stamp = await cached(`${name}.ready`, (_unfinished, final) =>
    step("The conformance checkers", "installing them into a Python venv", async () => {
      const folder = final.replace(/\.ready$/, "");
      await run("python3", ["-m", "venv", "--clear", folder], { remedy });
      const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", file];
      await run(join(folder, "bin/python"), pip, { remedy });
    }),
  );
  return stamp.replace(/\.ready$/, "");
}

const SUITES = { lint, native, e2e, browser };
if (existsSync(join(ROOT, "tests/conformance"))) SUITES.conformance = conformance;

await main(async () => {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !Object.hasOwn(SUITES, name));
  if (unknown.length > 0) {
    throw new Failure(
      `No suite is called ${unknown.join(", ")}.`,
      `name some of: ${Object.keys(SUITES).join(", ")}`,
    );
  }
  const failed = [];
  for (const name of asked.length > 0 ? asked : Object.keys(SUITES)) {
    say(`Suite ${name}`);
    try {
      await SUITES[name]();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.output.trim()) console.error(`\n${error.output.trimEnd()}`);
      console.error(`\nerror: ${name}: ${error.message}`);
      if (error.remedy) console.error(`what to do: ${error.remedy}`);
      failed.push(name);
      await endAll();
    }
  }
  if (failed.length > 0) {
    say(`Failed: ${failed.join(", ")}. One alone: npm test -- ${failed[0]}`);
    return 1;
  }
  say("All suites passed");
});
