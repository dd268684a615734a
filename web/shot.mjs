import { chromium } from "playwright-core";
const [url, out, path = "/agents", theme = "light", w = "1440", h = "900"] = process.argv.slice(2);
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const p = await b.newPage({ viewport: { width: +w, height: +h } });
p.on("console", (m) => (m.type() === "error" || m.type() === "warning") && console.log("console:", m.text()));
p.on("pageerror", (e) => console.log("error:", e.message));
const origin = new URL(url).origin;
await p.addInitScript((t) => { try { localStorage.setItem("groove.theme", t); } catch {} }, theme);
await p.goto(url);
await p.waitForTimeout(1200);
if (path !== "/agents") { await p.evaluate((x) => { history.pushState(null, "", x); dispatchEvent(new PopStateEvent("popstate")); }, path); await p.waitForTimeout(1200); }
await p.screenshot({ path: out });
await b.close();
