// A message to a peer that is away waits in the outbox, says why, and can be called back; to
// disconnect names what waits.
import { accessible, facts, flow, shoot } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  await page.getByRole("button", { name: "List" }).click();
  await page.getByRole("link", { name: "frontend", exact: true }).click();
  await page.getByRole("tab", { name: "Federation" }).click();
  const federation = page.getByRole("region", { name: "Federation" });
  await federation.getByText("Redialling", { exact: true }).waitFor();
  for (const text of ["please keep it", "never mind"]) {
    await page.getByRole("button", { name: "Send message" }).click();
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.keyboard.press("Control+Enter");
    await federation.getByRole("listitem").filter({ hasText: text }).getByText("queued").waitFor();
  }
  await accessible(page, "a peer that is away");
  await shoot(page, "panel-outbox");
  const gone = federation.getByRole("listitem").filter({ hasText: "never mind" });
  await gone.getByRole("button", { name: "Cancel it" }).click();
  await gone.waitFor({ state: "detached" });
  await federation.getByRole("listitem").filter({ hasText: "please keep it" }).waitFor();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("dialog", { name: "Disconnect from vps?" }).getByRole("button", { name: "Disconnect with 1 waiting" }).click();
  await page.getByRole("tab", { name: "Federation" }).waitFor({ state: "detached" });
});
