// An ambassador through the dialog: the contract in words before anything is asked, the job, and a
// message that crosses with its receipts.
import { accessible, assert, facts, flow, shoot, wear } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "Spawn an agent" });
  await dialog.getByRole("radio", { name: "Ambassador" }).first().click();
  const chips = dialog.getByRole("group", { name: "Remote agents" });
  await chips.getByRole("button", { name: /backend/, pressed: true }).waitFor();
  await dialog.getByRole("textbox", { name: "TTL in hours" }).fill("1,5");
  await dialog.getByRole("textbox", { name: "What should it do?" }).fill("Keep the invoice types the same");
  await dialog.getByRole("combobox", { name: "Directory" }).fill(facts.dir + "/shop");
  await dialog.getByRole("textbox", { name: "What should it do?" }).focus();
  await dialog.getByRole("radio", { name: /^Script/ }).click();
  await dialog.getByRole("textbox", { name: "Script to play" }).fill(facts.script);
  await dialog.getByRole("textbox", { name: "Scope" }).fill("docs/**");
  const contract = dialog.getByRole("article", { name: "Contract for vps" });
  await contract.getByText("asks to open a job: «Keep the invoice types the same»").waitFor();
  await contract.getByText("1 h 30 min after your yes").waitFor();
  await contract.getByText("ambassador-1, for its team").waitFor();
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    await accessible(page, `Spawn an ambassador, ${theme}`);
    await dialog.getByRole("radio", { name: "Ambassador" }).first().focus();
    await shoot(page, `spawn-${theme}`);
  }
  await dialog.getByRole("radio", { name: "Direct link" }).click();
  await dialog.getByRole("radio", { name: "Direct link", checked: true }).waitFor();
  await dialog.getByRole("radio", { name: "Ambassador" }).last().click();
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, "the dialog is wider than a phone");
  await shoot(page, "spawn-phone");
  await page.setViewportSize({ width: 1440, height: 900 });
  await dialog.getByRole("button", { name: "Spawn ambassador-1" }).click();
  await page.waitForURL(/agents\/ambassador-1/);
  const talk = page.getByRole("log", { name: "Conversation" });
  await page.getByRole("textbox", { name: "Message to ambassador-1" }).fill("tell backend@vps hello there");
  await page.keyboard.press("Enter");
  await talk.getByText("passed on").waitFor();
  const sent = talk.getByRole("article").filter({ hasText: "hello there" }).filter({ hasText: "vps" }).first();
  await sent.getByText(/answered|started|delivered/).first().waitFor();
  await talk.getByText("echo hello there").first().waitFor();
  await shoot(page, "ambassador-page");

  // A direct link is to one agent, and says so until one is chosen.
  await page.getByRole("button", { name: /Spawn agent/ }).click();
  await dialog.getByRole("radio", { name: "Docs" }).click();
  await dialog.getByRole("switch", { name: "Connect to peer" }).click();
  await dialog.getByRole("textbox", { name: "Script to play" }).fill(facts.script);
  await dialog.getByRole("textbox", { name: "Scope" }).fill("manual/**");
  await dialog.getByRole("status").getByText("A direct link is to one agent: choose it").waitFor();
  await chips.getByRole("button", { name: /backend/ }).click();
  await contract.getByText("docs-1 with vps").first().waitFor();
  await dialog.getByRole("button", { name: "Spawn docs-1" }).click();
  await page.waitForURL(/agents\/docs-1/);
});
