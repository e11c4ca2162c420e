// Every page as people have it: wide and narrow, light and dark, by keyboard, and
// for those who hear it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "../e2e/support/workerd.mjs";
import { fit } from "./support/axe.mjs";
import { launch } from "./support/browser.mjs";
import { startProvider } from "./support/provider.mjs";

const CORE = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const PEOPLE = [
  ["Ada", "Byron", "Research"],
  ["Grace", "Hopper", "Compilers"],
  ["Alan", "Turing", "Research"],
  ["Edsger", "Dijkstra", "Compilers"],
  ["Barbara", "Liskov", "Languages"],
  ["Katherine", "Johnson", "Flight"],
];

let server;
let browser;
let provider;
let ids;
let group;
before(async () => {
  server = await start();
  const redirectUri = `${server.url}/teams/acme/sign-in/callback`;
  [browser, provider] = await Promise.all([launch(server), startProvider({ redirectUri })]);
  await furnish();
});
after(async () => {
  await browser?.close();
  await provider?.stop();
  await server?.stop();
});

const operator = (method, path, body) =>
  server.call(server.bindings.OPERATOR_TOKEN, method, `/operator/v1${path}`, body);

/** A team with people, groups, someone suspended, someone deleted, and a problem. */
async function furnish() {
  const made = await operator("POST", "/teams", {
    id: "acme",
    name: "Acme",
    admin: { name: "Margaret Hamilton", email: "margaret@acme.example" },
    seats: 50,
  });
  const admin = (method, path, body) =>
    server.call(made.body.adminToken, method, `/teams/acme/v1${path}`, body);
  await admin("PUT", "/sso/oidc", {
    issuer: provider.issuer,
    clientId: provider.client.client_id,
    clientSecret: provider.client.client_secret,
  });
  await admin("POST", "/scim/enable");
  await admin("POST", "/service-tokens", { name: "login", scopes: ["sessions"] });
  await admin("PUT", "/scim/schemas/urn:example:acme:1.0:User", {
    resourceTypes: ["User"],
    schema: { name: "Acme", attributes: [{ name: "badge" }] },
  });
  const { key } = (await admin("POST", "/scim/keys", { name: "OneLogin" })).body;
  const scim = async (method, path, body) => {
    const headers = { authorization: `Bearer ${key}`, "user-agent": "OneLogin" };
    const type = { "content-type": "application/scim+json" };
    const init = { method, headers: { ...headers, ...type }, body: body && JSON.stringify(body) };
    const text = await (await server.fetch(`/scim/v2${path}`, init)).text();
    return text ? JSON.parse(text) : null;
  };
  ids = [];
  for (const [givenName, familyName, department] of PEOPLE) {
    const userName = `${givenName.toLowerCase()}@acme.example`;
    const made = await scim("POST", "/Users", {
      schemas: [CORE, ENTERPRISE],
      externalId: `ol-${ids.length}`,
      userName,
      displayName: `${givenName} ${familyName}`,
      name: { givenName, familyName },
      emails: [{ value: userName, type: "work", primary: true }],
      [ENTERPRISE]: { department },
    });
    ids.push(made.id);
  }
  for (const [displayName, members] of [["Engineering", [0, 1, 2, 3]], ["Research", [0, 2]]]) {
    const body = { schemas: [GROUP], displayName, members: members.map((at) => ({ value: ids[at] })) };
    group = (await scim("POST", "/Groups", body)).id;
  }
  const Operations = [{ op: "replace", path: "active", value: false }];
  await scim("PATCH", `/Users/${ids[4]}`, { schemas: [PATCH], Operations });
  await scim("DELETE", `/Users/${ids[5]}`);
  await scim("POST", "/Users", { schemas: [CORE], userName: "ada@acme.example" });
  await scim("GET", '/Users?filter=userName%20eq%20"ada@acme.example"');
  // What came is counted by the hour once the team's alarm has run.
  const headers = { authorization: `Bearer ${key}`, "x-testing-alarm": "1" };
  await server.fetch("/scim/v2/Users", { headers });
}

