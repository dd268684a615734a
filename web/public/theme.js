// Before the first paint, so that a dark page never flashes light.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("groove.theme");
  } catch {
    // Storage may be off: the system's wish counts.
  }
  if (theme !== "light" && theme !== "dark") theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.theme = theme;
})();
