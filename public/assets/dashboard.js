// What the pages have beyond HTML: copying, and what happens live. Without it
// everything works, by reloading.

const LIVE_MS = 3_000;
// A page that nobody touches stops asking, so that its session can end.
const AWAKE_MS = 10 * 60_000;

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  });
}

let touched = Date.now();
for (const sign of ["pointermove", "keydown", "scroll"]) {
  addEventListener(sign, () => (touched = Date.now()), { passive: true });
}

/** Whether someone is about to use what would be replaced. */
const inUse = (part) => part.contains(document.activeElement) || part.querySelector("[open]");

async function refresh() {
  const parts = document.querySelectorAll("[data-live]");
  if (document.hidden || Date.now() - touched > AWAKE_MS) return;
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  // Signed out meanwhile: the next click says so.
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of parts) {
    const wanted = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (wanted && wanted.innerHTML !== part.innerHTML && !inUse(part)) {
      part.replaceChildren(...wanted.childNodes);
    }
  }
}

async function watch() {
  try {
    await refresh();
  } catch {
    // No network just now; the next time may have it.
  }
  setTimeout(watch, LIVE_MS);
}

// The answer to a form is not asked for again.
const isAnswer = document.querySelector(".secret, .notice.refusal");
if (document.querySelector("[data-live]") && !isAnswer) setTimeout(watch, LIVE_MS);
