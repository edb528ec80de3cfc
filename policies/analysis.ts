/** What is worked out of policies before they are in force: findings, tests, differences. Each line is one folder's face. */
export * from "./diff/index.ts";
export * from "./findings/index.ts";
export * from "./fmt/index.ts";
export * from "./guardrails/index.ts";
export * from "./lint/index.ts";
export * from "./simulate/index.ts";
export * from "./space/index.ts";
export * from "./teams/index.ts";
export * from "./tests/index.ts";
