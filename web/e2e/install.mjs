// The page is a web app that a browser installs: manifest, icons in the sizes that they say. What starts
// without a bearer (the installed app, a new tab) shows "run groove open" and asks for nothing.
import { accessible, assert, facts, flow } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url);
  await page.getByRole("navigation", { name: "Main" }).waitFor();
  const devtools = await page.context().newCDPSession(page);
  const { errors, url } = await devtools.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  assert.ok(url.endsWith("/manifest.webmanifest"), url);
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  // A browser without a window of its own (as here) and an incognito one say that they never install.
  assert.deepEqual(installabilityErrors.map((e) => e.errorId).filter((e) => e !== "in-incognito"), []);

  const seen = await page.evaluate(async () => {
    const manifest = await (await fetch("/manifest.webmanifest")).json();
    const all = [...manifest.icons.map((i) => [i.src, i.sizes]), [document.querySelector("link[rel=apple-touch-icon]").getAttribute("href"), "180x180"]];
    const out = [];
    for (const [src, sizes] of all) {
      const answer = await fetch(src);
      const image = new Image();
      image.src = src;
      await image.decode();
      out.push([src, answer.headers.get("Content-Type"), sizes, `${image.naturalWidth}x${image.naturalHeight}`]);
    }
    return { out, purposes: manifest.icons.map((i) => i.purpose) };
  });
  for (const [src, type, said, is] of seen.out) if (src.endsWith(".png")) assert.deepEqual([type, is], ["image/png", said], src);
  assert.ok(seen.purposes.includes("maskable"));

  for (const path of ["/", "/approvals/abcdefgh", "/jobs"]) {
    const asked = [];
    const stranger = await open("about:blank");
    stranger.on("request", (r) => new URL(r.url()).pathname.startsWith("/api") && asked.push(r.url()));
    await stranger.goto(facts.origin + path);
    await stranger.getByRole("heading", { name: "Run groove open" }).waitFor();
    await stranger.getByText("groove open", { exact: true }).waitFor();
    await accessible(stranger, "without a bearer");
    assert.deepEqual(asked, []);
    await stranger.context().close();
  }
  // The bearer is the tab's: a second tab of the same browser has none.
  const tab = await page.context().newPage();
  await tab.goto(facts.origin + "/agents");
  await tab.getByRole("heading", { name: "Run groove open" }).waitFor();
});
