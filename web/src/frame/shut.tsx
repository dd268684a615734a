/** What a tab without a bearer shows: how to come in. */
export function Shut({ why }: { why?: string }) {
  return (
    <main className="flex h-full items-center justify-center p-6">
      <div className="flex max-w-md animate-appear flex-col items-center gap-4 text-center">
        <img src="/groove.svg" alt="" width={48} height={48} />
        <h1 className="text-xl">Run groove open</h1>
        <p className="text-text-2">
          {why ? why + ". " : ""}This page belongs to you once the command has let it in. In a terminal on this machine, run
        </p>
        <code className="rounded-md border border-border bg-surface px-4 py-2 text-md select-all">groove open</code>
        <p className="text-xs text-text-3">Each tab is let in by itself, and no key lies on disk: a page that you did not open cannot drive your agents.</p>
      </div>
    </main>
  );
}
