// The user writes to an agent, its answer shows, a peer's message is marked as such and carries
// receipts, and a program's question is answered where it is asked.
import { assert, facts, flow } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  await page.getByRole("button", { name: "List" }).click();
  await page.getByRole("link", { name: "frontend", exact: true }).click();
  const box = page.getByRole("textbox", { name: "Message to frontend" });
  const talk = page.getByRole("log", { name: "Conversation" });
  await box.fill("hello");
  await box.press("Enter");
  await talk.getByText("hello", { exact: true }).waitFor();
  await talk.locator("strong", { hasText: "noted" }).waitFor();

  await box.fill("ask me first");
  await box.press("Enter");
  const question = talk.getByRole("article", { name: /Edit README/ });
  await question.getByRole("button", { name: "Approve" }).click();
  await question.waitFor({ state: "detached" });

  await page.getByRole("button", { name: "Close the panel" }).click();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find or do" }).fill("#");
  await page.keyboard.press("Enter");
  await page.getByRole("log", { name: "Timeline" }).waitFor();
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await page.getByRole("button", { name: "Close the job" }).click();
  await page.getByRole("button", { name: "Open anew" }).waitFor();
  assert.ok(true);
});
