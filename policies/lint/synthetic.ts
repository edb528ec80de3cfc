import type { CallerSelector, PolicySet, Rule, Workload } from "../model/index.ts";
import type { LineOf } from "./line-at.ts";

const NOTHING: Pick<Rule, "headers" | "query" | "across" | "always"> = {
  headers: new Map(),
  query: new Map(),
  across: [],
  always: false,
};

/** The line of an allow under no condition, whoever sends it and whatever isolation stands between. */
export function everyoneLine(line: LineOf, { mesh }: PolicySet): LineOf {
  const { name, span } = line.rule;
  const from: readonly CallerSelector[] = [
    { anyone: "authenticated", span },
    { anyone: "anonymous", span },
    ...mesh.federated.map((trustDomain) => ({ trustDomain, span })),
  ];
  return { ...line, rule: { ...NOTHING, effect: "allow", name, span, from, across: mesh.isolate } };
}

/** Everything that a workload sends to a port. */
export function callerLine({ namespace, name, span }: Workload, port: number): LineOf {
  const rule: Rule = {
    ...NOTHING,
    effect: "deny",
    name,
    span,
    ports: [port],
    from: [{ workload: { namespace, name }, span }],
  };
  const policy = {
    namespace,
    name,
    stage: "live",
    action: "replace",
    protects: { namespaces: [] },
    destinations: [],
    allow: [],
    deny: [],
    span,
  } as const;
  return { policy, rule, id: name, line: undefined, lineId: name };
}
