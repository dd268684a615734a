import { useQuery } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { useState } from "react";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/controls";
import { Refused, Skeleton } from "~/ui/note";
import { SettingField } from "./field";
import { configQuery, type Setting } from "./queries";
import { Restart } from "./restart";
import { above, editable, textOf } from "./setting";

/** Every setting, what holds, from where, and what the next start takes. */
export function General() {
  const config = useQuery(configQuery);
  const [key, edit] = useState<string>();
  if (config.isPending) return <Skeleton />;
  if (config.isError) return <Refused what="The settings cannot be read." cause={config.error} />;
  const chosen = config.data.find((s) => s.key === key);
  return (
    <section aria-labelledby="settings" className="flex flex-col gap-3">
      <h1 id="settings" className="text-xl">
        Settings
      </h1>
      <p className="text-text-2">
        They stand in <code className="font-mono text-xs">config.toml</code>. The daemon reads it at its start; a flag or a variable of the environment stands over it.
      </p>
      <Restart settings={config.data} />
      <div className="overflow-x-auto rounded-lg border border-border">
        <table className="w-full text-left">
          <thead className="bg-sunken text-xs text-text-3">
            <tr>
              {["Setting", "Value", "From", ""].map((h) => (
                <th key={h} scope="col" className="px-3 py-2 font-medium">
                  {h || <span className="sr-only">Change</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {config.data.map((s) => (
              <Row key={s.key} setting={s} onEdit={() => edit(s.key)} />
            ))}
          </tbody>
        </table>
      </div>
      <Dialog open={!!chosen} onClose={() => edit(undefined)} title={chosen?.key ?? ""} footer={<Button onClick={() => edit(undefined)}>Close</Button>}>
        {chosen && <SettingField setting={chosen} label="Value" />}
      </Dialog>
    </section>
  );
}

function Row({ setting: s, onEdit }: { setting: Setting; onEdit: () => void }) {
  const over = above(s);
  return (
    <tr className="border-t border-border">
      <td className="px-3 py-1.5 font-mono text-xs whitespace-nowrap" title={s.allowed}>
        {s.key}
      </td>
      <td className="px-3 py-1.5 font-mono text-xs break-all">
        {textOf(s.value) || <span className="text-text-3">none</span>}
        {s.next && <span className="block text-awaiting-text">then {textOf(s.next.value) || "none"}</span>}
      </td>
      <td className="px-3 py-1.5 text-xs break-all text-text-3">{s.origin}</td>
      <td className="px-3 py-1 text-right">
        {editable(s) && (
          <Button size="sm" look="ghost" icon aria-label={`Change ${s.key}`} title={over ? `${over} stands over config.toml` : undefined} onClick={onEdit}>
            <Pencil size={14} />
          </Button>
        )}
      </td>
    </tr>
  );
}
