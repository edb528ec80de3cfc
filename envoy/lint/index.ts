/** Findings about any Envoy configuration. */

export { type AppEndpoint, appEndpoints } from "./app-endpoints.ts";
export { type Behaviour, behaviours, type Refusal } from "./behaviour.ts";
export { LINT_IDS, LINT_RULES, type LintId, type LintRule } from "./catalogue/index.ts";
export { type EnvoyFinding, type LintOptions, lintConfig } from "./lint-config.ts";
export type { PatchTarget } from "./lint-context.ts";
export { type ConfigSource, readSource } from "./source.ts";
