// One request at a time, for what is not timed: seeding, checks, rows.

/** Asks and reads the whole answer: `{ status, headers, text, body() }`. */
export async function ask(server, { method = "GET", path, headers, body }) {
  const response = await fetch(new URL(path, server.url), { method, headers, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: () => JSON.parse(text) };
}

/** The headers of a client with a key. */
export const bearer = (key) => ({
  authorization: `Bearer ${key}`,
  "content-type": "application/scim+json",
});
