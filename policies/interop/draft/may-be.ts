import type { DraftCaller, DraftMatcher } from "./draft.ts";
import type { KnownWorkload } from "./world.ts";

/** Whether a workload may be whom a rule names by labels or namespace. A caller without a namespace is of one that is not known here. */
export function mayBe({ labels = {}, namespace = "*" }: DraftCaller, workload: KnownWorkload): boolean {
  if (namespace !== "*" && namespace !== workload.namespace) return false;
  return Object.entries(labels).every(([name, matcher]) => mayMeet(matcher, workload.labels?.[name]));
}

function mayMeet(matcher: DraftMatcher, value: string | undefined): boolean {
  if (typeof matcher === "string") return value === matcher;
  if ("absent" in matcher) return value === undefined;
  if ("not" in matcher) return value !== matcher.not;
  if ("notIn" in matcher) return value === undefined || !matcher.notIn.includes(value);
  if (value === undefined) return false;
  if ("in" in matcher) return matcher.in.includes(value);
  if ("prefix" in matcher) return value.startsWith(matcher.prefix);
  if ("suffix" in matcher) return value.endsWith(matcher.suffix);
  return "present" in matcher || value.includes(matcher.contains);
}
