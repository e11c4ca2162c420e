// What the wasm calls of JavaScript, in as few calls as it can be: every call out of
// the wasm and back costs, and a request would make hundreds of small ones.
//
// In scope: packing and unpacking, and what has to be awaited of another server. Out of
// scope: everything else.

/** Rows that are handed over in one portion, so that no answer is in memory twice. */
const PORTION_ROWS = 256;

/** Where the cells of a portion begin. */
const CELLS = 4;

/**
 * Names of headers as answers have them, by the text that they come in. There are as
 * many as there are kinds of answers. An object whose keys are always the same strings
 * is made in a fraction of the time that one takes whose keys are new each time.
 */
const layouts = new Map();

/**
 * A response. `names` and `values` are its headers', a line each: several of one name
 * (cookies) stay several.
 */
export function respond(status, names, values, body) {
  let layout = layouts.get(names);
  if (layout === undefined) {
    layout = names === "" ? [] : names.split("\n");
    layouts.set(names, layout);
  }
  const given = values.split("\n");
  // An object, which the runtime reads in a quarter of the time of a list of pairs.
  const headers = {};
  for (let i = 0; i < layout.length; i++) headers[layout[i]] = given[i];
  // The runtime refuses a body, be it empty, for some statuses. The bytes are the
  // wasm's memory, which others write to before the answer is sent.
  const response = new Response(body.length > 0 ? body.slice() : null, { status, headers });
  const last = layout.lastIndexOf("set-cookie");
  for (let i = layout.indexOf("set-cookie"); i < last; i++) {
    if (layout[i] === "set-cookie") response.headers.append("set-cookie", given[i]);
  }
  return response;
}

/**
 * Runs a statement. Answers the first portion of its rows, as one array: how many
 * columns, rows read, rows written, the rows that are left (or nothing), then the
 * cells, row after row.
 */
export function exec(sql, statement, parameters) {
  const cursor = sql.exec(statement, ...parameters);
  return portion(cursor, cursor.raw());
}

/** The next portion of `left`, what a portion had at its place. */
export function more({ cursor, rows }) {
  return portion(cursor, rows);
}

function portion(cursor, rows) {
  const cells = [0, 0, 0, undefined];
  let count = 0;
  for (let row = rows.next(); !row.done; row = rows.next()) {
    cells[0] = row.value.length;
    cells.push(...row.value);
    count += 1;
    if (count === PORTION_ROWS) {
      cells[3] = { cursor, rows };
      break;
    }
  }
  cells[1] = cursor.rowsRead;
  cells[2] = cursor.rowsWritten;
  return cells;
}

/**
 * What an address answers, as its status and its text: to a GET, or to a POST of
 * `body`. It is given up after `patience` milliseconds, and beyond `bytesMost`. Nobody
 * but the address that was checked is asked.
 */
export async function ask(url, authorization, body, patience, bytesMost) {
  const headers = new Headers({ accept: "application/json" });
  if (authorization !== undefined) headers.set("authorization", authorization);
  const isPost = body !== undefined;
  if (isPost) headers.set("content-type", "application/x-www-form-urlencoded");
  const answer = await fetch(url, {
    method: isPost ? "POST" : "GET",
    headers,
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(patience),
  });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    length += chunk.length;
    if (length > bytesMost) throw new RangeError("the answer is too long");
    text += decoder.decode(chunk, { stream: true });
  }
  return [answer.status, text + decoder.decode()];
}

/** How many rows a portion has. */
export function rows(portion) {
  return portion[0] === 0 ? 0 : (portion.length - CELLS) / portion[0];
}

/** A cell that should be a number: not a number for NULL, infinite for anything else. */
export function number(portion, index) {
  const cell = portion[index];
  if (cell === null) return Number.NaN;
  return typeof cell === "number" ? cell : Number.POSITIVE_INFINITY;
}

/** A cell that should be text: nothing for NULL. */
export function text(portion, index) {
  const cell = portion[index];
  if (cell === null) return undefined;
  if (typeof cell === "string") return cell;
  throw new TypeError("a column holds no text where text was read");
}

/** A cell that should be bytes: nothing for NULL. */
export function bytes(portion, index) {
  const cell = portion[index];
  return cell === null ? undefined : new Uint8Array(cell);
}
