import { AUTHORIZATION_RULES } from "./authorization.ts";
import { IDENTITY_RULES } from "./identity.ts";
import { OTHER_RULES } from "./other.ts";
import { REQUEST_RULES } from "./request.ts";
import type { LintRule } from "./rule.ts";

const RULES = { ...AUTHORIZATION_RULES, ...REQUEST_RULES, ...IDENTITY_RULES, ...OTHER_RULES };

/** A kind of finding. */
export type LintId = keyof typeof RULES;

/** Every kind of finding, by its stable id. */
export const LINT_RULES: Readonly<Record<LintId, LintRule>> = RULES;

/** The ids in the order of the documentation. */
export const LINT_IDS: readonly LintId[] = Object.keys(RULES).filter((id): id is LintId => id in RULES);

export type { LintRule } from "./rule.ts";
