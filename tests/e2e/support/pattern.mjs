// Does a JSON answer match the pattern an exchange expects?
// `tests/support/pattern.rs` is the same in Rust; the rules are in tests/exchanges/README.md.

/** What differs, one sentence a place; empty when `actual` matches. `undefined` is "no such key". */
export function differences(pattern, actual, place = "", found = []) {
  let fits;
  if (typeof pattern === "string" && pattern.startsWith("<") && pattern.endsWith(">")) {
    fits = fitsWord(pattern, actual);
  } else if (Array.isArray(pattern)) {
    fits = Array.isArray(actual) && actual.length === pattern.length;
    if (fits) pattern.forEach((item, i) => differences(item, actual[i], `${place}/${i}`, found));
  } else if (isObject(pattern)) {
    const names = Object.keys(pattern);
    if (names.length === 1 && names[0].startsWith("<")) {
      fits = fitsOperator(names[0], pattern[names[0]], actual);
    } else {
      fits = isObject(actual);
      if (fits) {
        for (const name of names)
          differences(pattern[name], own(actual, name), `${place}/${name}`, found);
      }
    }
  } else {
    fits = pattern === actual;
  }
  if (!fits) {
    const got = actual === undefined ? "nothing" : JSON.stringify(actual);
    found.push(`${place || "/"}: expected ${JSON.stringify(pattern)}, got ${got}`);
  }
  return found;
}

const matches = (pattern, actual) => differences(pattern, actual).length === 0;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const own = (object, name) => (Object.hasOwn(object, name) ? object[name] : undefined);

/** A special string. One that is not known never matches, so a slip shows. */
function fitsWord(word, actual) {
  const text = typeof actual === "string";
  switch (word) {
    case "<any>":
      return actual !== undefined;
    case "<absent>":
      return actual === undefined;
    case "<string>":
      return text;
    // RFC 7643 section 3.1: "bulkId" is reserved and never part of an id.
    case "<id>":
      return text && actual !== "" && !actual.includes("bulkId");
    case "<datetime>":
      return text && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(actual);
    default:
      return false;
  }
}

/** An object with one key that begins with `<`. */
function fitsOperator(name, operand, actual) {
  switch (name) {
    case "<not>":
      return !matches(operand, actual);
    case "<contains>":
      return typeof operand === "string" && typeof actual === "string" && actual.includes(operand);
    case "<length>":
      return Array.isArray(actual) && actual.length === operand;
    case "<unordered>":
      return (
        Array.isArray(operand) &&
        Array.isArray(actual) &&
        actual.length === operand.length &&
        assign(operand, actual)
      );
    case "<includes>":
      return Array.isArray(operand) && Array.isArray(actual) && assign(operand, actual);
    default:
      return false;
  }
}

/** Whether every pattern finds an item of its own. */
function assign([pattern, ...rest], items) {
  if (pattern === undefined) return true;
  return items.some((item, i) => matches(pattern, item) && assign(rest, items.toSpliced(i, 1)));
}

/** What every answer under `/scim` owes, whatever the story expects of it. `body` is `undefined` when empty. */
export function manners(status, header, body) {
  const found = [];
  if (body === undefined) {
    if (status >= 400) found.push("an error has a body");
    return found;
  }
  const kind = header("content-type");
  if (!["application/scim+json", "application/json"].includes(kind)) {
    found.push(`content-type: \`${kind}\` is not application/scim+json`);
  }
  if (status >= 400) {
    differences(
      {
        schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
        status: String(status),
        detail: "<string>",
      },
      body,
      "",
      found,
    );
    for (const name of isObject(body) ? Object.keys(body) : []) {
      if (!["schemas", "status", "scimType", "detail"].includes(name))
        found.push(`/${name}: not a member of an Error`);
    }
    return found;
  }
  // RFC 7643 section 3.1: meta.location is Content-Location, meta.version is ETag.
  const { id, meta } = isObject(body) ? body : {};
  for (const [field, names] of [
    ["location", ["location", "content-location"]],
    ["version", ["etag"]],
  ]) {
    if (id === undefined || meta?.[field] === undefined) continue;
    for (const name of names) {
      const got = header(name);
      if (got !== meta[field])
        found.push(`${name}: expected \`${meta[field]}\` (as /meta/${field}), got ${got}`);
    }
  }
  return found;
}
