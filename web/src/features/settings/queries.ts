import { queryOptions, useMutation } from "@tanstack/react-query";
import { api, unwrap } from "~/api/client";
import { queries } from "~/api/state";
import type { components } from "~/api/schema";
import { say } from "~/ui/toast";

export type Setting = components["schemas"]["Setting"];

export const configQuery = queryOptions({
  queryKey: ["config"],
  queryFn: async ({ signal }) => (await unwrap(api.GET("/api/config", { signal }))) ?? [],
  staleTime: 0, // the file may be edited elsewhere
});

/** Writes one setting into config.toml. */
export function useSetting(key: string) {
  return useMutation({
    mutationFn: (value: string) => unwrap(api.PUT("/api/config/{key}", { params: { path: { key } }, body: { value } })),
    onSuccess: (s) => {
      queries.setQueryData<Setting[]>(["config"], (all) => all?.map((one) => (one.key === s.key ? s : one)));
      void queries.invalidateQueries({ queryKey: ["config"] });
      say(s.next ? `${s.key} is written; the next start takes it` : `${s.key} is written`);
    },
  });
}
