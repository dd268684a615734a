import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { follow, queries } from "./api/state";
import { bearer, enter } from "./api/session";
import { Shut } from "./frame/shut";
import { fetchIdly } from "./lib/later";
import { trustStyles } from "./lib/nonce";
import { overlays } from "./overlays";
import { next } from "./pages";
import { router } from "./router";
import "./styles.css";

const root = createRoot(document.getElementById("root")!);

async function begin(): Promise<void> {
  trustStyles();
  try {
    await enter();
  } catch {
    // The daemon did not answer: the socket says so and tries again.
  }
  if (!bearer()) {
    root.render(<Shut />);
    return;
  }
  follow();
  root.render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
  fetchIdly([...overlays.slice(0, 1), ...next, ...overlays.slice(1)]);
}

addEventListener("hashchange", () => location.hash.includes("code=") && location.reload());
document.addEventListener("visibilitychange", () => document.documentElement.classList.toggle("hidden-tab", document.hidden));
void begin();
