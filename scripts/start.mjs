// `npm start`: sets up what is missing, builds, and serves at localhost.
//
// PORT (8787) and STATE_DIR (.wrangler/state) are honoured.

import { randomBytes } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { RELEASE, build } from "./build.mjs";
import { node22, nodeFirst, packaged } from "./setup.mjs";
import { Failure, ROOT, end, main, say, start, step, whenInterrupted } from "./steps.mjs";

const SECRETS = join(ROOT, ".dev.vars");
/** How long wrangler may take to serve. It takes three seconds. */
const SERVING_MS = 60_000;

/** What wrangler says that is no news here: its banner, its hints, its list of bindings. */
const NOISE = [
  /wrangler \d|^[─-]+$|^\s*$|update available/,
  /^Your Worker|^Binding +Resource|^env\.|Using (secrets|vars) defined in/,
  /\[wrangler:info\]|^⎔|^Total Upload|custom build|No bindings found/,
  /`?Request\.cf`?|fetch the `?cf|Falling back to/i,
];

/** Makes the secrets of this clone that `.dev.vars` does not have yet. */
function localSecrets() {
  const there = existsSync(SECRETS) ? readFileSync(SECRETS, "utf8") : "";
  const make = {
    OPERATOR_TOKEN: () => randomBytes(32).toString("base64url"),
    SIGNING_SECRETS: () => `1:${randomBytes(32).toString("base64url")}`,
  };
  const missing = Object.keys(make).filter((name) => !new RegExp(`^${name}=`, "m").test(there));
  if (missing.length === 0) return;
  say(`Local secrets: writing ${missing.join(" and ")} to .dev.vars, which git ignores`);
  if (there === "") writeFileSync(SECRETS, "", { mode: 0o600 });
  chmodSync(SECRETS, 0o600);
  const lead = there === "" || there.endsWith("\n") ? "" : "\n";
  appendFileSync(SECRETS, lead + missing.map((name) => `${name}=${make[name]()}\n`).join(""));
}

function port() {
  const text = process.env.PORT || "8787";
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new Failure(
    `PORT is \`${text}\`.`,
    "give a number from 1 to 65535, or leave it unset for 8787",
  );
}

/** wrangler would quietly take another port. */
async function mustBeFree(port) {
  for (const host of ["127.0.0.1", "::1"]) {
    await new Promise((resolve, reject) => {
      const server = createServer();
      server.once("error", (error) => {
        if (error.code !== "EADDRINUSE") return resolve();
        reject(
          new Failure(
            `Port ${port} is taken.`,
            `PORT=${port + 1} npm start, or end what listens there`,
          ),
        );
      });
      server.listen(port, host, () => server.close(resolve));
    });
  }
}

function wrangler(port, url, state) {
  const env = {
    ...nodeFirst(process.env),
    KAFKAMAN_BUILD: "done",
    // Nothing is sent, looked up or asked, and no file outside the clone written.
    CI: "true",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
    WRANGLER_LOG_PATH: join(ROOT, ".wrangler/logs"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    CLOUDFLARE_DEV_REGISTRY_PATH: join(ROOT, ".wrangler/registry"),
    NO_UPDATE_NOTIFIER: "1",
  };
  const args = [
    "dev",
    "--local",
    "--port",
    port,
    "--inspector-port",
    "0",
    "--persist-to",
    state,
  ].concat(["--var", `BASE_URL:${url}`, "--var", "JURISDICTIONS:none", "--var", "LOG:all", "--show-interactive-dev-session=false"]);
  return start(node22(), [packaged("wrangler/bin/wrangler.js"), ...args.map(String)], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Waits until the server answers, whatever the answer. */
async function answers(url, server) {
  const deadline = Date.now() + SERVING_MS;
  let over = false;
  server.over.then(() => (over = true));
  while (Date.now() < deadline && !over) {
    try {
      await fetch(url, { signal: AbortSignal.timeout(5_000), redirect: "manual" });
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return false;
}

await main(async () => {
  const number = port();
  const url = `http://localhost:${number}`;
  const state = resolve(
    process.env.INIT_CWD ?? ".",
    process.env.STATE_DIR || join(ROOT, ".wrangler/state"),
  );
  await mustBeFree(number);
  await build(RELEASE);
  localSecrets();

  let serving = false;
  const held = [];
  const server = await step(
    `Serving at ${url}`,
    `starting workerd under wrangler, state in ${state}`,
    async () => {
      const child = wrangler(number, url, state);
      for (const [from, to] of [
        [child.stdout, process.stdout],
        [child.stderr, process.stderr],
      ]) {
        createInterface({ input: from }).on("line", (line) => {
          if (!serving) held.push(line);
          else if (!NOISE.some((pattern) => pattern.test(line))) to.write(`${line}\n`);
        });
      }
      if (!(await answers(url, child))) {
        await end(child);
        const remedy = "see wrangler's message above; `rm -rf build` and a new start begin afresh";
        throw new Failure(`The server did not start at ${url}.`, remedy, held.join("\n"));
      }
      return child;
    },
  );
  serving = true;
  whenInterrupted(() => {
    say("Stopping; the state stays");
    return 0;
  });

  const onPort = number === 8787 ? "" : `PORT=${number} `;
  say(`Ready at ${url}. Ctrl-C ends it.

         A team to try, from another terminal in this folder:
             ${onPort}npm run -s demo -- acme
         Then README.md, "Five minutes": the first member with curl, and what
         to enter at your identity provider. Each request is one line of JSON below.
`);
  const { code } = await server.over;
  // After Ctrl-C this is never reached: the signal's handler ends the script.
  throw new Failure(`wrangler ended by itself, with ${code}.`, "npm start", held.join("\n"));
});
