import { Component, useEffect, useRef, type ReactNode } from "react";
import { useLink } from "~/api/state";
import { fetchAgain, Missing } from "~/lib/later";
import { Button } from "~/ui/button";
import { Note } from "~/ui/note";

/** What stands in place of a part of the page that cannot be shown. The rest of the page goes on. */
export function Failed({ error, again: reset }: { error: unknown; again: () => void }) {
  const { state } = useLink();
  const missing = error instanceof Missing;
  const away = state !== "open";
  const again = () => {
    fetchAgain();
    reset();
  };
  const back = useRef(again);
  back.current = again;
  useEffect(() => {
    if (missing && away) return () => back.current(); // it is fetched anew when the daemon is back
  }, [missing, away]);
  const reload = (
    <Button look="primary" onClick={() => location.reload()}>
      Reload the page
    </Button>
  );
  if (!missing)
    return (
      <Note tone="failed" title="This part of the page has failed." actions={<>{reload}<Button onClick={again}>Try again</Button></>}>
        <p className="break-words">{error instanceof Error ? error.message : String(error)}</p>
        <p className="mt-1 text-text-2">Your agents are not touched by it. Please report it with what you did.</p>
      </Note>
    );
  if (away) return <Note tone="failed" title="This part of the page is not here yet.">It is fetched when the daemon is back.</Note>;
  return (
    <Note tone="failed" title="groove was updated." actions={reload}>
      This page is of the build before, and the part that you want is gone with it. Nothing of your agents is lost.
    </Note>
  );
}

type Props = { children: ReactNode; /** another value clears the failure */ of: string; className?: string };

/** Keeps a failure of what lies over the views away from the views. */
export class Boundary extends Component<Props, { error?: unknown }> {
  override state: { error?: unknown } = {};
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  override componentDidUpdate(was: Props) {
    if (was.of !== this.props.of && this.state.error !== undefined) this.again();
  }
  private readonly again = () => this.setState({ error: undefined });
  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className={this.props.className}>
        <Failed error={this.state.error} again={this.again} />
      </div>
    );
  }
}
