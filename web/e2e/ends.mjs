// A session ends: it is revoked, or ran out. The page says how to come in again, and asks for nothing more.
import { accessible, ask, assert, facts, flow, go } from "./lib.mjs";

await flow(async (open) => {
  const page = await open(facts.url, { clock: true });
  const asked = [];
  page.on("request", (r) => r.url().includes("/api/") && asked.push(`${r.method()} ${new URL(r.url()).pathname}`));
  await page.getByRole("navigation", { name: "Main" }).getByText("laptop").waitFor();
  await go(page, "Dashboard");
  await page.getByRole("heading", { name: "Federation" }).waitFor();
  asked.length = 0;
  await ask(facts.end);
  if (facts.end === "wait") await go(page, "Settings"); // it is told at the first thing that it asks for
  await page.getByRole("heading", { name: "Run groove open" }).waitFor();
  await page.getByText("The session has ended.").waitFor();
  await accessible(page, `after its session has ended by ${facts.end}`);
  const until = asked.length;
  assert.ok(until <= 5, `to find it out took ${asked}`);
  for (let i = 0; i < 4; i++) await page.clock.fastForward("30:00");
  assert.deepEqual(asked.slice(until), [], "asked for after the end of the session");
  await page.reload();
  await page.getByRole("heading", { name: "Run groove open" }).waitFor();
});
