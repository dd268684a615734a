const endings = new Set(["completed", "crashed", "killed", "failed", "removed"]);

/** Whether an agent in this status takes nothing more. */
export function hasEnded(status: string): boolean {
  return endings.has(status);
}
