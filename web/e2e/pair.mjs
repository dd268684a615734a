// Two users, two browsers: both name the other's address, see the same five words, say yes.
import { assert, facts, flow } from "./lib.mjs";

await flow(async (open) => {
  const pages = [await open(facts.urls[0]), await open(facts.urls[1])];
  for (const [i, page] of pages.entries()) {
    await page.getByRole("button", { name: "Pair a machine" }).first().click();
    await page.getByRole("textbox", { name: /Address/ }).fill(facts.bridges[1 - i]);
    await page.getByRole("textbox", { name: /Address/ }).press("Enter");
  }
  const words = await Promise.all(pages.map(async (page) => {
    await page.getByRole("list", { name: "The five words" }).waitFor();
    return page.getByRole("list", { name: "The five words" }).innerText();
  }));
  assert.equal(words[0], words[1]);
  await pages[0].getByRole("button", { name: "The same words" }).click();
  await pages[0].getByText("You said yes").waitFor();
  await pages[1].getByRole("button", { name: "The same words" }).click();
  for (const page of pages) await page.getByText(/^Paired with/).waitFor();
  await pages[0].getByRole("button", { name: "Done" }).click();
  await pages[0].getByRole("region", { name: "Peers" }).getByText("vps").waitFor();
});
