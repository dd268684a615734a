import { Component, memo, Suspense, type ReactNode } from "react";
import { later } from "~/lib/later";

const Rich = later(() => import("./markdown-rich").then((m) => m.default));

/**
 * Text of an agent as Markdown. No HTML, no images; a link shows its address and opens
 * nothing of this page's. Until the renderer is there, and where it fails, the text stands.
 */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const plain = <div className="break-words whitespace-pre-wrap">{text}</div>;
  if (text.length > 200_000) return plain;
  return (
    <Or plain={plain}>
      <Suspense fallback={plain}>
        <Rich text={text} />
      </Suspense>
    </Or>
  );
});

class Or extends Component<{ plain: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  override render() {
    return this.state.failed ? this.props.plain : this.props.children;
  }
}
