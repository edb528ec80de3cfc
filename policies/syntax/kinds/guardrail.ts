import { choice, list, type ObjectOf, object, optional, required } from "../readers.ts";
import { spiffePattern, trustDomain, workloadReference } from "../values.ts";
import { labelSelector, namespaceOrAll } from "./selectors.ts";

const partyShape = {
  workload: optional(workloadReference, "a workload: `shop/web`"),
  labels: optional(labelSelector, "workloads by their labels, of every namespace"),
  namespace: optional(namespaceOrAll, "workloads of one namespace"),
  spiffe: optional(spiffePattern, "an identity, or with `/**` its descendants"),
  trustDomain: optional(trustDomain, "any identity of that trust domain"),
  anyone: optional(choice("authenticated", "anonymous"), "any registered identity, or a caller of an edge listener"),
};

/** Workloads that a guardrail is about, as written. */
export type GuardrailPartySyntax = ObjectOf<typeof partyShape>;

const party = object(partyShape, { expects: "workloads" });

const neverShape = {
  from: required(party, "callers"),
  to: required(party, "workloads that must stay out of their reach"),
  through: optional(choice("direct", "any"), "`direct` (default), or `any` for ways over other workloads too"),
  stopAt: optional(party, "workloads over which a way does not count"),
};
const onlyShape = {
  from: required(party, "the only callers"),
  to: required(party, "workloads that nobody else may reach"),
};

const guardrailShape = {
  never: optional(list(object(neverShape, { expects: "a way that must not exist" })), "ways that must never exist"),
  only: optional(
    list(object(onlyShape, { expects: "the only way there may be" })),
    "workloads that only these may reach",
  ),
};

/** A Guardrail's `spec` as written. */
export type GuardrailSyntax = ObjectOf<typeof guardrailShape>;

/** Reads a Guardrail's `spec`. */
export const guardrailSpec = object(guardrailShape, { expects: "the guardrail", atLeastOne: ["never", "only"] });
