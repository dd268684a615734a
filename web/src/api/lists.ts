import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "./client";
import type { components } from "./schema";

export type Role = components["schemas"]["Role"];
export type Program = components["schemas"]["Program"];

/** What is read when somebody looks at it; no event tells of its change. */
export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/roles", { signal })),
  staleTime: 10_000,
});

export const programsQuery = queryOptions({
  queryKey: ["programs"],
  queryFn: async ({ signal }) => (await unwrap(api.GET("/api/programs", { params: { query: { versions: true } }, signal }))) ?? [],
  staleTime: 10_000,
});

/** The program of the user's settings, "" where there is none. */
export const favouriteQuery = queryOptions({
  queryKey: ["config", "program"],
  queryFn: async ({ signal }) => {
    const all = (await unwrap(api.GET("/api/config", { signal }))) ?? [];
    const value = all.find((s) => s.key === "program")?.value;
    return typeof value === "string" ? value : "";
  },
});
