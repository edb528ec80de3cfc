/** Tests of policies: cases run by the decisions of the live path, coverage, mutants. */
export { attributesOfCase } from "./case-attributes.ts";
export { coverageOf } from "./coverage.ts";
export type { Coverage, CoverageItem, CoverageKind } from "./coverage-item.ts";
export type { CaseResult, Got } from "./judge-case.ts";
export type { Mutant, MutantOperator } from "./mutants/mutant.ts";
export { type MutateOptions, type MutationReport, mutate, type Survivor } from "./mutate.ts";
export { missingText, runTests, type TestOptions, type TestReport } from "./run-tests.ts";
export { type Expected, type TestCase, testCasesOf } from "./test-case.ts";
