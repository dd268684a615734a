import { useEffect } from "react";
import { useSnapshot } from "~/api/state";
import { visible } from "~/lib/visible";

/** Names the tab: how many questions wait, what is looked at, on which machine. */
export function useTitle(view: string): void {
  const name = useSnapshot((s) => s.status.name) ?? "";
  const asked = useSnapshot((s) => (s.approvals ?? []).length) ?? 0;
  useEffect(() => {
    document.title = (asked > 0 ? `(${asked}) ` : "") + [view, name, "groove"].filter(Boolean).map(visible).join(" · ");
  }, [view, name, asked]);
}
