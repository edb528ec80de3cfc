import { spiffeMatches } from "../match/caller.ts";
import type { Workload } from "../model/index.ts";
import { selectorOf, selects } from "../resolve/labels.ts";
import type { CallerClass } from "../space/index.ts";
import type { GuardrailPartySyntax } from "../syntax/kinds/guardrail.ts";

/** Someone a guardrail can be about: a registered workload, another identity, or whoever calls an edge listener. */
export interface Member {
  readonly of: CallerClass;
  /** Absent for callers that are not registered. */
  readonly workload: Workload | undefined;
}

/** Whether all keys of a party hold for a member; names without namespace are of the guardrail's own. */
export function partyMatches(party: GuardrailPartySyntax, { of, workload: own }: Member, namespace: string): boolean {
  const { workload, labels, namespace: where, spiffe, trustDomain, anyone } = party;
  if (anyone !== undefined && (anyone.value === "anonymous") !== (of.id === undefined)) return false;
  if (anyone?.value === "authenticated" && own === undefined) return false;
  if (trustDomain !== undefined && of.id?.trustDomain !== trustDomain.value) return false;
  if (spiffe !== undefined && (of.id === undefined || !spiffeMatches(spiffe.value, of.id))) return false;
  if (workload === undefined && labels === undefined && where === undefined) return true;
  if (own === undefined) return false;
  if (where !== undefined && where.value !== "*" && where.value !== own.namespace) return false;
  if (labels !== undefined && !selects(selectorOf(labels), own.labels)) return false;
  if (workload === undefined) return true;
  const { namespace: named = namespace, name } = workload.value;
  return named === own.namespace && name === own.name;
}
