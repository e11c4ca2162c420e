// `npm run -s demo -- TEAM`: creates a team on the server that `npm start`
// serves, and prints one line of JSON with what an identity provider needs.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, ROOT, main } from "./steps.mjs";
import { createTeam } from "./team.mjs";

function operatorToken() {
  const file = join(ROOT, ".dev.vars");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const value = process.env.OPERATOR_TOKEN || text.match(/^OPERATOR_TOKEN=(.*)$/m)?.[1];
  if (!value)
    throw new Failure("No operator token: .dev.vars has none.", "npm start, which makes one");
  // Several may be in force, by name: `name:token,name:token`.
  return value
    .trim()
    .replace(/^(["'])(.*)\1$/, "$2")
    .split(",")[0]
    .trim()
    .replace(/^[\w-]+:/, "");
}

await main(async () => {
  const [team] = process.argv.slice(2);
  if (!team) throw new Failure("Which team?", "npm run -s demo -- acme");
  const url = `http://localhost:${process.env.PORT || "8787"}`;
  const token = operatorToken();
  try {
    console.log(JSON.stringify(await createTeam(url, token, team)));
  } catch (error) {
    if (error.cause?.code === "ECONNREFUSED" || /fetch failed/.test(error.message)) {
      throw new Failure(
        `Nothing answers at ${url}.`,
        "npm start, in another terminal (PORT=… for both alike)",
      );
    }
    if (error.status === 409) {
      throw new Failure(
        `Team \`${team}\` exists already, and its key was shown once: ${error.message}`,
        "take another name, or delete it: DELETE /operator/v1/teams/" + team,
      );
    }
    if (error.status === 401) {
      throw new Failure(
        `${url} does not take this operator token: ${error.message}`,
        "is it this clone's `npm start` that serves there? Its token stands in .dev.vars",
      );
    }
    throw new Failure(error.message, "see the server's log line for this request");
  }
});
