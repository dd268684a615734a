// What a page of a crowded daemon (test/crowd) is looked at with: its views, and who came to be where.
/** A click of a page that may be too busy to be seen as still. */
const press = (what) => what.evaluate((e) => e.click());

const go = (page, where) => press(page.locator(`nav a[href="/${where}"]`).first());

export const views = {
  tree: async (page) => {
    await go(page, "agents");
    await press(page.getByRole("button", { name: "Tree" }));
    await page.locator('[aria-labelledby="name-a:talker-01"]').waitFor();
  },
  list: async (page) => {
    await go(page, "agents");
    await press(page.getByRole("button", { name: "List" }));
    await page.getByRole("link", { name: "talker-01", exact: true }).waitFor();
  },
  chat: async (page) => {
    await views.list(page);
    await press(page.getByRole("link", { name: "talker-01", exact: true }));
    await page.getByRole("log", { name: "Conversation" }).getByText("step").first().waitFor();
  },
  jobs: async (page) => {
    await go(page, "jobs");
    await page.getByRole("log", { name: "Timeline" }).getByText("cents").first().waitFor();
  },
  dashboard: async (page) => {
    await go(page, "dashboard");
    await page.getByRole("heading", { name: "Activity" }).waitFor();
  },
};

/** Counts the events that a page is told, and waits for more of them. */
export function counted(page) {
  const seen = { events: 0, topics: {} };
  let look = () => {};
  page.on("websocket", (s) =>
    s.on("framereceived", (f) => {
      for (const [, topic] of String(f.payload).matchAll(/"topic":"(\w+)"/g)) {
        seen.events++;
        seen.topics[topic] = (seen.topics[topic] ?? 0) + 1;
      }
      look();
    }),
  );
  seen.more = (n) => {
    const until = seen.events + n;
    return new Promise((done) => (look = () => seen.events >= until && done()));
  };
  return seen;
}
