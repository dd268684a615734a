// A month of turns: each width of a screen, each theme, no task that holds the page up.
import { accessible, assert, facts, flow, shoot, wear } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  await page.evaluate(() => {
    window.tasks = [];
    new PerformanceObserver((l) => l.getEntries().forEach((e) => window.tasks.push(Math.round(e.duration)))).observe({ entryTypes: ["longtask"] });
  });
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Dashboard" }).click();
  const board = page.getByRole("region", { name: "Dashboard" });
  const look = async (name, unit) => {
    await board.getByRole("group", { name: "How far back" }).getByRole("button", { name }).click();
    await board.getByRole("img", { name: new RegExp(`^Tokens ${unit}: Claude Code .*, 3 others `) }).locator("canvas").waitFor();
  };
  await look("30 d", "a day");
  await page.getByRole("group", { name: "Tokens by" }).getByRole("button", { name: "Agent" }).click();
  await board.getByRole("img", { name: /^Tokens a day: a-long-name.*, 6 others / }).waitFor();
  await page.getByRole("group", { name: "Tokens by" }).getByRole("button", { name: "Program" }).click();
  for (const [name, unit] of [["7 d", "an hour"], ["24 h", "an hour"]]) await look(name, unit);
  console.log(`long tasks, ms: ${(await page.evaluate(() => window.tasks.join(" "))) || "none"}`); // axe-core's own come later
  for (const [width, height] of [[1440, 900], [390, 844], [2560, 1300], [1180, 800]]) {
    await page.setViewportSize({ width, height });
    for (const theme of ["light", "dark"]) {
      await wear(page, theme);
      await page.waitForFunction((w) => [...document.querySelectorAll(".uplot")].every((e) => e.getBoundingClientRect().right <= w), width);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `it is ${wide} px wide on ${width}`);
      if (width === 1440) await accessible(page, `Long dashboard, ${theme}`);
      await shoot(page, width === 1440 ? `dashboard-${theme}` : `dashboard-${width}-${theme}`);
      if (facts.shots && width === 390) {
        await board.evaluate((e) => (e.scrollTop = 700));
        await shoot(page, `dashboard-${width}-${theme}-below`);
        await board.evaluate((e) => (e.scrollTop = 0));
      }
    }
  }
});
