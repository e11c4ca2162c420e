// What the end-to-end suites send that `fetch` would not: a target as it stands,
// a body that stops half-way, a header twice; and credentials of our own making.

import { createHmac, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";

/** Nothing here may hang: an answer that takes longer is a failure. */
const ANSWER_MS = 10_000;

/** A request whose body is still open: `{ request, answer }`, to be written to and ended. */
export function open(server, method, path, headers = {}) {
  const { hostname, port } = new URL(server.url);
  const request = httpRequest({ hostname, port, method, path, headers, agent: false });
  const answer = new Promise((resolve, reject) => {
    const late = () => request.destroy(new Error(`${method} ${path}: no answer`));
    const timer = setTimeout(late, ANSWER_MS);
    request.once("close", () => clearTimeout(timer));
    // A refusal may come, and the connection go, before the body was sent.
    let answered = false;
    request.on("error", (error) => answered || reject(error));
    request.once("response", (response) => {
      answered = true;
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode: status, headers } = response;
        resolve({ status, headers, text, json: () => JSON.parse(text) });
      });
    });
  });
  // Whoever never asks for the answer is not to be told that there was none.
  answer.catch(() => {});
  return { request, answer };
}

/** Sends a request, its path untouched, and waits for the answer: `{ status, headers, text, json() }`. */
export function send(server, method, path, headers = {}, body = undefined) {
  const { request, answer } = open(server, method, path, headers);
  const text = body === undefined || Buffer.isBuffer(body) || typeof body === "string";
  request.end(text ? body : JSON.stringify(body));
  return answer;
}

/** The headers of a client with this key or token. */
export const bearer = (key) => ({
  authorization: `Bearer ${key}`,
  "content-type": "application/scim+json",
});

/** A User's body. */
export const person = (userName, more = {}) => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
  userName,
  ...more,
});

/** A PATCH's body. */
export const patch = (...Operations) => ({
  schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
  Operations,
});

/** A Group's body. */
export const group = (displayName, ...ids) => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
  displayName,
  members: ids.map((value) => ({ value })),
});

/**
 * A credential with a good tag that no object has heard of, in the layout of
 * `src/directory/credential.rs`. `version` and `secret` are the signing secret's;
 * `id`, in hexadecimal, is the credential's.
 */
export function mint(signingSecrets, team, { kind = "scim", version, secret, id } = {}) {
  const [number, encoded] = signingSecrets.split(",")[0].split(":");
  const prefix = `kfm_${kind}_`;
  const ours = id === undefined ? randomBytes(8) : Buffer.from(id, "hex");
  const head = Buffer.concat([Buffer.from([version ?? Number(number)]), ours, randomBytes(24)]);
  const tail = Buffer.from(team);
  const tag = createHmac("sha256", secret ?? Buffer.from(encoded, "base64url"))
    .update(Buffer.concat([Buffer.from(prefix), head, tail]))
    .digest()
    .subarray(0, 12);
  return prefix + Buffer.concat([head, tag, tail]).toString("base64url");
}
