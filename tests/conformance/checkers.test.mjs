// Public SCIM checkers against the Worker on workerd: whatever they demand of a
// service provider, all of it. Run by `npm test -- conformance`, which installs
// them from requirements.txt and names their Python in the environment.
//
// Out of scope: what real identity providers send, which tests/exchanges holds.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { start } from "../e2e/support/workerd.mjs";

/**
 * What does not pass, by checker and name, with the reason. One that passes after all fails
 * the test too. Nothing of create, read, replace, list and delete may be here.
 */
const KNOWN = {
  "scim2-tester": {},
  // It skips what no ResourceType announces.
  "scim-sanity": {
    "Agent CRUD Lifecycle": "there are no agents",
    "AgenticApplication CRUD Lifecycle": "there are no agents",
    "Agent Rapid Lifecycle": "there are no agents",
  },
};

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

/** What a checker printed and its exit code, whether or not it was content. */
async function output(program, args, env = {}) {
  // Whatever it leaves behind stays out of the project.
  const options = { ...LIMITS, cwd: tmpdir(), env: { ...process.env, ...env } };
  const { stdout, stderr, code = 0 } = await run(join(BIN, program), args, options) //
    .catch((error) => error);
  assert.ok(stdout, `${program} printed nothing: ${stderr}`);
  assert.equal(typeof code, "number", `${program} was ended: ${stderr}`);
  return { stdout, stderr, code };
}

/** Holds checks, `{ name, ok }` each, to KNOWN; fewer than `least` means that it gave up early. */
function judge(t, checker, checks, least) {
  const known = KNOWN[checker];
  const passed = checks.filter((check) => check.ok);
  const failed = checks.filter((check) => !check.ok);
  const rest = Object.keys(known).length > 0 ? `, ${Object.keys(known).length} known not to` : "";
  t.diagnostic(`${checker}: ${passed.length} of ${checks.length} checks succeed${rest}`);
  const unexpected = failed.filter((check) => !Object.hasOwn(known, check.name));
  assert.deepEqual(unexpected, [], "checks that do not pass");
  const mended = Object.keys(known).filter((name) => !failed.some((check) => check.name === name));
  assert.deepEqual(mended, [], "known not to pass, but they do, or are gone");
  assert.ok(passed.length >= least, `only ${passed.length} of at least ${least} checks pass`);
}

/** The checks of scim2-tester on a team. */
async function scim2Tester({ baseUrl, key }) {
  const script = join(import.meta.dirname, "scim2_tester_json.py");
  const { stdout, stderr, code } = await output("python", [script], {
    SCIM_URL: baseUrl,
    SCIM_KEY: key,
  });
  assert.equal(code, 0, stderr);
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return lines.map((line) => ({ ...line, ok: line.status === "SUCCESS" }));
}

test("scim2-tester: every check succeeds", async (t) => {
  judge(t, "scim2-tester", await scim2Tester(team), 138);
});

test("scim2-tester, on a team with a schema of its own: every check succeeds", async (t) => {
  const extended = await server.team("extended");
  // What the checker itself cannot handle is left out: it fills decimals and dates with words that
  // its own model refuses, compares bytes with their base64, and has what is added to a list of an
  // extension replace the list.
  const attributes = ["string", "boolean", "integer", "reference"] //
    .map((type) => ({ name: `a${type}`, type }));
  const subAttributes = [{ name: "floor", type: "integer" }];
  attributes.push({ name: "desk", type: "complex", subAttributes });
  const urn = "urn:example:acme:1.0:Everything";
  const { status } = await server.fetch(`/teams/extended/v1/scim/schemas/${urn}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${extended.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ resourceTypes: ["User", "Group"], schema: { attributes } }),
  });
  assert.equal(status, 200);
  judge(t, "scim2-tester", await scim2Tester(extended), 175);
});

test("scim-sanity, strict: every check passes", async (t) => {
  const options = ["--strict", "--json-output", "--i-accept-side-effects"];
  const args = ["probe", team.baseUrl, "--token", team.key, ...options];
  const { stdout, code } = await output("scim-sanity", args);
  const { mode, results } = JSON.parse(stdout);
  assert.equal(mode, "strict");
  const checks = results.map((check) => ({ ...check, ok: check.status === "pass" }));
  judge(t, "scim-sanity", checks, 28);
  assert.equal(code, 0, stdout);
});

test("schemathesis: no answer of the team and operator API contradicts its description", async (t) => {
  // What an operator does to a team must not end the one whose admin is at work.
  const other = await server.team("other");
  assert.ok(other.key);
  const { body } = await server.call(team.admin, "POST", "/teams/acme/v1/service-tokens", {
    name: "login",
    scopes: ["sessions", "policy"],
  });
  const left = [
    // Not every body that the description allows can succeed: a name may be taken.
    "positive_data_acceptance",
    // These take a credential away from requests that the hook gives one again.
    "ignored_auth",
    "missing_required_header",
  ];
  const args = ["run", `${server.url}/openapi.json`, "--no-color", "--continue-on-failure"]
    .concat(["--exclude-checks", left.join()])
    // The one ends the credential in use, the other takes a body that no schema describes.
    .concat(["--exclude-operation-id", "leaveTeam", "--exclude-operation-id", "importTeam"])
    .concat(["--phases", "coverage,fuzzing", "--max-examples", "5"])
    .concat("--generation-deterministic");
  const { stdout, code } = await output("schemathesis", args, {
    ADMIN_TOKEN: team.admin,
    OPERATOR_TOKEN: server.bindings.OPERATOR_TOKEN,
    SERVICE_TOKEN: body.token,
    SCHEMATHESIS_HOOKS: "schemathesis_hooks",
    PYTHONPATH: import.meta.dirname,
    PYTHONDONTWRITEBYTECODE: "1",
  });
  t.diagnostic(`schemathesis: ${stdout.match(/\d[\d,]* generated/)?.[0]} cases`);
  assert.equal(code, 0, stdout);
  const [selected, all, tested] = stdout
    .match(/Selected: (\d+)\/(\d+)\s+Tested: (\d+)/)
    .slice(1)
    .map(Number);
  assert.deepEqual({ selected, tested }, { selected: all - 2, tested: all - 2 }, stdout);
});
