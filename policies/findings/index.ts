/** Findings: what every analysis gives, how findings are silenced in place, and the forms they are written in. */
export type { Finding, WitnessRequest } from "./finding.ts";
export { type Draft, finding, fingerprint, withUniqueFingerprints } from "./fingerprint.ts";
export { attributesOf, type WitnessOptions, workloadOf } from "./witness.ts";
export { witnessOf, witnessText } from "./witness-text.ts";
