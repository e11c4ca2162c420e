// What a figure depends on besides the code that is measured: the machine, the versions
// of what runs, the size of what was built.

import { readFileSync } from "node:fs";
import { arch, cpus, platform, totalmem } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { packaged } from "../scripts/setup.mjs";
import { ROOT, ask } from "../scripts/steps.mjs";
import { program } from "./workerd.mjs";

/** `{ machine, versions, wasm }`, for figures to be read beside. */
export function facts() {
  const wasm = readFileSync(join(ROOT, "build/index_bg.wasm"));
  const cores = cpus();
  const isClean = ask("git", ["status", "--porcelain", "--untracked-files=no"]) === "";
  return {
    machine: {
      cpu: cores[0].model,
      cores: cores.length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${platform()} ${arch()}`,
    },
    versions: {
      workerd: ask(program(), ["--version"])?.replace(/^workerd /, ""),
      node: process.versions.node,
      commit: `${ask("git", ["rev-parse", "--short", "HEAD"])}${isClean ? "" : " and changes"}`,
      wrangler: JSON.parse(readFileSync(packaged("wrangler/package.json"), "utf8")).version,
    },
    wasm: { bytes: wasm.length, gzipped: gzipSync(wasm, { level: 9 }).length },
  };
}
