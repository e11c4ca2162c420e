// An OpenID provider on loopback that says whatever a test wants said: signed by
// ES256 or RS256, by a key that it publishes or another, or not at all.

import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { freePort } from "./workerd.mjs";

export const CLIENT = "kafkaman-client";

/** A key pair: `{ kid, alg, jwk, token(claims, header) }`. */
export function key(kid, alg) {
  const pair =
    alg === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...pair.publicKey.export({ format: "jwk" }), kid, use: "sig" };
  const token = (claims, header = {}) => {
    const signed = signingInput({ alg, kid, ...header }, claims);
    const privateKey = { key: pair.privateKey, dsaEncoding: "ieee-p1363" };
    return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
  };
  return { kid, alg, jwk, token };
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signingInput = (header, claims) => `${part(header)}.${part(claims)}`;

/** A token that nobody signed. */
export const unsigned = (claims) => `${signingInput({ alg: "none" }, claims)}.`;

/** A token signed by HMAC, the public key being the secret. */
export function hmac(own, claims) {
  const secret = createPublicKey({ key: own.jwk, format: "jwk" });
  const pem = secret.export({ format: "pem", type: "spki" });
  const signed = signingInput({ alg: "HS256", kid: own.kid }, claims);
  return `${signed}.${createHmac("sha256", pem).update(signed).digest("base64url")}`;
}

/** Starts one. `keys` is what it publishes, `idToken` what a code is good for. */
export async function paperProvider(keys) {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const provider = { issuer, keys, idToken: "", asked: [] };
  const answers = {
    "/.well-known/openid-configuration": () => ({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/certs`,
    }),
    "/certs": () => ({ keys: provider.keys.map(({ jwk }) => jwk) }),
    "/token": () => ({ access_token: "x", id_token: provider.idToken }),
  };
  const server = createServer((request, response) => {
    provider.asked.push(request.url);
    const answer = answers[request.url]?.();
    response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise((resolve) => server.listen(port, "localhost", resolve));
  provider.stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return provider;
}
