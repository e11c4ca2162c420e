// How a provider puts what it asks: paths, filters, bodies.

import { bearer } from "./ask.mjs";

const PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";

export const USERS = "/scim/v2/Users";
export const GROUPS = "/scim/v2/Groups";
export const BULK = "/scim/v2/Bulk";

/** The path of a search among Users. */
export const filter = (text) => `${USERS}?filter=${encodeURIComponent(text)}`;

/** Makes requests with this key: `(method, path, body)`. */
export function client(key) {
  const headers = bearer(key);
  return (method, path, body) => {
    const request = { method, path, headers };
    return body === undefined ? request : { ...request, body: JSON.stringify(body) };
  };
}

export const group = (displayName) => ({ schemas: [GROUP], displayName });

export const patch = (...Operations) => ({ schemas: [PATCH_OP], Operations });
export const addMembers = (...ids) =>
  patch({ op: "add", path: "members", value: ids.map((value) => ({ value })) });
export const removeMember = (id) =>
  patch({ op: "remove", path: "members", value: [{ value: id }] });

/** A bulk request that creates these people. */
export const bulk = (people) => ({
  schemas: [BULK_REQUEST],
  Operations: people.map((data, n) => ({ method: "POST", path: "/Users", bulkId: `b${n}`, data })),
});
