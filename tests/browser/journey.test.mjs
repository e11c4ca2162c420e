// The customer's page (docs/configuring-scim-with-onelogin.md) clicked through in a
// real browser from beginning to end: an operator's link, single sign-on against a
// real OpenID provider, provisioning as OneLogin sends it, and a person who is
// suspended, refused, and back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "../e2e/support/workerd.mjs";
import { launch } from "./support/browser.mjs";
import { signInThere, startProvider } from "./support/provider.mjs";

const CORE = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const ADA = "ada@acme.example";

let server;
let provider;
let browser;
before(async () => {
  server = await start();
  const redirectUri = `${server.url}/teams/acme/sign-in/callback`;
  [provider, browser] = await Promise.all([startProvider({ redirectUri }), launch(server)]);
});
after(async () => {
  await browser?.close();
  await provider?.stop();
  await server?.stop();
});

const operator = (method, path, body) =>
  server.call(server.bindings.OPERATOR_TOKEN, method, `/operator/v1${path}`, body);

const ticked = (page) => page.locator(".steps li.done").allInnerTexts();

/** What OneLogin's provisioning sends, with the key that an admin pasted there. */
function oneLogin(key) {
  return async (method, path, body) => {
    const response = await server.fetch(`/scim/v2${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/scim+json",
        "user-agent": "OneLogin",
      },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null };
  };
}

test("from an operator's link to a person who is suspended and comes back", async (t) => {
  const admin = await browser.visit();
  const ada = await browser.visit();
  const base = `${server.url}/teams/acme`;
  let key;
  let scim;
  let adaId;
  // Each step stands on the one before.
  const step = async (name, run) => {
    let failed;
    await t.test(name, async () => {
      failed = true;
      await run();
      failed = false;
    });
    if (!failed) return;
    for (const { page } of [admin, ada]) {
      const text = await page.innerText("body").catch(() => "");
      t.diagnostic(`${page.url()}: ${text}`);
    }
    throw new Error(`“${name}” failed; the rest needs it`);
  };

  await step("a new team's admin comes by the operator's link", async () => {
    const made = await operator("POST", "/teams", {
      id: "acme",
      name: "Acme",
      admin: { name: "First Admin", email: "first@acme.example" },
      seats: 50,
    });
    assert.equal(made.status, 201);
    const person = { name: "Eve Admin", email: "eve@acme.example" };
    const link = await operator("POST", "/teams/acme/break-glass", person);
    await admin.page.goto(link.body.url);
    await admin.page.getByRole("button", { name: "Become an admin" }).click();
    await admin.page.waitForURL(`${base}/authentication`);
    const again = await server.fetch(new URL(link.body.url).pathname, { method: "POST" });
    assert.equal(again.status, 404, "the link works once");
  });

  await step("SCIM is refused until single sign-on stands", async () => {
    await admin.page.getByRole("button", { name: "Switch SCIM on" }).click();
    await admin.page.getByRole("alert").waitFor();
    assert.match(await admin.page.getByRole("alert").innerText(), /single sign-on/);
  });

  await step("single sign-on is configured, and tried", async () => {
    const { page } = admin;
    await page.getByLabel("Issuer URL").fill(provider.issuer);
    await page.getByLabel("Client ID").fill(provider.client.client_id);
    await page.getByLabel("Client secret").fill(provider.client.client_secret);
    await page.getByRole("button", { name: "Save OpenID Connect" }).click();
    await page.getByRole("link", { name: "Test sign-in" }).click();
    await signInThere(page, provider.issuer, "eve@acme.example");
    await page.getByRole("heading", { name: "It works" }).waitFor();
    assert.match(await page.innerText("main"), /knows you as eve@acme\.example[^]*That is Eve Admin/);
    await page.getByRole("link", { name: "Back to Authentication" }).click();
    assert.deepEqual(await ticked(page), ["Configure single sign-on"]);
  });

  await step("SCIM is switched on, and a key is shown once", async () => {
    const { page } = admin;
    await page.getByRole("button", { name: "Switch SCIM on" }).click();
    await page.getByText("SCIM is on", { exact: true }).waitFor();
    await page.getByLabel("Name of a new key").fill("OneLogin");
    await page.getByRole("button", { name: "Generate key" }).click();
    key = await page.getByLabel("SCIM API key", { exact: true }).inputValue();
    assert.match(key, /^kfm_scim_/);
    const baseUrl = await page.getByLabel("SCIM base URL").inputValue();
    assert.equal(baseUrl, `${server.url}/scim/v2`);
    await page.goto(`${base}/authentication`);
    assert.ok(!(await page.content()).includes(key), "never again");
    assert.equal((await ticked(page)).length, 3);
  });

  await step("the provider's probe ticks the list while the page is open", async () => {
    scim = oneLogin(key);
    const probe = await scim("GET", "/Users?startIndex=1&count=1");
    assert.equal(probe.status, 200);
    await admin.page.locator(".steps li.done", { hasText: "Your provider connects" }).waitFor();
    assert.match(await admin.page.locator(".steps").innerText(), /OneLogin/);
  });

  await step("users arrive live on the page", async () => {
    await admin.page.goto(base);
    const made = await scim("POST", "/Users", {
      schemas: [CORE],
      userName: ADA,
      name: { givenName: "Ada", familyName: "Byron" },
      displayName: "Ada Byron",
      emails: [{ value: ADA, type: "work", primary: true }],
    });
    assert.equal(made.status, 201);
    adaId = made.body.id;
    await admin.page.getByRole("link", { name: "Ada Byron" }).waitFor();
  });

  await step("the person signs in and finds what is theirs", async () => {
    const { page } = ada;
    await page.goto(`${base}/me`);
    await page.getByRole("link", { name: "Continue with single sign-on" }).click();
    await signInThere(page, provider.issuer, ADA);
    await page.waitForURL(`${base}/me`);
    const text = await page.innerText("main");
    assert.match(text, /Ada Byron/);
    assert.match(text, /email address is managed by your company's identity provider/);
    assert.match(text, /no password to change/);
    assert.match(text, /cannot leave on your own/);
    await page.goto(base);
    assert.equal(page.url(), `${base}/me`, "the admins' pages are not a developer's");
    await page.goto(`${base}/settings`);
    await page.getByRole("heading", { name: "For team admins" }).waitFor();
    await page.goto(`${base}/me`);
  });

  await step("suspended, they vanish from Members and are out on the next click", async () => {
    const Operations = [{ op: "replace", path: "active", value: false }];
    const done = await scim("PATCH", `/Users/${adaId}`, { schemas: [PATCH], Operations });
    assert.equal(done.status, 200);
    await admin.page.getByRole("link", { name: "Ada Byron" }).waitFor({ state: "detached" });
    await admin.page.getByRole("link", { name: "Suspended" }).click();
    await admin.page.getByRole("link", { name: "Ada Byron" }).waitFor();
    await ada.page.getByRole("link", { name: "Ada Byron" }).click();
    await ada.page.getByRole("heading", { name: "Sign in to acme" }).waitFor();
  });

  await step("sign-in is refused, with a clear page", async () => {
    await ada.page.getByRole("link", { name: "Continue with single sign-on" }).click();
    await ada.page.getByRole("heading", { name: "You could not be signed in" }).waitFor();
    assert.match(await ada.page.innerText("main"), /suspended/);
  });

  await step("reactivated, they are back with their role", async () => {
    await admin.page.getByRole("link", { name: "Ada Byron" }).click();
    await admin.page.getByLabel("Role").selectOption("billing");
    await admin.page.getByRole("button", { name: "Change role" }).click();
    const Operations = [{ op: "replace", path: "active", value: true }];
    await scim("PATCH", `/Users/${adaId}`, { schemas: [PATCH], Operations });
    await ada.page.goto(`${base}/me`);
    await ada.page.getByRole("link", { name: "Continue with single sign-on" }).click();
    await ada.page.waitForURL(`${base}/me`);
    assert.match(await ada.page.innerText("main"), /Billing/);
  });

  await step("what was refused stands in Provisioning, with what to do", async () => {
    await scim("POST", "/Users", { schemas: [CORE], userName: ADA });
    await admin.page.goto(`${base}/provisioning`);
    const problem = admin.page.locator(".problems li").first();
    assert.match(await problem.innerText(), /409[^]*exists in this team already[^]*Link the two/);
  });

  await step("an admin removes someone, after being told what happens", async () => {
    await admin.page.goto(`${base}/members/${adaId}`);
    await admin.page.getByRole("link", { name: "Remove from the team…" }).click();
    assert.match(await admin.page.innerText("main"), /signed out at once/);
    await admin.page.getByRole("button", { name: "Remove Ada Byron" }).click();
    await admin.page.getByRole("status").waitFor();
    await ada.page.getByRole("link", { name: "Ada Byron" }).click();
    await ada.page.getByRole("heading", { name: "Sign in to acme" }).waitFor();
  });

  await step("signing out ends the session", async () => {
    await admin.page.getByRole("button", { name: "Sign out" }).click();
    await admin.page.getByRole("heading", { name: "Signed out" }).waitFor();
    await admin.page.goto(base);
    await admin.page.getByRole("heading", { name: "Sign in to acme" }).waitFor();
  });

  await admin.close();
  await ada.close();
});
