import { useQuery } from "@tanstack/react-query";
import { Refused, Skeleton } from "~/ui/note";
import { SettingField } from "./field";
import { configQuery } from "./queries";
import { Restart } from "./restart";

const fields: [key: string, label: string, about?: string][] = [
  ["job.idle", "Default idle timeout", "1m to 24h: a job ends when nothing has crossed for so long."],
  ["job.ttl", "Default TTL", "1m to 24h: what a job may last, unless it is extended."],
  ["bridge.listen", "Bridge listens on"],
  ["bridge.advertise", "Peers reach it at"],
];

/** What new jobs begin with, and where peers come in. */
export function Bridge() {
  const config = useQuery(configQuery);
  return (
    <section aria-labelledby="bridge" className="flex flex-col gap-3">
      <h2 id="bridge" className="text-lg">
        Bridge
      </h2>
      {config.isPending && <Skeleton rows={2} />}
      {config.isError && <Refused what="The settings cannot be read." cause={config.error} />}
      {config.data && (
        <>
          <div className="grid grid-cols-2 gap-4 rounded-lg border border-border p-4 max-md:grid-cols-1">
            {fields.map(([key, label, about]) => {
              const s = config.data.find((one) => one.key === key);
              return s && <SettingField key={key} setting={s} label={label} about={about} />;
            })}
          </div>
          <Restart settings={config.data} />
        </>
      )}
    </section>
  );
}
