import { TriangleAlert } from "lucide-react";
import { Field, TextArea } from "~/ui/controls";
import { globsOf } from "./draft";
import { useScope, whyOf } from "./queries";

/** The globs that an agent may change, with what they hold now. */
export function Scope({ value, onChange, dir, fromRole, worktree }: { value: string; onChange: (s: string) => void; dir: string; fromRole: string[]; worktree: boolean }) {
  const globs = globsOf(value);
  const preview = useScope(dir, globs.length > 0 ? globs : fromRole);
  const p = preview.data;
  const hint = globs.length > 0 ? "Globs that it may change, one in a line" : fromRole.length > 0 ? `Left empty: ${fromRole.join(", ")}, as its role says` : "Globs that it may change, one in a line. Left empty: everything in its directory";
  return (
    <div className="flex flex-col gap-1.5">
      <div className="relative">
        <Field label="Scope" hint={hint}>
          {(f) => <TextArea {...f} rows={Math.min(6, Math.max(1, value.split("\n").length))} value={value} onChange={(e) => onChange(e.target.value)} placeholder="src/**" className="min-h-8 resize-none !py-1 pr-24 font-mono" spellCheck={false} />}
        </Field>
        <output className="pointer-events-none absolute top-[31px] right-2.5 font-mono text-xs text-text-3" aria-label="Files in the scope">
          {dir && p && !preview.isError ? `${p.truncated ? "over " : ""}${p.matches} ${p.matches === 1 ? "file" : "files"}` : ""}
        </output>
      </div>
      {preview.isError && dir && <p className="text-xs text-text-3">Not counted: {whyOf(preview.error)}</p>}
      {p?.problems?.map((x) => (
        <p key={x.glob} className="text-xs break-words text-failed-text">
          {x.detail}
          {x.fix && `: ${x.fix}`}
        </p>
      ))}
      {p && p.matches === 0 && (p.problems ?? []).length === 0 && globs.length > 0 && <p className="text-xs text-text-2">No file is there yet that it may change.</p>}
      {p && p.matches > 0 && globs.length > 0 && (
        <p className="truncate font-mono text-xs text-text-3" title={p.sample?.join("\n")}>
          {p.sample?.slice(0, 3).join("  ")}
          {p.matches > 3 && " …"}
        </p>
      )}
      {p?.overlaps?.map((o) => (
        <p key={o.agent} className="flex items-start gap-1.5 text-xs text-awaiting-text">
          <TriangleAlert size={14} aria-hidden className="mt-px flex-none" />
          <span className="break-words">
            Overlaps <bdi className="font-semibold">{o.agent}</bdi> {o.files > 0 ? `in ${o.files} ${o.files === 1 ? "file" : "files"}` : "in files that are not there yet"} ({o.theirs || "its whole directory"}).{" "}
            {worktree ? "Each has files of its own until the branches meet." : "Both may change the same files."}
          </span>
        </p>
      ))}
    </div>
  );
}
