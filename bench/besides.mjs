// Operations that are counted in rows and not timed: what a provider does seldom, and
// what kafkaman's own services ask. In the form of `operations.mjs`.

import { bearer, expect } from "./ask.mjs";
import { person } from "./people.mjs";
import { BULK, USERS, bulk, client } from "./scim.mjs";
import { TEAM } from "./seeding.mjs";

/** People that one bulk request makes. */
const BULK_PEOPLE = 100;

/** The operations besides, of a team of `seeding.mjs`'s on this server. */
export async function besides(server, team, operatorToken) {
  const scim = client(team.key);
  const about = (path) => `/teams/${TEAM}/v1${path}`;
  const { token } = await made(server, {
    method: "POST",
    path: `/operator/v1/teams/${TEAM}/service-tokens`,
    headers: json(operatorToken),
    body: JSON.stringify({ name: "rows", scopes: ["sessions", "policy"] }),
  });
  const service = (path, body) => ({
    method: "POST",
    path: about(path),
    headers: json(token),
    body: JSON.stringify(body),
  });
  const member = { id: team.people[0].id };
  const wish = { member, action: "sign_in_by_sso" };
  const begun = () => service("/sessions", { member, method: "saml" });
  const leaver = await made(server, scim("POST", USERS, person(0, "leaver")));
  const same = scim("PUT", `${USERS}/${team.people[0].id}`, person(team.people[0].n));
  const newcomers = Array.from({ length: BULK_PEOPLE }, (_, n) => person(n, "bulk"));
  // The first is the one that comes after a token's first use, which is noted.
  await made(server, begun());
  const session = { token: (await made(server, begun())).token };
  return [
    one("put-same", "PUT that changes nothing", same, 200),
    one("bulk", `Bulk that creates ${BULK_PEOPLE}`, scim("POST", BULK, bulk(newcomers)), 200),
    one("delete", "Delete", scim("DELETE", `${USERS}/${leaver.id}`), 204),
    one("policy", "What a member may do", service("/policy/decide", wish), 200),
    one("session", "A session begins", begun(), 201),
    one("session-ask", "A session is asked about", service("/sessions/introspect", session), 200),
    one("session-end", "A session ends", service("/sessions/end", session), 204),
  ];
}

const one = (name, title, request, status) => ({
  name,
  title,
  isPoint: true,
  steps: () => [{ label: name, requests: [request], status }],
});
const json = (token) => ({ ...bearer(token), "content-type": "application/json" });
const made = async (server, request) => (await expect([200, 201], server, request)).body();
