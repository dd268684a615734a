// The daemon dies under an open page: what was known stays readable and is marked as old, and
// when it is back the page goes on, with each message once. A session that was ended shows
// how to come in again.
import { ask, assert, facts, flow } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  await page.getByRole("button", { name: "List" }).click();
  await page.getByRole("link", { name: "frontend", exact: true }).click();
  const talk = page.getByRole("log", { name: "Conversation" });
  await ask("write");
  await talk.getByText("before it", { exact: true }).waitFor();
  await talk.getByText("echo before it", { exact: true }).waitFor();

  await ask("kill");
  await page.getByText("The daemon is not reachable.").waitFor();
  await talk.getByText("before it", { exact: true }).waitFor();
  await ask("start");
  await page.getByRole("button", { name: "Try now" }).click({ timeout: 2000 }).catch(() => {}); // it may have tried by itself
  await page.getByText("The daemon is not reachable.").waitFor({ state: "detached" });
  await talk.getByText("while it was away", { exact: true }).waitFor();
  await talk.getByText("echo while it was away", { exact: true }).waitFor();
  for (const text of ["before it", "echo before it", "while it was away", "echo while it was away"]) assert.equal(await talk.getByText(text, { exact: true }).count(), 1, text);

  await ask("out");
  await page.reload();
  await page.getByRole("heading", { name: "Run groove open" }).waitFor();
});
