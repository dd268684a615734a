// The daemon is updated under an open page: what the page had not fetched yet is gone. The page says so and
// how to go on, and what is there goes on.
import { accessible, ask, assert, facts, flow, go, shoot } from "./lib.mjs";

await flow(async (open) => {
  const page = await open("about:blank");
  // A view that was not opened, nor fetched in time.
  await page.route(/assets\/view-/, (route) => route.fulfill({ status: 404 }));
  await page.goto(facts.url);
  await page.getByRole("navigation", { name: "Main" }).getByText("laptop").waitFor();
  const script = () => page.evaluate(() => document.querySelector("script[type=module]").getAttribute("src"));
  const before = await script();

  await ask("upgrade");
  const strip = page.getByRole("status").filter({ hasText: "groove was updated." });
  await strip.waitFor();
  await page.getByText("The daemon is not reachable.").waitFor({ state: "detached" });
  await page.unroute(/assets\/view-/);
  await go(page, "Settings");
  const note = page.getByRole("alert").filter({ hasText: "groove was updated." });
  await note.getByRole("button", { name: "Reload the page" }).waitFor();
  await accessible(page, "a page of another build");
  await shoot(page, "updated");
  await go(page, "Agents");
  await note.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "List" }).click();
  await page.getByRole("link", { name: "frontend", exact: true }).waitFor();
  await go(page, "Settings");
  await note.getByRole("button", { name: "Reload the page" }).click();
  await page.getByRole("heading", { name: "Paired machines" }).waitFor();
  assert.notEqual(await script(), before);
  assert.equal(await strip.count(), 0);
});
