// What had the focus before something was laid over the view, however that was come to: by a button, by
// a menu, by the palette.
const over = "[role=dialog], [role=menu]";
let last: HTMLElement | null = null;

addEventListener("focusin", ({ target }) => {
  if (target instanceof HTMLElement && !target.closest(over)) last = target;
});
addEventListener("focusout", ({ target, relatedTarget }) => {
  if (!relatedTarget && target instanceof HTMLElement && !target.closest(over)) last = null;
});

/** Gives the focus back when a dialog closes; where what had it has gone, to the view. */
export function giveBack(e: Event): void {
  e.preventDefault();
  if (document.querySelector("[role=dialog]:not([data-state=closed])")) return; // another took its place
  refocus();
}

export function refocus(): void {
  if (last) (last.isConnected ? last : document.getElementById("main"))?.focus();
}
