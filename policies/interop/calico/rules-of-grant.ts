import type { DraftCaller, DraftRule } from "../draft/draft.ts";
import { everyRequest } from "../draft/everything.ts";
import type { World } from "../draft/world.ts";
import { isMethod } from "../paths/known-methods.ts";
import { allowLines } from "../paths/selection.ts";
import type { Grant } from "./grants.ts";

/** The rules that let callers do at a port what was granted. */
export function rulesOf(
  grant: Grant,
  callers: readonly DraftCaller[],
  port: number | undefined,
  world: World,
): readonly Omit<DraftRule, "name">[] {
  const { methods, paths, addresses, except } = grant;
  const from = addresses === undefined ? callers : callers.map((caller) => ({ ...caller, addresses }));
  const limits = port === undefined ? {} : { ports: [port] };
  if (methods === undefined && paths === undefined && except.length === 0)
    return [{ from, requests: everyRequest(world), ...limits }];
  const selection = { methods: methods?.filter(isMethod), notMethods: [], patterns: paths ?? ["/**"], notPatterns: [] };
  const lines = allowLines(selection, world, () => undefined);
  const excluded = except.flatMap(speakable);
  return lines.map(({ requests }) => ({
    from,
    requests,
    ...limits,
    ...(excluded.length === 0 ? {} : { except: { requests: excluded } }),
  }));
}

/** An excluded line without the methods that no request has; absent where none is left. */
function speakable(line: string): readonly string[] {
  const [methods = "", pattern = ""] = line.split(" ");
  if (methods === "ANY") return [line];
  const kept = methods.split("|").filter(isMethod);
  return kept.length === 0 ? [] : [`${kept.join("|")} ${pattern}`];
}
