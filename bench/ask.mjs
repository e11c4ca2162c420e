// One request at a time, for what is not timed: seeding, checks, rows.

import { Failure } from "../scripts/steps.mjs";

/** Asks and reads the whole answer: `{ status, headers, text, body() }`. */
export async function ask(server, { method = "GET", path, headers, body }) {
  const response = await fetch(new URL(path, server.url), { method, headers, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: () => JSON.parse(text) };
}

/** The same, and a failure unless the answer has one of these statuses. */
export async function expect(statuses, server, request) {
  const answer = await ask(server, request);
  if (statuses.includes(answer.status)) return answer;
  const { method = "GET", path } = request;
  const told = `${answer.status}: ${answer.text.slice(0, 500)}`;
  throw new Failure(`${method} ${path} was answered ${told}.`, "mend the Worker, or bench/");
}

/** The headers of a client with a key. */
export const bearer = (key) => ({
  authorization: `Bearer ${key}`,
  "content-type": "application/scim+json",
});
