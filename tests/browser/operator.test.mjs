// The operator's page: signing in with the token, making a team, appointing its
// admin, suspending and resuming it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "../e2e/support/workerd.mjs";
import { fit } from "./support/axe.mjs";
import { launch } from "./support/browser.mjs";

let server;
let browser;
before(async () => {
  server = await start();
  browser = await launch(server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("an operator makes a team, appoints its admin, suspends it and lets it go on", async () => {
  const { page, close } = await browser.visit();
  await page.goto(`${server.url}/operator`);
  await fit(page, "operator-sign-in");
  await page.getByLabel("Operator token").fill("not the token, though long enough to be one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Operator token").fill(server.bindings.OPERATOR_TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("There is no team yet.").waitFor();

  const create = async (id) => {
    await page.getByLabel("Id", { exact: true }).fill(id);
    await page.getByLabel("Name", { exact: true }).last().fill("Acme");
    await page.getByLabel("First admin's name").fill("Ada Byron");
    await page.getByLabel("First admin's address").fill("ada@acme.example");
    await page.getByRole("button", { name: "Create team" }).click();
  };
  await create("acme");
  await page.getByRole("status").waitFor();
  await fit(page, "operator");
  await create("acme");
  assert.match(await page.getByRole("alert").innerText(), /exists/);

  await page.getByText("Appoint an admin").click();
  const row = page.getByRole("row", { name: /Acme/ });
  await row.getByLabel("Name").fill("Eve Admin");
  await row.getByLabel("Email address").fill("eve@acme.example");
  await row.getByRole("button", { name: "Make a break-glass link" }).click();
  const link = await page.getByLabel("Link", { exact: true }).inputValue();
  const eve = await browser.visit();
  await eve.page.goto(link);
  await eve.page.getByRole("button", { name: "Become an admin" }).click();
  await eve.page.waitForURL("**/authentication");

  await page.goto(`${server.url}/operator`);
  await page.getByRole("button", { name: "Suspend Acme" }).click();
  await page.getByRole("button", { name: "Resume Acme" }).waitFor();
  await eve.page.reload();
  assert.match(await eve.page.innerText("main"), /kafkaman suspended this team/);
  await page.getByRole("button", { name: "Resume Acme" }).click();
  await page.getByRole("button", { name: "Suspend Acme" }).waitFor();
  await page.getByRole("spinbutton", { name: "Seats of Acme" }).fill("7");
  await page.getByRole("button", { name: "Set the seats of Acme" }).click();
  await eve.page.goto(`${server.url}/teams/acme`);
  assert.match(await eve.page.innerText("main"), /2 of 7 seats/);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Operator token").waitFor();
  await eve.close();
  await close();
});
