import { lazy, memo, Suspense } from "react";

const Rich = lazy(() => import("./markdown-rich"));

/**
 * Text of an agent as Markdown. No HTML, no images; a link shows its address and opens
 * nothing of this page's. Until the renderer is there, and where it fails, the text stands.
 */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const plain = <div className="break-words whitespace-pre-wrap">{text}</div>;
  return text.length > 200_000 ? plain : <Suspense fallback={plain}>{<Rich text={text} />}</Suspense>;
});
