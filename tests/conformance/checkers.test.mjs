// Public SCIM checkers against the Worker on workerd: whatever they demand of a
// service provider, all of it. Run by `npm test -- conformance`, which installs
// them from requirements.txt and names them in the environment.
//
// Out of scope: what real identity providers send, which tests/exchanges holds.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { start } from "../e2e/support/workerd.mjs";

const run = promisify(execFile);
const BIN = dirname(process.env.PYTHON);
const LIMITS = { maxBuffer: 64 << 20, timeout: 300_000 };

let server;
let team;
before(async () => {
  server = await start();
  team = await server.team("acme");
});
after(() => server?.stop());

/** What a checker printed, whether or not it was content. */
async function output(program, args, env = {}) {
  const options = { ...LIMITS, env: { ...process.env, ...env } };
  const { stdout, stderr } = await run(join(BIN, program), args, options).catch((error) => error);
  assert.ok(stdout, `${program} printed nothing: ${stderr}`);
  return stdout;
}

test("scim2-tester: every check succeeds", async (t) => {
  const printed = await output("scim2", ["--url", team.baseUrl, "test"], {
    SCIM_CLI_HEADERS: `Authorization: Bearer ${team.key}`,
  });
  const checks = printed.split(/^(?=[A-Z]+ \w+$)/m).filter((part) => /^[A-Z]+ \w+\n/.test(part));
  const others = checks.filter((check) => !check.startsWith("SUCCESS "));
  t.diagnostic(`scim2-tester: ${checks.length - others.length} of ${checks.length} checks succeed`);
  assert.deepEqual(others, []);
  // Fewer would mean that the checker gave up early, or saw less of /Schemas.
  assert.ok(checks.length >= 138, printed);
});

test("scim-sanity, strict: every check passes", async (t) => {
  const args = ["probe", team.baseUrl, "--token", team.key, "--i-accept-side-effects"];
  const printed = await output("scim-sanity", args);
  const summary = printed.match(/(\d+) passed(?:, (\d+) failed)?(?:, (\d+) \w+)*, (\d+) total/);
  assert.ok(summary, printed);
  t.diagnostic(`scim-sanity: ${summary[0]}`);
  assert.doesNotMatch(printed, /\[(FAIL|ERROR|WARN)\]/, printed);
  assert.ok(Number(summary[1]) >= 28, printed);
  // It skips what no ResourceType announces: agents.
  assert.match(printed, /All tests passed/, printed);
});
