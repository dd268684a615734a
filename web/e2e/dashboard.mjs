// The dashboard on turns that there were: what they took, by program, team and agent, over each
// time, and what the daemon takes itself. A turn that ends while it is looked at is in the figures.
import { accessible, ask, assert, facts, flow, shoot, wear } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Dashboard" }).click();
  const board = page.getByRole("region", { name: "Dashboard" });
  const card = (title) => board.locator("section, a").filter({ has: page.getByRole("heading", { name: title }) });

  // 5 turns of 4,945 tokens and $0.25 that were reported, 1 that was not.
  await card("Tokens, 24 h").getByText("24.7 k").waitFor();
  await card("Tokens, 24 h").getByText("5 of 6 turns reported them").waitFor();
  await card("Cost, 24 h").getByText("$1.25", { exact: true }).waitFor();
  await card("Turn time, median").getByText(/95 of 100 within \d+(\.\d)? m?s/).waitFor();
  await card("Agents running").getByText("0 of 3").waitFor();

  const rows = async () => (await board.getByRole("table", { name: "Tokens and cost" }).getByRole("row").allInnerTexts()).map((r) => r.replace(/\s+/g, " ").trim());
  await board.getByRole("img", { name: /^Tokens an hour: scripted program 24.7 k/ }).locator("canvas").waitFor();
  assert.deepEqual((await rows()).slice(1), ["scripted program 6 24725 $1.25", "all 6 24725 $1.25"]);
  const by = board.getByRole("group", { name: "Tokens by" });
  await by.getByRole("button", { name: "Team" }).click();
  await board.getByRole("row", { name: /^shop/ }).waitFor({ state: "attached" });
  assert.deepEqual((await rows()).slice(1), ["shop 5 24725 $1.25", "no team 1 not reported not reported", "all 6 24725 $1.25"]);
  const share = board.getByRole("group", { name: "Cost by" });
  for (const [name, texts] of [
    ["Agent", [/planner.*\$0\.75/, /tests.*\$0\.50/, /mute.*–/]],
    ["Program", [/scripted program.*\$1\.25/]],
    ["Job", [/no job.*\$1\.25/]],
  ]) {
    await share.getByRole("button", { name }).click();
    for (const text of texts) await card("Cost").getByRole("listitem").filter({ hasText: text }).first().waitFor();
  }

  // By keyboard a chart tells its buckets: the last has the turns.
  await board.getByRole("img", { name: /^Cost so far: \$1\.25/ }).focus();
  await page.keyboard.press("ArrowLeft");
  await board.getByRole("status").getByText(/Cost so far \$1\.25/).waitFor();
  await page.keyboard.press("Tab");

  // Contexts, the peer, the daemon.
  await card("Context fill").getByRole("listitem").filter({ hasText: /planner.*62 %/ }).waitFor();
  const federation = card("Federation");
  for (const [n, what] of [["1", "peer connected"], ["1", "remote agent"], ["2", "messages"], ["1", "active job"]]) {
    assert.equal(await federation.locator("div").filter({ has: page.locator("dt", { hasText: new RegExp(`^${what}$`) }) }).last().locator("dd").innerText(), n, what);
  }
  await federation.getByText(/^vps, \d+(\.\d)? ms$/).waitFor();
  const daemon = card("This daemon");
  for (const [name, value] of [["Memory", /MiB/], ["CPU, last", /%/], ["Durable write", /≤ [\d.]+ ms/], ["Store", /[KM]iB/], ["Audit chain", /intact/], ["Version", /./]]) {
    assert.match(await daemon.locator("div").filter({ has: page.locator("dt", { hasText: name }) }).last().locator("dd").innerText(), value, name);
  }
  const news = board.getByRole("list", { name: "Activity" });
  await news.getByText("You wrote to backend").waitFor();
  await news.getByText("You spawned planner").waitFor();
  await news.getByText("The bridge to vps is up").waitFor();

  // A turn that ends now is counted by itself.
  await ask("turn");
  await card("Tokens, 24 h").getByText("29.7 k").waitFor();
  await card("Cost, 24 h").getByText("$1.50", { exact: true }).waitFor();

  await page.getByRole("contentinfo").getByRole("link", { name: /^\$1\.(25|50) today$/ }).waitFor();

  // Each time, and one team.
  for (const [name, title] of [["1 h", "a minute"], ["7 d", "an hour"], ["30 d", "a day"]]) {
    await board.getByRole("group", { name: "How far back" }).getByRole("button", { name }).click();
    await board.getByRole("heading", { name: `Tokens ${title}, and cost so far` }).waitFor();
    await card(`Tokens, ${name}`).getByText("29.7 k").waitFor();
  }
  await board.getByRole("combobox", { name: "Team" }).selectOption("shop");
  await card("Tokens, 30 d").getByText("in 6 turns").waitFor();
  await card("Agents running").getByText("0 of 2").waitFor();

  const budget = card("Budget of shop");
  await budget.getByText("No bound: its agents may take together what their work takes.").waitFor();
  await budget.getByRole("button", { name: "Set one" }).click();
  await budget.getByRole("textbox", { name: "Cost" }).fill("20");
  await budget.getByRole("textbox", { name: "Turns" }).fill("100");
  await budget.getByRole("button", { name: "Set the budget" }).click();
  await budget.getByText("$1.50 of $20.00").waitFor();
  await budget.getByText("6 of 100").waitFor();
  await ask("late");
  await ask("turn");
  await budget.getByText("$1.75 of $20.00").waitFor();
  await budget.getByText("7 of 100").waitFor();
  await news.getByText("You spawned late").waitFor();

  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    await accessible(page, `Dashboard, ${theme}`);
    await shoot(page, `dashboard-few-${theme}`);
  }

  // One agent's figures in its panel.
  await page.goto(new URL("/agents/tests", page.url()).href);
  await page.getByRole("tab", { name: "Monitor" }).click();
  const monitor = page.getByRole("region", { name: "Monitor" });
  await monitor.getByRole("img", { name: "Tokens an hour: 9,890 in all" }).locator("canvas").waitFor();
  await monitor.getByRole("img", { name: "Cost so far: $0.50" }).locator("canvas").waitFor();
  await monitor.getByRole("img", { name: "Turns an hour: 2 in all" }).locator("canvas").waitFor();
  await monitor.getByRole("img", { name: /^How long turns took: median/ }).locator("canvas").waitFor();
  await monitor.getByText("$0.50 of $20.00").waitFor();
  await monitor.getByRole("img", { name: "Context fill after the last 2 turns of this session, now 62 %" }).waitFor();
  assert.equal(await monitor.getByRole("table").getByRole("row").count(), 3, "a turn's report is taken for another turn");
  await accessible(page, "Monitor");
  await shoot(page, "monitor-light");
});
