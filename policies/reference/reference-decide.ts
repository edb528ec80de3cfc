import { type CompileOptions, randomId, staleAfterMs } from "../compile/options.ts";
import { policiesOf } from "../decide/policies-of.ts";
import { type Ruling, sealDecision } from "../decide/seal-decision.ts";
import type { Attributes, Decision, PolicySet } from "../model/index.ts";
import { situationOf } from "./situation.ts";
import { intakeRefusal, judge } from "./verdict.ts";

/**
 * The meaning of a policy set, written to be read beside docs/semantics.md and not to be fast. `decide` gives the same
 * decision but for `id` and `tookMicros`, which are empty here. Throws where something unexpected happens.
 */
export function referenceDecide(set: PolicySet, attributes: Attributes, options: CompileOptions = {}): Decision {
  const situation = situationOf(set, attributes, options.destinations ?? set.destinations);
  const { path, destination } = situation;
  const facts = {
    id: (options.random ?? randomId)(),
    mode: destination?.mode ?? "enforce",
    epoch: options.epoch ?? 0,
    revision: options.revision ?? 0,
    path: path?.ok ? path.path : undefined,
    candidate: undefined,
    tookMicros: 0,
  } as const;

  const failure = failureOf(attributes, options);
  if (failure !== undefined) return sealDecision(failure, attributes, facts);
  const policies = policiesOf(set, attributes.destination.toString());
  const refusal = intakeRefusal(situation, options.revocations);
  const live = refusal ?? judge(policies.live, situation);
  const candidate = destination && policies.candidate && (refusal ?? judge(policies.candidate, situation));
  return sealDecision(live, attributes, { ...facts, candidate });
}

function failureOf(attributes: Attributes, options: CompileOptions): Ruling | undefined {
  const now = attributes.now.getTime();
  if (Number.isNaN(now)) return failure("no time");
  if (!(now <= staleAfterMs(options))) return { verdict: "deny", reason: "stale-policy", phase: "intake" };
  if ((attributes.http === undefined) === (attributes.tcp === undefined))
    return failure("neither or both of http and tcp");
  return undefined;
}

function failure(detail: string): Ruling {
  return { verdict: "deny", reason: "internal-error", phase: "failure", detail };
}
