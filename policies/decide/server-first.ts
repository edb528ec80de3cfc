import { parseSpiffeId, type SpiffeId } from "../../spiffe/index.ts";
import { compile } from "../compile/compile.ts";
import type { AccessPolicy, PolicySet, Rule } from "../model/index.ts";
import { decide } from "./decide.ts";

/**
 * The callers that may open a tcp listener whose application speaks first: they are authorized in the TLS handshake, by
 * identity and port alone. SPIFFE IDs, sorted. A rule that asks for more admits nobody here, a deny that asks for more
 * holds for everybody it names. Callers of a set read from shards that no rule names are never in it.
 */
export function serverFirstCallers(set: PolicySet, destination: string, port: number): readonly string[] {
  const policies = set.policies.filter((policy) => policy.stage === "live").map(withoutTimes);
  const index = compile({ ...set, policies }, { destinations: [destination] });
  const identity = parseSpiffeId(destination);
  const mayOpen = (caller: SpiffeId): boolean =>
    decide(index, { caller, destination: identity, listener: { port, kind: "mesh" }, tcp: {}, now: ANY_TIME })
      .verdict === "allow";
  const callers = new Map([...registered(set), ...named(policies)].map((id) => [id.toString(), id]));
  return [...callers.values()].filter(mayOpen).map(String).sort();
}

const ANY_TIME = new Date(0);

function withoutTimes(policy: AccessPolicy): AccessPolicy {
  return { ...policy, allow: policy.allow.filter((rule) => !isTimed(rule)), deny: policy.deny.map(forever) };
}

function isTimed(rule: Rule): boolean {
  return rule.notBefore !== undefined || rule.notAfter !== undefined;
}

function forever(rule: Rule): Rule {
  const { notBefore: _notBefore, notAfter: _notAfter, ...rest } = rule;
  return rest;
}

function registered(set: PolicySet): readonly SpiffeId[] {
  return set.workloads.map(({ identity }) => identity);
}

/** Identities that a rule names one by one; those of federated trust domains are in no registry. */
function named(policies: readonly AccessPolicy[]): readonly SpiffeId[] {
  return policies
    .flatMap((policy) => policy.allow)
    .flatMap((rule) => rule.from ?? [])
    .flatMap(({ spiffe }) => (spiffe === undefined || spiffe.descendants ? [] : [spiffe.id]));
}
