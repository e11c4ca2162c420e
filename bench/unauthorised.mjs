// The operation that must cost nearly nothing: requests with keys that open nothing.

import { randomBytes } from "node:crypto";
import { bearer } from "./ask.mjs";
import { USERS } from "./scim.mjs";

const FORGERIES = 1_024;

/** Keys of the right form, for this team, whose tags nobody made. */
export function unauthorised({ key, people }) {
  const prefix = key.slice(0, key.lastIndexOf("_", "kfm_scim_".length) + 1);
  const forged = () => {
    const bytes = Buffer.from(key.slice(prefix.length), "base64url");
    // All but the version in front and the team's name at the end.
    randomBytes(32).copy(bytes, 1);
    return prefix + bytes.toString("base64url");
  };
  const requests = Array.from({ length: FORGERIES }, (_, n) => ({
    method: "GET",
    path: `${USERS}/${people[n % people.length].id}`,
    headers: bearer(forged()),
  }));
  const step = { label: "get", requests, status: 401, holds: (body) => body.status === "401" };
  return {
    name: "forged",
    title: "Forged keys",
    limit: ["unauthorised"],
    isRefused: true,
    steps: () => [step],
  };
}
