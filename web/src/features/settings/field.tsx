import { useState, type FormEvent } from "react";
import { Button } from "~/ui/button";
import { Field, Input } from "~/ui/controls";
import { Refused } from "~/ui/note";
import { useSetting, type Setting } from "./queries";
import { above, toSend, written } from "./setting";

/** One setting to type in. What may stand there is said, and what the daemon refuses. */
export function SettingField({ setting, label, about }: { setting: Setting; label: string; about?: string }) {
  const [typed, type] = useState<string>();
  const write = useSetting(setting.key);
  const over = above(setting);
  const value = typed ?? written(setting);
  const changed = typed !== undefined && typed.trim() !== written(setting);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (changed) write.mutate(toSend(setting, value), { onSuccess: () => type(undefined) });
  };
  return (
    <form onSubmit={submit} className="flex min-w-0 flex-col gap-2">
      <Field label={label} hint={about ?? (setting.allowed && `Allowed: ${setting.allowed}`)}>
        {(p) => (
          <div className="flex gap-2">
            <Input {...p} value={value} spellCheck={false} autoComplete="off" onChange={(e) => type(e.target.value)} />
            {changed && (
              <Button type="submit" disabled={write.isPending}>
                Save
              </Button>
            )}
          </div>
        )}
      </Field>
      <Standing setting={setting} over={over} />
      {write.isError && <Refused what={`${setting.key} is as before.`} cause={write.error} />}
    </form>
  );
}

/** What keeps a written value from holding. */
export function Standing({ setting, over }: { setting: Setting; over: string | undefined }) {
  if (over) return <p className="text-xs text-awaiting-text">{over} stands over config.toml.</p>;
  if (setting.next) return <p className="text-xs text-awaiting-text">Written; the daemon takes it at its next start.</p>;
  return null;
}
