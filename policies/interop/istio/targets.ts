import { printable } from "../../printable.ts";
import { isRecord } from "../foreign-yaml.ts";
import type { Refuse } from "./check-keys.ts";

/** What a policy is attached to instead of a selector. */
export interface Target {
  readonly kind: string;
  readonly name: string;
}

/** The label that the pods of a Gateway carry. */
const GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";

/** Selectors of Services, by `namespace/name`. */
export type Services = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** The `targetRef` or `targetRefs` of a spec; absent where it has none. */
export function readTargets(spec: Readonly<Record<string, unknown>>, refuse: Refuse): readonly Target[] | undefined {
  const key = spec.targetRef === undefined ? "targetRefs" : "targetRef";
  const given = spec[key];
  if (given === undefined || given === null) return undefined;
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0) return undefined;
  if (list.length > 16) throw refuse(["spec", key], "at most 16 targets");
  if (spec.selector !== undefined && spec.selector !== null)
    throw refuse(["spec", key], `\`selector\` and \`${key}\` exclude each other`);
  return list.map((one, index) => {
    if (isRecord(one) && typeof one.kind === "string" && typeof one.name === "string")
      return { kind: one.kind, name: one.name };
    throw refuse(["spec", key, index], "a target has a `kind` and a `name`");
  });
}

/** The labels of the workloads that a target stands for; absent where they cannot be told. */
export function labelsOfTarget(
  { kind, name }: Target,
  namespace: string,
  services: Services,
): Readonly<Record<string, string>> | undefined {
  if (kind === "Gateway") return { [GATEWAY_NAME]: name };
  return kind === "Service" ? services.get(`${namespace}/${name}`) : undefined;
}

/** Why the workloads of a target cannot be told. */
export function whyNotTold({ kind, name }: Target, namespace: string): string {
  const what = `\`${printable(`${kind} ${namespace}/${name}`, 120)}\``;
  return kind === "Service"
    ? `which workloads ${what} leads to is not known; add the Service to the files`
    : `${what} stands for no workload that a policy here could protect`;
}
