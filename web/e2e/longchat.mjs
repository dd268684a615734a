// A conversation of 10,000 messages opens at its end, draws a window of them and goes back page by
// page; a message of 200 kB shows its beginning.
import { assert, facts, flow, most, traced } from "./lib.mjs";

await flow(async (open, browser) => {
  const page = await open(facts.url);
  await page.getByRole("button", { name: "List" }).click();
  const { tasks } = await traced(browser, page, () => goThrough(page));
  console.log(JSON.stringify({ longest: most(tasks.map((t) => t.took)), cpu: most(tasks.map((t) => t.cpu)) }));
});

async function goThrough(page) {
  await page.getByRole("link", { name: "mine", exact: true }).click();
  const talk = page.getByRole("log", { name: "Conversation" });
  const huge = talk.getByText(/^huge 0123/);
  await huge.waitFor();
  const drawn = () => talk.getByText(/message \d+ of \d+/).count();
  assert.equal(await drawn(), 199, "the window");
  assert.ok((await huge.innerText()).length < 10_000, "the huge one is drawn whole");
  await talk.getByRole("button", { name: /Show all of it \(196 kB\)/ }).click();
  assert.ok((await huge.innerText()).length > 200_000, "the whole of it cannot be had");
  await talk.getByRole("button", { name: "Show the beginning only" }).click();
  await talk.getByRole("button", { name: /^Show earlier/ }).click();
  await page.waitForFunction(() => document.querySelectorAll("[role=log] > div").length >= 400);
  assert.equal(await drawn(), 399, "the page before it");
  const box = page.getByRole("textbox", { name: "Message to mine" });
  await box.fill("one more");
  await box.press("Enter");
  await talk.getByText("one more", { exact: true }).waitFor();
}
