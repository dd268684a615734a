import { memo } from "react";
import Render, { type Components } from "react-markdown";
import gfm from "remark-gfm";
import { blocks } from "~/lib/blocks";

const safe = /^https?:\/\//i;

const parts: Components = {
  a: ({ href, children }) =>
    href && safe.test(href) ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href} className="text-accent-text underline underline-offset-2">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  // An image would tell its server that it was looked at.
  img: ({ alt, src }) => <code className="font-mono text-xs">[image {alt || ""} {typeof src === "string" ? src : ""}]</code>,
  pre: ({ children }) => <pre className="my-2 overflow-x-auto rounded-md border border-border bg-sunken p-3 font-mono text-xs leading-5">{children}</pre>,
  code: ({ children, className }) =>
    className ? <code className={className}>{children}</code> : <code className="rounded-xs bg-hover px-1 font-mono text-[.92em] break-words [pre_&]:bg-transparent [pre_&]:p-0">{children}</code>,
  table: ({ children }) => (
    <div className="my-2 overflow-x-auto">
      <table className="border-collapse text-left [&_td]:border [&_td]:border-border [&_td]:px-2 [&_td]:py-1 [&_th]:border [&_th]:border-border [&_th]:px-2 [&_th]:py-1">{children}</table>
    </div>
  ),
  h1: ({ children }) => <h3 className="mt-4 mb-1 text-lg">{children}</h3>,
  h2: ({ children }) => <h3 className="mt-4 mb-1 text-lg">{children}</h3>,
  h3: ({ children }) => <h4 className="mt-3 mb-1 text-md">{children}</h4>,
  ul: ({ children }) => <ul className="my-1.5 list-disc pl-5">{children}</ul>,
  ol: ({ children }) => <ol className="my-1.5 list-decimal pl-5">{children}</ol>,
  p: ({ children }) => <p className="my-1.5 first:mt-0 last:mb-0">{children}</p>,
  blockquote: ({ children }) => <blockquote className="my-2 border-l-2 border-border-strong pl-3 text-text-2">{children}</blockquote>,
};

const plugins = [gfm];

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <Render remarkPlugins={plugins} components={parts} skipHtml>
      {text}
    </Render>
  );
});

export default function Rich({ text }: { text: string }) {
  return (
    <div className="max-w-[68ch] text-md break-words">
      {blocks(text).map((b, i) => (
        <Block key={i} text={b} />
      ))}
    </div>
  );
}
