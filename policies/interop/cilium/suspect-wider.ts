import type { DraftRule } from "../draft/draft.ts";
import type { SourcePlace } from "../report.ts";
import type { Context } from "./callers.ts";
import { type HttpRule, plainPath } from "./http-rule.ts";

const QUERY = "the source compares the query with the path, which rules do not";
const PORT = "the source compares the port of the host, which rules do not";

/** The source looks at the query and at the host's port; rules do not. */
export function suspectWider(
  { refusedTarget, refusedHost, condition }: HttpRule,
  rules: readonly DraftRule[],
  { place, construct }: { readonly place: SourcePlace; readonly construct: string },
  { notes, suspects }: Context,
): void {
  const method = condition.methods === "ANY" ? "GET" : (condition.methods[0] ?? "GET");
  const [pattern = "/"] = condition.paths?.patterns ?? [];
  const asked = [
    {
      what: "path",
      scope: "query" as const,
      reason: QUERY,
      change: refusedTarget === undefined ? undefined : { request: `${method} ${refusedTarget}` },
    },
    {
      what: "host",
      scope: "host-with-port" as const,
      reason: PORT,
      change: refusedHost === undefined ? undefined : { request: `${method} ${plainPath(pattern)}`, host: refusedHost },
    },
  ];
  for (const { what, scope, reason, change } of asked)
    if (change !== undefined)
      suspects.push({
        scope,
        reason,
        change,
        rules,
        say: (fidelity, why, at, counterExample) =>
          notes.add(place, `${construct}: ${what}`, fidelity, why, {
            ...(at === undefined ? {} : { scope: at }),
            ...(counterExample === undefined ? {} : { counterExample }),
          }),
      });
}
