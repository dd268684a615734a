import { useQuery } from "@tanstack/react-query";
import { rolesQuery, type Role } from "~/api/lists";
import { useSnapshot } from "~/api/state";
import { Choice, Choices } from "~/ui/choice";
import { Refused } from "~/ui/note";
import { RoleIcon, roleIcon } from "~/ui/role";
import { Button } from "~/ui/button";

const first = ["planner", "frontend", "backend", "testing", "ambassador"];

/** "no role" needs a value of its own: a choice cannot be empty. */
const none = "-";

export const called = (role: string) => role.charAt(0).toUpperCase() + role.slice(1);

export function Roles({ value, onChange }: { value: string; onChange: (r: Role | undefined) => void }) {
  const roles = useQuery(rolesQuery);
  const home = useSnapshot((s) => s.status.home);
  if (roles.isError) return <Refused what="Roles are not known." cause={roles.error} retry={<Button onClick={() => void roles.refetch()}>Try again</Button>} />;
  const all = roles.data?.roles ?? [];
  const cards = first.map((n) => all.find((r) => r.name === n)).filter((r) => r !== undefined);
  const rest = all.filter((r) => !first.includes(r.name));
  const damaged = roles.data?.damaged ?? [];
  return (
    <>
      <Choices aria-label="Role" value={value || none} onValueChange={(v) => onChange(all.find((r) => r.name === v))} className="flex flex-col gap-2.5" aria-busy={roles.isPending}>
        <div className="grid min-h-20 grid-cols-5 gap-2 max-lg:grid-cols-3 max-sm:grid-cols-2">
          {cards.map((r) => (
            <Choice key={r.name} value={r.name} label={called(r.name)} remote={r.name === "ambassador"} className="flex flex-col gap-2 px-3 py-2.5">
              <RoleIcon role={r.name} remote={r.name === "ambassador" && value === r.name} size={14} />
              <span>
                <bdi className="block font-semibold">{called(r.name)}</bdi>
                <bdi className="block text-xs text-text-3">{r.title}</bdi>
              </span>
            </Choice>
          ))}
        </div>
        <div className="flex flex-wrap gap-1.5">
          <Choice value={none} label="No role" className="flex h-7 items-center px-2.5 text-text-2 max-md:h-11">
            No role
          </Choice>
          {rest.map((r) => {
            const Icon = roleIcon(r.name);
            return (
              <Choice key={r.name} value={r.name} label={called(r.name)} className="flex h-7 items-center gap-1.5 px-2.5 text-text-2 max-md:h-11">
                <Icon size={14} aria-hidden />
                <bdi title={r.title}>{called(r.name)}</bdi>
              </Choice>
            );
          })}
        </div>
      </Choices>
      <p className="mt-2 text-xs text-text-3">
        A role is instructions. Your own: a file <code className="font-mono break-all">{home ?? "…"}/roles/NAME.md</code>
        {damaged.length > 0 && <span className="text-awaiting-text"> Left out: {damaged.map((d) => d.detail).join("; ")}</span>}
      </p>
    </>
  );
}
