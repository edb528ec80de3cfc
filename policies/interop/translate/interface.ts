import type { DraftCaller, DraftPolicy, DraftRule } from "../draft/draft.ts";
import { labelOf, Names } from "../draft/names.ts";
import { type World, worldOf } from "../draft/world.ts";
import type { ImportOptions } from "../importer.ts";

/** The workload that an interface description is of, in a registry that has it. */
export interface Described {
  readonly world: World;
  readonly namespace: string;
  readonly name: string;
  readonly callers: readonly DraftCaller[];
  /** How a witness names the first of the callers, and the workload. */
  readonly from: string;
  readonly to: string;
}

/** The workload that `options.callee` names, else one called like the description; it joins the registry if it is not there. */
export function describedWorkload(title: string, options: ImportOptions): Described {
  const home = options.namespace ?? "default";
  const [namespace = home, name = ""] = options.callee?.includes("/")
    ? options.callee.split("/")
    : [home, options.callee ?? labelOf(title)];
  const named = [
    `${namespace}/${name}`,
    ...(options.callers ?? []).filter((caller) => !caller.startsWith("spiffe://")),
  ];
  const workloads = [...(options.workloads ?? [])];
  for (const text of named) {
    const [space = home, own = text] = text.includes("/") ? text.split("/") : [home, text];
    if (!workloads.some((one) => one.namespace === space && one.name === own))
      workloads.push({ namespace: space, name: own, labels: {} });
  }
  const callers = (options.callers ?? []).map((caller) => callerOf(caller, home));
  return {
    world: worldOf({ ...options, workloads }),
    namespace,
    name,
    callers: callers.length === 0 ? [{ anyone: "authenticated" }] : callers,
    from: options.callers?.[0] ?? `${namespace}/${name}`,
    to: `${namespace}/${name}`,
  };
}

function callerOf(text: string, home: string): DraftCaller {
  if (text.startsWith("spiffe://")) return { spiffe: text };
  return { workload: text.includes("/") ? text : `${home}/${text}` };
}

/** A policy that opens lines of requests to the callers, one rule a group. */
export function interfacePolicy(
  { namespace, name, callers }: Described,
  groups: ReadonlyMap<string, readonly string[]>,
  suffix: string,
): DraftPolicy {
  const names = new Names();
  const allow = [...groups]
    .filter(([, lines]) => lines.length > 0)
    .map(([group, lines]): DraftRule => ({ name: names.take(group), from: callers, requests: [...new Set(lines)] }));
  return { namespace, name: `${name}-${suffix}`, protects: { workload: name }, allow, deny: [] };
}
