import { useState } from "react";
import { visible } from "~/lib/visible";

const most = 6_000;

/** Foreign text as text: its beginning, and the rest on demand. */
export function Long({ text: said }: { text: string }) {
  const [whole, show] = useState(false);
  const text = visible(said);
  if (text.length <= most) return text;
  return (
    <>
      {whole ? text : text.slice(0, most) + "…"}
      <button type="button" aria-expanded={whole} className="mt-1 block rounded-xs text-xs underline underline-offset-2" onClick={() => show(!whole)}>
        {whole ? "Show the beginning only" : `Show all of it (${Math.ceil(text.length / 1024).toLocaleString("en")} kB)`}
      </button>
    </>
  );
}
