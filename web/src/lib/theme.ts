export type Theme = "light" | "dark";

export function theme(): Theme {
  return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
}

export function setTheme(now: Theme): void {
  document.documentElement.dataset.theme = now;
  try {
    localStorage.setItem("groove.theme", now);
  } catch {
    // Storage may be off: the choice holds for this tab.
  }
}

export function toggleTheme(): void {
  setTheme(theme() === "dark" ? "light" : "dark");
}
