// Who is in a team that is measured: people as Okta and OneLogin send them. Everyone
// follows from a number, so that nothing needs to be remembered but ids. ASCII only: the requests go through Lua, which has bytes.

const USER = "urn:ietf:params:scim:schemas:core:2.0:User";

const GIVEN = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Tony"];
const FAMILY = ["Byron", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Allen", "Hoare"];
/** Digits of a number in names: all people's names are of one length or nearly. */
const DIGITS = 8;

/** What stands for a number in a request whose every sending makes somebody new. */
export const FRESH = "#".repeat(DIGITS);

/** A User's body. `number` may be `FRESH`. */
export function person(number, prefix = "person", more = {}) {
  const digits = String(number).padStart(DIGITS, "0");
  const pick = Number(number) || 0;
  const givenName = GIVEN[pick % GIVEN.length];
  const familyName = FAMILY[Math.floor(pick / GIVEN.length) % FAMILY.length];
  return {
    schemas: [USER],
    userName: userName(digits, prefix),
    externalId: externalId(digits, prefix),
    name: { givenName, familyName },
    displayName: `${givenName} ${familyName}`,
    emails: [{ value: email(digits, prefix), type: "work", primary: true }],
    active: true,
    ...more,
  };
}

const padded = (number) => String(number).padStart(DIGITS, "0");
export const userName = (number, prefix = "person") => `${prefix}.${padded(number)}@example.com`;
export const externalId = (number, prefix = "person") => `00u-${prefix}-${padded(number)}`;
export const email = (number, prefix = "person") => `${prefix}.${padded(number)}@mail.example.com`;
