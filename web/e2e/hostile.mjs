// Names and texts of a peer, and of programs here, that are made to do harm: in every view, in the palette, in
// toasts and in the page's title they are text, break nothing, and nothing is fetched from anywhere but the daemon.
import { accessible, assert, facts, fits, flow, go, shoot } from "./lib.mjs";

await flow(async (open) => {
  const page = await open("about:blank");
  const home = new URL(facts.url).host;
  const outside = [];
  page.on("request", (r) => !["data:", "blob:", "about:"].includes(new URL(r.url()).protocol) && new URL(r.url()).host !== home && outside.push(r.url()));
  page.on("dialog", (d) => outside.push("a dialog: " + d.message()));
  await page.goto(facts.url);
  const main = page.locator("main");
  const nav = page.getByRole("navigation", { name: "Main" });
  await nav.waitFor();
  // Of the elements that the texts name, the page itself uses none; nor has it addresses like theirs.
  const clean = async (where) => {
    const made = await page.evaluate(() => [...document.body.querySelectorAll("img[onerror], iframe, s, u, i, h1 h1, [onclick], style, script, a[href^='javascript:'], a[href^='data:'], img[src^='http']")].map((e) => e.outerHTML.slice(0, 120)));
    assert.deepEqual(made, [], where);
    assert.match(await page.title(), /groove$/, where);
    await fits(page, where);
  };
  const see = (what) => main.getByText(what).filter({ visible: true }).first().waitFor();
  for (const [width, height] of [[1440, 900], [360, 740]]) {
    await page.setViewportSize({ width, height });
    const at = (where) => `${where} at ${width} px`;
    await go(page, "Agents");
    await main.getByRole("button", { name: "Tree" }).click();
    await page.locator(".react-flow__node").first().waitFor();
    await see("<img src=x onerror");
    await clean(at("Tree"));
    await shoot(page, `hostile-tree-${width}`);
    await main.getByRole("button", { name: "List" }).click();
    await main.getByRole("link", { name: /^backend on <img src=x/ }).waitFor();
    await clean(at("List"));
    await main.getByRole("link", { name: /^backend on/ }).click();
    await see("Read-only:");
    await see("<b onclick=x>Tit</b>");
    await clean(at("A peer's agent"));
    await shoot(page, `hostile-remote-${width}`);
    await page.getByRole("button", { name: "Close the panel" }).click();
    await main.getByRole("link", { name: facts.long, exact: true }).click();
    for (const tab of ["Config", "Monitor", "Files", "Federation", "Chat"]) {
      await page.getByRole("tab", { name: tab }).click();
      await clean(at("The panel's " + tab));
    }
    await shoot(page, `hostile-panel-${width}`);
    await page.getByRole("button", { name: "Close the panel" }).click();
    await main.getByRole("link", { name: "frontend", exact: true }).click();
    const talk = page.getByRole("log", { name: "Conversation" });
    await talk.getByText(/<script>document\.title="bad"<\/script>.*⟨U\+202E⟩gnp\.exe/).first().waitFor();
    await talk.getByRole("button", { name: /Show all of it/ }).first().waitFor();
    await clean(at("Chat"));
    await shoot(page, `hostile-chat-${width}`);
    await page.getByRole("button", { name: "Close the panel" }).click();
    await go(page, "Jobs");
    await see("<h1>Job</h1>");
    await clean(at("Jobs"));
    await main.getByRole("link", { name: /<h1>Job/ }).first().click();
    await page.getByRole("log", { name: "Timeline" }).getByText("<script>document.title").first().waitFor();
    await clean(at("A job"));
    await shoot(page, `hostile-job-${width}`);
    await go(page, "Approvals");
    await see("<h2>Proposed</h2>");
    if (width < 760) await main.getByRole("button", { name: /Proposed/ }).first().click();
    await main.getByRole("article").first().waitFor();
    await clean(at("Approvals"));
    await shoot(page, `hostile-approvals-${width}`);
    for (const [name, text] of [["Projects", "frontend"], ["Dashboard", "Federation"], ["Audit", "frontend"], ["Settings", "<img src=x onerror"]]) {
      await go(page, name);
      await see(text);
      await clean(at(name));
      await shoot(page, `hostile-${name.toLowerCase()}-${width}`);
    }
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find or do" }).waitFor();
    await page.getByText("<h1>Job</h1>").last().waitFor();
    await clean(at("The palette"));
    await shoot(page, `hostile-palette-${width}`);
    await page.keyboard.press("Escape");
  }
  await page.setViewportSize({ width: 1440, height: 900 });

  // A toast with the peer's name, and a dialog.
  await go(page, "Settings");
  await main.getByRole("button", { name: "Unpair" }).click();
  const dialog = page.getByRole("dialog", { name: /^Unpair <img/ });
  await clean("The dialog");
  await accessible(page, "with hostile names");
  await dialog.getByRole("button", { name: /^Unpair/ }).click();
  await page.getByText(/<img src=x.* is unpaired/).waitFor();
  await clean("The toast");
  assert.deepEqual(outside, [], "something left for elsewhere");
});
