import { testsPass } from "../policy-tests/tests-pass.ts";
import { guardrailsPass } from "./guardrails-pass.ts";
import { lintPass } from "./lint-pass.ts";
import type { Pass } from "./pass.ts";

/** In the order that they run and are reported in. */
export const PASSES: readonly Pass[] = [lintPass, testsPass, guardrailsPass];
