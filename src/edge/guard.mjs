// The Worker's main module: what the runtime calls, and a guard around the wasm.
//
// In scope: that a request's head and body get into the wasm in one call, that what
// the wasm wants forwarded is, and that every request is answered and every alarm
// ends. Out of scope: what the answer is while the wasm lives, which is
// `src/edge.rs`'s.
//
// A trap (a panic, memory exhausted) takes the whole wasm instance with it. Then a
// new one is made, and whoever still waits for a promise of the old one is answered
// at once: it would stay pending for ever.

import * as wasm from "../../build/index.js";

// What neither settles nor traps should not exist. Should it all the same (an
// identity provider that keeps a connection open, say), the caller hears of it before
// it gives up by itself: identity providers wait 30 s and more.
const LAST_RESORT_MS = 25_000;

/** Bytes of a body that are read: what the largest endpoint takes, and one to tell. */
const BODY_BYTES = (8 << 20) + 1;
const NOTHING = new Uint8Array(0);

/** How many instances of the wasm there were before this one. */
let generation = 0;

/** How to reject each promise that the instance has not settled yet. */
const pending = new Set();

function startAnew(trap) {
  generation += 1;
  wasm.__wbg_reset_state();
  for (const reject of pending) reject(trap);
  pending.clear();
}

// Nothing but the wasm and its glue runs in a task of its own here, so whatever
// nobody caught has unwound through wasm frames, which leaves the instance unusable.
addEventListener("error", ({ error }) => startAnew(error));

/** Runs a call into the wasm; one that throws a trap costs the instance. */
function call(work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) startAnew(error);
    throw error;
  }
}

/** Settles as a promise of the wasm's does, or rejects when its instance is lost. */
function settled(promise) {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`no answer in ${LAST_RESORT_MS} ms`));
    const timer = setTimeout(giveUp, LAST_RESORT_MS);
    pending.add(reject);
    promise
      .finally(() => {
        clearTimeout(timer);
        pending.delete(reject);
      })
      .then(resolve, reject);
  });
}

/** A request's head as the wasm reads it, see `src/edge/convert.rs`. */
function headOf(request) {
  let head = `${request.method}\n${request.url}`;
  for (const [name, value] of request.headers) head += `\n${name}\n${value}`;
  return head;
}

/** A request's body, no further than the largest that any endpoint takes. */
async function bodyOf(request) {
  // A body of announced length is no longer than that, and the Worker has refused
  // what announces too much.
  if (request.headers.has("content-length")) return new Uint8Array(await request.arrayBuffer());
  const chunks = [];
  let length = 0;
  for await (const chunk of request.body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= BODY_BYTES) break;
  }
  const body = new Uint8Array(length);
  chunks.reduce((at, chunk) => (body.set(chunk, at), at + chunk.length), 0);
  return body.subarray(0, BODY_BYTES);
}

/**
 * The answer where the wasm has none: SCIM's error, telling nothing of the inside.
 * It does not say that nothing was changed: an answer lost on its way back may be of
 * a change that was carried out, wholly.
 */
function serverError(request, error) {
  // The same choice as in `edge/log.rs`.
  const given = request.headers.get("x-request-id") ?? request.headers.get("cf-ray") ?? "";
  const id = /^[\w.-]{1,64}$/.test(given) ? given : crypto.randomUUID();
  const fault = String(error);
  console.error(JSON.stringify({ part: "guard", requestId: id, status: 500, fault }));
  const body = {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
    status: "500",
    detail: "the service failed and could not answer; ask again",
  };
  return new Response(JSON.stringify(body), {
    status: 500,
    headers: {
      "content-type": "application/scim+json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": id,
    },
  });
}

export default {
  async fetch(request, env) {
    const head = headOf(request);
    try {
      const answer = call(() => wasm.fetch(request, head, env));
      if (answer instanceof Response) return answer;
      if (answer instanceof Promise) return await settled(answer);
      return await answer.fetch(request).catch((error) => {
        return settled(call(() => wasm.unreached(request, head, env, error)));
      });
    } catch (error) {
      return serverError(request, error);
    }
  },
};

/** An object of the wasm's as the runtime knows it. */
const object = (Inner) =>
  class {
    #made = [];
    #inner;
    #generation;

    constructor(state, env) {
      this.#made = [state, env];
    }

    /** The wasm's object: a new one in a new instance, since it keeps nothing. */
    get #object() {
      if (this.#generation !== generation) {
        this.#inner = new (Inner())(...this.#made);
        this.#generation = generation;
      }
      return this.#inner;
    }

    async fetch(request) {
      try {
        const body = request.body ? await bodyOf(request) : NOTHING;
        const answer = call(() => this.#object.fetch(headOf(request), body));
        return answer instanceof Promise ? await settled(answer) : answer;
      } catch (error) {
        return serverError(request, error);
      }
    }

    async alarm() {
      await settled(call(() => this.#object.alarm()));
    }
  };

export const Team = object(() => wasm.Team);
export const Registry = object(() => wasm.Registry);
