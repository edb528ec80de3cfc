/** Findings: what every analysis gives, how findings are silenced in place, and the forms they are written in. */
export type { Finding, WitnessRequest } from "./finding.ts";
export { type Draft, finding, fingerprint, withUniqueFingerprints } from "./fingerprint.ts";
export { countFindings, type FindingCounts, findingsJson } from "./json.ts";
export { type JUnitCase, type JUnitSuite, suiteOf, toJUnit } from "./junit.ts";
export { type FindingRule, type SarifOptions, toSarif } from "./sarif.ts";
export { type Suppressed, type SuppressedFinding, type SuppressOptions, suppress } from "./suppression.ts";
export { formatFindings } from "./text.ts";
export { attributesOf, type WitnessOptions, workloadOf } from "./witness.ts";
export { witnessOf, witnessText } from "./witness-text.ts";
