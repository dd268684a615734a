import clsx from "clsx";
import { CornerLeftUp, Folder, FolderGit2 } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { useSnapshot } from "~/api/state";
import { Field, Input } from "~/ui/controls";
import { long, short, splitPath } from "./draft";
import { useFolder, useSettled, whyOf } from "./queries";

type Row = { path: string; label: string; repo: boolean; up?: boolean };

/** A path with the folders that it could go on with, as a shell completes it. */
export function Directory({ value, onChange, home, fault }: { value: string; onChange: (dir: string) => void; home: string | undefined; fault: string }) {
  const list = useId();
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const box = useRef<HTMLUListElement>(null);
  const { parent, begun } = splitPath(value);
  const settled = useSettled(parent, 120);
  const folder = useFolder(open ? settled || "~" : undefined);
  const rows = open && folder.data && !folder.isPlaceholderData ? rowsOf(folder.data, begun, home) : [];
  useEffect(() => setAt(-1), [value]);
  useEffect(() => {
    void box.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const take = (row: Row) => onChange(row.path === "/" ? "/" : short(row.path, home) + "/");
  const press = (e: React.KeyboardEvent) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      if (!open) return setOpen(true);
      if (rows.length > 0) setAt((at + (e.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1) + rows.length) % rows.length);
    } else if (e.key === "Enter" && open && rows[at] && !e.metaKey && !e.ctrlKey) {
      e.preventDefault();
      take(rows[at]);
    } else if (e.key === "Escape" && open) {
      e.preventDefault();
      e.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <div className="relative flex flex-col gap-2" onBlur={(e) => !e.currentTarget.contains(e.relatedTarget) && setOpen(false)}>
      <Field label="Directory" error={fault || undefined} hint="Where it works. Arrow keys choose a folder, Enter goes into it.">
        {(p) => (
          <Input
            {...p}
            role="combobox"
            aria-expanded={open && rows.length > 0}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={rows[at] ? `${list}-${at}` : undefined}
            value={value}
            onChange={(e) => {
              onChange(e.target.value);
              setOpen(true);
            }}
            onClick={() => setOpen(true)}
            onKeyDown={press}
            placeholder="~/code/project"
            className="font-mono"
            spellCheck={false}
            autoComplete="off"
          />
        )}
      </Field>
      <ul
        id={list}
        ref={box}
        role="listbox"
        aria-label="Folders"
        className={clsx("absolute inset-x-0 top-[60px] z-10 max-h-56 overflow-y-auto rounded-md border border-border bg-float p-1 shadow-3", (!open || rows.length === 0) && "hidden")}
      >
        {rows.map((r, i) => (
          <li
            key={r.path + r.label}
            id={`${list}-${i}`}
            role="option"
            aria-selected={i === at}
            onPointerDown={(e) => e.preventDefault()}
            onClick={() => take(r)}
            className={clsx("flex min-h-8 cursor-pointer items-center gap-2 rounded-sm px-2 font-mono text-xs max-md:min-h-11", i === at ? "bg-hover" : "hover:bg-hover")}
          >
            {r.up ? <CornerLeftUp size={14} aria-hidden /> : r.repo ? <FolderGit2 size={14} aria-hidden className="text-accent-text" /> : <Folder size={14} aria-hidden className="text-text-3" />}
            <bdi className="min-w-0 truncate">{r.label}</bdi>
            {r.repo && <span className="ml-auto font-sans text-text-3">git</span>}
          </li>
        ))}
      </ul>
      {open && folder.isError && !folder.isPlaceholderData && <p className="text-xs text-failed-text">{whyOf(folder.error)}</p>}
      <Recent value={value} home={home} onTake={(d) => onChange(short(d, home))} />
    </div>
  );
}

function rowsOf(folder: NonNullable<ReturnType<typeof useFolder>["data"]>, begun: string, home: string | undefined): Row[] {
  const base = folder.path === "/" ? "" : folder.path;
  const near = begun.toLowerCase();
  const rows: Row[] = (folder.dirs ?? [])
    .filter((d) => (near ? d.name.toLowerCase().startsWith(near) : true) && (!d.hidden || near.startsWith(".")))
    .map((d) => ({ path: `${base}/${d.name}`, label: d.name, repo: d.isRepo }));
  if (!near && folder.parent) rows.unshift({ path: folder.parent, label: `.. (${short(folder.parent, home)})`, repo: false, up: true });
  return rows;
}

/** The folders that agents worked in. */
function Recent({ value, home, onTake }: { value: string; home: string | undefined; onTake: (dir: string) => void }) {
  const agents = useSnapshot((s) => s.agents) ?? [];
  const dirs = [...new Set([...agents].reverse().map((a) => a.worktree?.repo ?? a.dir))].filter((d) => d !== long(value, home)).slice(0, 3);
  if (dirs.length === 0) return null;
  return (
    <div className="flex flex-wrap items-center gap-1.5 text-xs text-text-3">
      Of other agents:
      {dirs.map((d) => (
        <button key={d} type="button" onClick={() => onTake(d)} className="max-w-full truncate rounded-sm border border-border px-1.5 py-0.5 font-mono text-text-2 hover:bg-hover max-md:min-h-11">
          {short(d, home)}
        </button>
      ))}
    </div>
  );
}
