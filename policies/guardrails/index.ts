/** Guardrails: what must never become possible, whoever writes the policies, and how far workloads reach one another. */
export { checkGuardrails, type GuardrailOptions, guardrailDigest } from "./check-guardrails.ts";
export { type ReachFigures, reachFigures } from "./reach-figures.ts";
