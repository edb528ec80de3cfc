/** The engine of the policy language: canonical paths, matching, compiled and reference decisions, shards, explanations. */
export { compile, noPolicyIndex, withRevocations } from "./compile/compile.ts";
export type { Index } from "./compile/compiled.ts";
export { type CompileOptions, DEFAULT_MAX_STALE_MS } from "./compile/options.ts";
export { decide } from "./decide/decide.ts";
export { serverFirstCallers } from "./decide/server-first.ts";
export { warm } from "./decide/warm.ts";
export type { Edit } from "./explain/edit.ts";
export { explain } from "./explain/explain.ts";
export type {
  CandidateExplanation,
  Explanation,
  Lack,
  LackKind,
  LineReport,
  RequestKind,
} from "./explain/explanation.ts";
export { formatExplanation, lackText } from "./explain/format-explanation.ts";
export type { ExplainOptions } from "./explain/options.ts";
export type { Refusal } from "./explain/refusal.ts";
export type { Suggestion } from "./explain/suggestion.ts";
export { foreignDomainsOf } from "./match/foreign-domains.ts";
export { type CanonicalPath, canonicalPath, MAX_PATH_BYTES, type PathRefusal } from "./path/canonical-path.ts";
export { PolicyError, type PolicyErrorCode } from "./policy-error.ts";
export { referenceDecide } from "./reference/reference-decide.ts";
export { readShards } from "./shard/read-shards.ts";
export { shardOf } from "./shard/shard-of.ts";
export { SHARD_FORMAT } from "./shard/shard-schema.ts";
