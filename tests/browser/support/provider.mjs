// A real OpenID provider on loopback (npm's oidc-provider) that stands for
// OneLogin: people sign in on its own pages, with their address and any password.

import { createServer } from "node:http";
import Provider from "oidc-provider";
import { freePort } from "../../e2e/support/workerd.mjs";

/** Starts one for a kafkaman client; `stop()` ends it. */
export async function startProvider({ redirectUri }) {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const client = {
    client_id: "kafkaman",
    client_secret: "the-client-secret-of-the-suite-0001",
    redirect_uris: [redirectUri],
    response_types: ["code"],
    grant_types: ["authorization_code"],
  };
  const provider = new Provider(issuer, {
    clients: [client],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    // As OneLogin does: what a scope names stands in the ID token.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: ["a key of the suite"] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id, email_verified: true, name: id.split("@")[0] }),
    }),
  });
  const server = createServer(provider.callback());
  await new Promise((resolve) => server.listen(port, "localhost", resolve));
  return {
    issuer,
    client,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Signs in on the provider's pages, whichever of them it shows. */
export async function signInThere(page, issuer, address) {
  await page.waitForURL((url) => url.href.startsWith(`${issuer}/interaction`));
  await page.fill('input[name="login"]', address);
  await page.fill('input[name="password"]', "any");
  await page.click('button[type="submit"]');
  // It asks once whether kafkaman may know.
  await page.waitForURL((url) => !url.pathname.startsWith("/auth"));
  if (page.url().startsWith(`${issuer}/interaction`)) await page.click('button[type="submit"]');
}
