// Each tab of the agent panel on a real agent: what it says, steered and interrupted; what it changed,
// in and out of its scope; its rules, the text of a peer to be reviewed; the federation tab from a
// message to its receipt and the end. Hostile text stays text.
import { accessible, ask, assert, facts, flow, shoot } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  const outside = [];
  page.on("request", (r) => r.url().includes("127.0.0.2:9") && outside.push(r.url()));
  const themes = async (name) => {
    for (const theme of ["light", "dark"]) {
      await page.evaluate((t) => (document.documentElement.dataset.theme = t), theme);
      await page.waitForFunction(() => !document.getAnimations().some((a) => a instanceof CSSTransition)); // colours on their way
      await accessible(page, `${name}, ${theme}`);
      await shoot(page, `panel-${name}-${theme}`);
    }
  };
  const tab = (name) => page.getByRole("tab", { name }).click();
  await page.getByRole("button", { name: "List" }).click();
  await page.getByRole("link", { name: "frontend", exact: true }).click();
  await page.getByRole("button", { name: "Tree" }).click();
  const talk = page.getByRole("log", { name: "Conversation" });
  const box = page.getByRole("textbox", { name: "Message to frontend" });
  await talk.waitFor();
  await page.keyboard.press("m");
  await page.locator("textarea:focus").waitFor(); // M leads to the composer
  assert.ok(await box.evaluate((e) => e === document.activeElement));
  const write = async (text, answer) => {
    await box.fill(text);
    await box.press("Enter");
    await talk.getByText(answer).last().waitFor();
  };

  // Hostile output of a program.
  await write("be bad", "[image picture http://127.0.0.2:9/seen.png]");
  assert.equal(await talk.locator("a[href^=javascript], img, script").count(), 0);

  // A turn is steered into, and interrupted.
  await box.fill("hang");
  await box.press("Enter");
  await talk.getByText("working on it").waitFor();
  await box.fill("steered");
  await page.getByRole("button", { name: "Steer" }).click();
  await talk.getByText("noted steered").waitFor();
  await box.fill("hang");
  await box.press("Enter");
  await talk.getByText("working on it").nth(1).waitFor();
  await page.getByRole("button", { name: "Interrupt" }).waitFor();
  await box.press("Escape");
  await page.keyboard.press(".");
  await page.getByRole("button", { name: "Interrupt" }).waitFor({ state: "detached" });

  // Files, in scope and out of it.
  await write("write api/new.go", "wrote");
  await write("write web/bad.ts", /wrote/);
  await tab("Files");
  const files = page.getByRole("region", { name: "Files changed" });
  await files.getByRole("button", { name: /bad\.ts.*out of scope/ }).click();
  const change = page.getByRole("region", { name: "Change of web/bad.ts" });
  await change.getByText("new", { exact: true }).waitFor();
  await page.getByText("out of scope", { exact: true }).last().waitFor();
  await files.getByRole("button", { name: /new\.go/ }).click();
  await page.getByText("in scope", { exact: true }).waitFor();
  assert.equal(await files.getByRole("button", { name: /new\.go.*out of scope/ }).count(), 0);
  await files.getByRole("button", { name: /bad\.ts/ }).click();
  await change.waitFor();
  await ask("more"); // a turn that changes more shows by itself
  await files.getByRole("button", { name: /later\.go/ }).waitFor();
  await change.getByText("more of it").waitFor();
  await themes("files");
  await files.getByRole("button", { name: "What it is told of itself" }).click();
  await page.getByRole("region", { name: "Briefing" }).getByText(/frontend/).first().waitFor();

  // Wide, by key, and remembered which tab it was.
  await files.getByRole("button", { name: /bad\.ts/ }).click();
  await page.keyboard.press("o");
  await page.waitForURL(/wide=true/);
  await change.getByText("new", { exact: true }).waitFor();
  await themes("wide");
  await page.keyboard.press("o");
  await page.waitForURL((u) => !u.search.includes("wide"));
  assert.equal(await page.getByRole("tab", { name: "Files" }).getAttribute("aria-selected"), "true");

  // Config: role, rules.
  await tab("Config");
  const config = page.getByRole("region", { name: "Config" });
  await config.getByText("api/**", { exact: true }).waitFor();
  await config.getByText("no sandbox").waitFor();
  await config.getByRole("button", { name: "Show its instructions" }).click();
  await config.getByRole("region", { name: "Instructions" }).waitFor();
  await config.getByRole("button", { name: "Add a rule" }).click();
  await config.getByRole("textbox", { name: "Pattern" }).fill("go test");
  await config.getByRole("button", { name: "Add as the first" }).click();
  const remove = config.getByRole("button", { name: "Remove the rule allow execute go test" });
  await remove.waitFor();
  await config.getByRole("button", { name: "Add a rule" }).click();
  await config.getByRole("combobox", { name: "What" }).selectOption("edit");
  await config.getByRole("textbox", { name: "Pattern" }).fill("[broken");
  await config.getByRole("button", { name: "Add as the first" }).click();
  await config.getByText("payload.invalid").waitFor();
  await config.getByRole("button", { name: "Leave it" }).click();
  await config.getByRole("button", { name: "Set one" }).click();
  await config.getByRole("textbox", { name: "Turns" }).fill("many");
  assert.ok(await config.getByRole("button", { name: "Set the budget" }).isDisabled());
  await config.getByRole("textbox", { name: "Turns" }).fill("100");
  await config.getByRole("button", { name: "Set the budget" }).click();
  await config.getByText("7 of 100").waitFor();
  await themes("config");
  await remove.click();
  await remove.waitFor({ state: "detached" });

  // Monitor: what the program does not say is said to be so.
  await tab("Monitor");
  const monitor = page.getByRole("region", { name: "Monitor" });
  assert.ok((await monitor.getByText("not reported").count()) > 2);
  await monitor.getByRole("cell", { name: "cancelled" }).first().waitFor();
  await monitor.getByRole("img", { name: /^How long turns took: median/ }).locator("canvas").waitFor();
  await themes("monitor");
  const [saved] = await Promise.all([page.waitForEvent("download"), monitor.getByRole("button", { name: "Save session 1 as Markdown" }).click()]);
  assert.equal(saved.suggestedFilename(), "frontend-1.md");
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Begin a new session" }).click();
  await monitor.getByRole("button", { name: "Save session 2 as Markdown" }).waitFor();

  // Federation: a message to a peer's agent, its receipt, its answer as a quote.
  await tab("Federation");
  const federation = page.getByRole("region", { name: "Federation" });
  await federation.getByText("Connected", { exact: true }).waitFor();
  await federation.getByText("<i>Invoices</i> API v2", { exact: true }).waitFor();
  await federation.getByText("no scope shown").first().waitFor();
  await page.getByRole("button", { name: "Send message" }).click();
  const dialog = page.getByRole("dialog", { name: "Write to vps" });
  await dialog.getByRole("combobox", { name: "To" }).selectOption("backend");
  await dialog.getByRole("textbox", { name: "Message" }).fill("keep issuedAt in UTC");
  await accessible(page, "the dialog");
  await dialog.getByRole("button", { name: "Send as you" }).click();
  await federation.getByText("answered", { exact: true }).waitFor();
  await federation.getByText(/echo keep issuedAt in UTC.*⟨U\+202E⟩gnp\.exe/).waitFor();
  await federation.getByText("0 sent / 0 received").waitFor(); // you wrote, not the agent
  await federation.getByText("all of the job: 1 sent / 1 received").waitFor();
  await federation.getByText(/^\d+(\.\d)? ms$/).waitFor();
  await themes("federation");

  // The peer's agent: read-only, and the way to write to it.
  await federation.getByRole("link", { name: /backend/ }).click();
  const remote = page.getByRole("region", { name: "backend on vps" });
  await remote.getByText("Read-only: vps decides what this agent does.").waitFor();
  await remote.getByText(/<b>Tit<\/b>/).first().waitFor();
  await remote.getByRole("log", { name: "Messages with it" }).getByText("keep issuedAt in UTC", { exact: true }).waitFor();
  assert.equal(await remote.locator("i, b, img, a[href^=javascript]").count(), 0);
  await themes("remote");
  await page.goBack();

  // Text of the peer in the agent's context is reviewed.
  await tab("Chat");
  await write("tell backend", "told");
  const quote = talk.getByRole("article").filter({ hasText: "echo do you return cents?" });
  await quote.getByText("Peer text: shown to the agent as a quote.").waitFor();
  await talk.getByRole("article").filter({ hasText: "frontend → backend on vps" }).getByText("answered").waitFor();
  await themes("chat");
  await page.getByText("Text of vps is not reviewed: automatic approval is off.").waitFor();
  await page.getByRole("button", { name: "Review", exact: true }).click();
  const review = page.getByRole("dialog", { name: "Text of vps in frontend" });
  await review.getByText(/echo do you return cents\?/).waitFor();
  assert.equal(await review.locator("img, a").count(), 0);
  await themes("review");
  await review.getByRole("button", { name: "I have read it" }).click();
  await page.getByText("is not reviewed").waitFor({ state: "detached" });

  // On a phone nothing is wider than it.
  await page.setViewportSize({ width: 360, height: 740 });
  for (const name of ["Chat", "Config", "Monitor", "Files", "Federation"]) {
    await tab(name);
    await page.getByRole("tabpanel").waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `${name} is ${wide} px wide on a phone of 360`);
    await shoot(page, `panel-phone-${name.toLowerCase()}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });

  // What is disconnected, and what that ends.
  await tab("Federation");
  await federation.getByText(/^1 sent \/ 1 received/).waitFor();
  await federation.getByText("all of the job: 2 sent / 2 received").waitFor();
  await page.getByRole("button", { name: "Disconnect" }).click();
  const parting = page.getByRole("dialog", { name: "Disconnect from vps?" });
  await parting.getByText(/frontend and there backend, docs can no longer write/).waitFor();
  await parting.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("tab", { name: "Federation" }).waitFor({ state: "detached" });
  await tab("Chat");
  await talk.waitFor();

  // An end asks first.
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Kill its program" }).click();
  await page.getByRole("dialog", { name: "Kill frontend?" }).getByRole("button", { name: "Kill frontend" }).click();
  await talk.or(page.getByText("It has ended (killed)")).first().waitFor();
  await page.getByText("It has ended (killed) and takes no more messages.").waitFor();
  assert.deepEqual(outside, [], "something was loaded that would phone home");
  assert.notEqual(await page.title(), "bad");
});