/** A browser in which the team's admin is signed in. */
async function admin(options) {
  const person = { name: "Margaret Hamilton", email: "margaret@acme.example" };
  const link = (await operator("POST", "/teams/acme/break-glass", person)).body.url;
  const visit = await browser.visit(options);
  await visit.page.goto(link);
  await visit.page.getByRole("button", { name: "Become an admin" }).click();
  await visit.page.waitForURL("**/authentication");
  return visit;
}

/** Every page by its name in the pictures. */
const PAGES = () => ({
  members: "",
  suspended: "?state=suspended",
  departed: "/departed",
  member: `/members/${ids[0]}`,
  remove: `/members/${ids[0]}/remove`,
  groups: "/groups",
  group: `/groups/${group}`,
  authentication: "/authentication",
  onelogin: "/guides/onelogin",
  okta: "/guides/okta",
  entra: "/guides/entra",
  provisioning: "/provisioning",
  audit: "/audit",
  settings: "/settings",
  me: "/me",
  "sign-in": "/sign-in",
  nothing: "/nothing",
});

for (const [kind, options] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  narrow: { colorScheme: "light", viewport: { width: 390, height: 844 } },
  "dark-narrow": { colorScheme: "dark", viewport: { width: 390, height: 844 } },
})) {
  test(`every page is fit for everybody, ${kind}`, async () => {
    const { page, close } = await admin(options);
    for (const [name, path] of Object.entries(PAGES())) {
      await page.goto(`${server.url}/teams/acme${path}`);
      await fit(page, `${name}-${kind}`);
    }
    await page.goto(`${server.url}/teams/acme/authentication`);
    await page.getByLabel("Name of a new key").fill(kind);
    await page.getByRole("button", { name: "Generate key" }).click();
    await page.getByRole("heading", { name: "Your new SCIM API key" }).waitFor();
    await fit(page, `key-${kind}`);
    await page.getByRole("button", { name: `Revoke ${kind}` }).click();
    await page.getByRole("status").waitFor();
    // A team that the operator suspended says so on its pages.
    await operator("POST", "/teams/acme/suspend");
    await page.goto(`${server.url}/teams/acme`);
    await fit(page, `team-suspended-${kind}`);
    await operator("POST", "/teams/acme/resume");
    // The operator's link, before it is used, and one that is good for nothing.
    const eve = { name: "Eve Operator", email: "eve@kafkaman.example" };
    const link = (await operator("POST", "/teams/acme/break-glass", eve)).body.url;
    await page.goto(link);
    await page.getByRole("button").first().waitFor();
    await fit(page, `link-${kind}`);
    await page.goto(link.slice(0, -4));
    await fit(page, `link-dead-${kind}`);
    await close();
  });
}

test("everything is reached by keyboard, and seen where one is", async () => {
  const { page, close } = await admin();
  for (const [name, path] of Object.entries(PAGES())) {
    await page.goto(`${server.url}/teams/acme${path}`);
    const count = await page.evaluate(() => {
      const visible = (node) => node.checkVisibility() && !node.disabled;
      const all = document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary");
      for (const [at, node] of [...all].filter(visible).entries()) node.dataset.key = at;
      return [...all].filter(visible).length;
    });
    const reached = new Set();
    for (let step = 0; step < count * 2 + 20; step += 1) {
      await page.keyboard.press("Tab");
      const [key, outline, html] = await page.evaluate(() => {
        const node = document.activeElement;
        return [node.dataset.key, getComputedStyle(node).outlineStyle, node.outerHTML.slice(0, 200)];
      });
      if (key !== undefined) {
        assert.notEqual(outline, "none", `${name}: where one is cannot be seen: ${html}`);
        reached.add(key);
      }
    }
    // One of a set of radio buttons stands for the others.
    assert.ok(reached.size >= count, `${name}: ${reached.size} of ${count} are reached`);
  }
  await close();
});

test("without JavaScript every form works", async () => {
  const { page, close } = await admin({ javaScriptEnabled: false });
  await page.goto(`${server.url}/teams/acme/members/${ids[1]}`);
  await page.getByLabel("Role").selectOption("billing");
  await page.getByRole("button", { name: "Change role" }).click();
  assert.match(await page.innerText("main"), /The role was changed[^]*Billing/);
  await page.goto(`${server.url}/teams/acme?search=GRACE`);
  assert.equal(await page.locator("tbody tr").count(), 1);
  await close();
});
