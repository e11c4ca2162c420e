// `npm run deploy`: builds the Worker and deploys it with wrangler.
// Arguments after `--` go to `wrangler deploy`.

import { RELEASE, build } from "./build.mjs";
import { node22, nodeFirst, packaged } from "./setup.mjs";
import { Failure, main, run, say, start } from "./steps.mjs";

const SECRETS = ["OPERATOR_TOKEN", "SIGNING_SECRETS"];

await main(async () => {
  const base = process.env.BASE_URL ?? "";
  if (!/^https:\/\/[^/\s]+$/.test(base)) {
    throw new Failure(
      `BASE_URL is \`${base}\`: where will people reach the service?`,
      "BASE_URL=https://scim.example.com npm run deploy (https, no slash at the end)",
    );
  }
  await build(RELEASE);
  const cli = packaged("wrangler/bin/wrangler.js");
  const env = { ...nodeFirst(process.env), KAFKAMAN_BUILD: "done", WRANGLER_SEND_METRICS: "false" };
  const more = process.argv.slice(2);

  // A dry run uploads nothing, and `--secrets-file` brings the secrets along.
  if (!more.some((arg) => /^--(dry-run|secrets-file)/.test(arg))) {
    const remedy =
      "log in with `npx wrangler login`; set each with `npx wrangler secret put NAME`, as README.md,\n" +
      '            "Deploy", has them (the first one creates the Worker)';
    let listed;
    try {
      listed = await run(node22(), [cli, "secret", "list", "--format", "json"], { env, remedy });
    } catch (error) {
      error.message = `The secrets of the deployment cannot be read. ${error.message}`;
      throw error;
    }
    const missing = SECRETS.filter((name) => !listed.includes(`"${name}"`));
    if (missing.length > 0) {
      throw new Failure(`Not deployed: ${missing.join(" and ")} not set.`, remedy);
    }
  }
  say(`Deploying for ${base}`);
  const args = [cli, "deploy", "--var", `BASE_URL:${base}`, ...more];
  const { code } = await start(node22(), args, { env, stdio: "inherit", detached: false }).over;
  return code ?? 1;
});
