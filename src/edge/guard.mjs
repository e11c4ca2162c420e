// The Worker's main module: what worker-build made, and a guard around it.
//
// A trap (a panic, memory exhausted) takes the whole wasm instance with it.
// worker-build's shim notices, by the `error` event of what nobody caught, and
// makes a new instance for the next call. But the promises that the old instance
// had yet to settle stay pending for ever, the trapped request's own among them,
// and so would their callers. Here they are all answered at once.
//
// In scope: that every request is answered and every alarm ends. Out of scope:
// what the answer is while the wasm lives, which is `src/edge.rs`'s.
//
// In the hot path this costs one Set entry, one timer and one promise a call.

import Worker, { Registry as WasmRegistry, Team as WasmTeam } from "../../build/index.js";

// What neither settles nor traps should not exist. Should it all the same (a call
// to an object whose machine vanished, say), the caller hears of it before it
// gives up by itself: identity providers wait 30 s and more.
const LAST_RESORT_MS = 25_000;
// A body on a slow line takes its time: 8 MiB at 256 kbit/s.
const UPLOAD_MS = 300_000;

/** How to reject each call that the wasm instance has not answered yet. */
const pending = new Set();

function abandonAll(reason) {
  for (const reject of pending) reject(reason);
  pending.clear();
}

// Nothing but wasm and its glue runs here, so whatever nobody caught has unwound
// through wasm frames, which leaves the instance unusable, a trap or not. The shim
// starts anew for a RuntimeError only, so everything else is told to it as one.
addEventListener("error", ({ error }) => {
  if (!(error instanceof WebAssembly.RuntimeError)) {
    const trap = new WebAssembly.RuntimeError(`uncaught in wasm: ${error}`);
    dispatchEvent(new ErrorEvent("error", { error: trap }));
    return;
  }
  abandonAll(error);
});

/**
 * Settles as `call` does, or rejects when the wasm instance that runs it is lost,
 * or after `patience` milliseconds. An object is called by the Worker, which
 * watches the clock for both.
 */
function settled(call, patience) {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`no answer in ${patience} ms`));
    const timer = patience && setTimeout(giveUp, patience);
    const leave = () => {
      clearTimeout(timer);
      pending.delete(reject);
    };
    pending.add(reject);
    Promise.try(call)
      .finally(leave)
      .then(resolve, (error) => {
        // Thrown through to here, it never was an event; others may hang on it.
        if (error instanceof WebAssembly.RuntimeError) abandonAll(error);
        reject(error);
      });
  });
}

/**
 * The answer where the wasm has none: SCIM's error, telling nothing of the inside.
 * It does not say that nothing was changed: a front call lost on its way back may
 * have been carried out by its object, wholly.
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

/**
 * A class of the shim with its entry points guarded. `patienceFor` says how long a
 * request may take; 0 leaves the clock to whoever called.
 */
function guarded(Inner, patienceFor) {
  class Guarded extends Inner {
    fetch(request) {
      const answer = settled(() => super.fetch(request), patienceFor(request));
      return answer.catch((error) => serverError(request, error));
    }
  }
  // An object that has no alarm must not seem to have one.
  if (Inner.prototype.alarm) {
    Guarded.prototype.alarm = function alarm(info) {
      return settled(() => Inner.prototype.alarm.call(this, info), LAST_RESORT_MS);
    };
  }
  return Guarded;
}

export default guarded(Worker, ({ body }) => (body ? UPLOAD_MS : LAST_RESORT_MS));
export const Team = guarded(WasmTeam, () => 0);
export const Registry = guarded(WasmRegistry, () => 0);
